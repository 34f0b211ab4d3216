with

changes as (
    select * from {{ touched_rows_of(ref('stg_changes'), ref('stg_touched_participants')) }}
    where occurred_at <= {{ as_of() }}
),

identities as (
    select * from {{ ref('stg_identities') }}
),

tied_instants as (
    select participant_key
    from changes
    group by participant_key, occurred_at
    having count(*) > 1
),

tied_participants as (
    select distinct participant_key from tied_instants
),

instants as (
    select
        changes.participant_key,
        changes.occurred_at,
        count(*) as changes,
        min(changes.status_rank) as lowest_status_rank,
        min(changes.prior_rank) as lowest_prior_rank
    from changes
    inner join tied_participants
        on changes.participant_key = tied_participants.participant_key
    group by changes.participant_key, changes.occurred_at
),

-- Only the ranks next to a tie group are used. An instant there has one change, so its lowest rank is that change's.
instants_with_neighbours as (
    select
        *,
        coalesce(lag(changes) over by_time, 1) = 1 as starts_group,
        coalesce(lag(lowest_status_rank) over by_time, 0) as rank_before,
        coalesce(lead(lowest_prior_rank) over by_time, 0) as prior_rank_after
    from instants
    window by_time as (partition by participant_key order by occurred_at)
),

-- A tie group is a run of tied instants, because the order at one instant affects the link to the next.
tie_groups as (
    select
        *,
        count(case when starts_group then 1 end) over (
            partition by participant_key order by occurred_at
            rows between unbounded preceding and current row
        ) as tie_group
    from instants_with_neighbours
    where changes > 1
),

instants_in_groups as (
    select
        *,
        row_number() over by_time as instant,
        first_value(rank_before) over by_time as rank_before_group,
        first_value(prior_rank_after) over by_time_reversed as prior_rank_after_group
    from tie_groups
    window
        by_time as (partition by participant_key, tie_group order by occurred_at),
        by_time_reversed as (partition by participant_key, tie_group order by occurred_at desc)
)

select
    changes.participant_key,
    changes.occurred_at,
    instants_in_groups.tie_group,
    instants_in_groups.instant,
    changes.status_rank,
    changes.prior_rank,
    changes.person_key,
    changes.study_key,
    row_number() over (
        partition by changes.participant_key, changes.occurred_at, changes.status_rank, changes.prior_rank
        order by identities.person_id, identities.study_id
    ) as number,
    instants_in_groups.rank_before_group as rank_before,
    instants_in_groups.prior_rank_after_group as prior_rank_after
from changes
inner join instants_in_groups
    on
        changes.participant_key = instants_in_groups.participant_key
        and changes.occurred_at = instants_in_groups.occurred_at
inner join identities
    on
        changes.participant_key = identities.participant_key
        and changes.person_key = identities.person_key
        and changes.study_key = identities.study_key
