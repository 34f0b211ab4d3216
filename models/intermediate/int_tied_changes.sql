with

changes as (
    select * from {{ touched_rows_of(ref('int_changes'), ref('int_touched_participants')) }}
),

tied_moments as (
    select participant_id
    from changes
    group by participant_id, occurred_at
    having count(*) > 1
),

tied_participants as (
    select distinct participant_id
    from tied_moments
),

-- A moment is all changes of a participant at one instant. One with a single change has nothing to order.
moments as (
    select
        changes.participant_id,
        changes.occurred_at,
        count(*) as changes_then,
        case when count(*) = 1 then min(changes.status) end as only_status,
        case when count(*) = 1 then min(changes.prior_status) end as only_prior_status
    from changes
    inner join tied_participants
        on changes.participant_id = tied_participants.participant_id
    group by changes.participant_id, changes.occurred_at
),

neighbours as (
    select
        *,
        lag(changes_then) over (partition by participant_id order by occurred_at) as changes_before,
        lag(only_status) over (partition by participant_id order by occurred_at) as status_before,
        lead(changes_then) over (partition by participant_id order by occurred_at) as changes_after,
        lead(only_prior_status) over (partition by participant_id order by occurred_at) as prior_status_after
    from moments
),

-- A knot is a run of tied moments: how one is ordered bears on the links of the next.
knots as (
    select
        *,
        count(case when coalesce(changes_before, 1) = 1 then 1 end)
            over (partition by participant_id order by occurred_at rows unbounded preceding) as knot
    from neighbours
    where changes_then > 1
),

placed as (
    select
        *,
        row_number() over (partition by participant_id, knot order by occurred_at) as moment
    from knots
)

select
    changes.participant_id,
    placed.knot,
    placed.moment,
    placed.changes_then,
    row_number() over (
        partition by changes.participant_id, changes.occurred_at
        order by
            changes.status_rank, changes.prior_rank, changes.person_id, changes.study_id
    ) as member,
    changes.occurred_at,
    changes.status,
    changes.prior_status,
    changes.person_id,
    changes.study_id,
    changes.status_rank,
    placed.status_before,
    placed.changes_after = 1 as is_followed,
    placed.prior_status_after
from changes
inner join placed
    on
        changes.participant_id = placed.participant_id
        and changes.occurred_at = placed.occurred_at
