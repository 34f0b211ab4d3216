{{ config(materialized='incremental') }}

with

changes as (
    select * from {{ touched_rows_of(ref('stg_changes'), ref('stg_touched_participants')) }}
    where occurred_at <= {{ as_of() }}
),

tie_order as (
    select * from {{ ref('int_tie_order') }}
),

statuses as (
    select * from {{ ref('stg_statuses') }}
),

changes_with_tie_position as (
    select
        changes.*,
        coalesce(tie_order.tie_position, 0) as tie_position
    from changes
    left join tie_order
        on
            changes.participant_key = tie_order.participant_key
            and changes.occurred_at = tie_order.occurred_at
            and changes.status_rank = tie_order.status_rank
            and changes.prior_rank = tie_order.prior_rank
            and changes.person_key = tie_order.person_key
            and changes.study_key = tie_order.study_key
),

-- If a participant's changes name different people or studies, the last change decides.
ordered as (
    select
        participant_key,
        last_value(person_key) over whole_history as person_key,
        last_value(study_key) over whole_history as study_key,
        row_number() over history as position,
        lag(status_rank, 2, 0) over history as second_rank_before,
        lag(status_rank, 1, 0) over history as rank_before,
        prior_rank,
        status_rank,
        lag(occurred_at) over history as occurred_before,
        occurred_at,
        lead(occurred_at) over history as ended_at,
        deliveries
    from changes_with_tie_position
    window
        history as (partition by participant_key order by occurred_at, tie_position),
        whole_history as (
            partition by participant_key order by occurred_at, tie_position
            rows between unbounded preceding and unbounded following
        )
),

-- A link to the previous change can show a loss if it is broken, or if the loss of that change would have broken it.
linked as (
    select
        *,
        prior_rank <> rank_before as follows_gap,
        position > 1 and (prior_rank <> rank_before or second_rank_before not in (0, prior_rank)) as can_show_loss,
        prior_rank not in (0, rank_before) as follows_inferred,
        position + count(case when prior_rank not in (0, rank_before) then 1 end) over (
            partition by participant_key order by position rows unbounded preceding
        ) as sequence_number
    from ordered
),

-- One row per delivered change. If no change to its prior status was delivered, an inferred one comes before it.
all_changes as (
    select
        linked.*,
        kinds.is_inferred,
        coalesce(studies.incentives_enabled, true) as pays_incentives,
        case when kinds.is_inferred then linked.prior_rank else linked.status_rank end as reached_rank,
        case when kinds.is_inferred or linked.prior_rank = 0 then linked.rank_before else linked.prior_rank end
            as previous_rank
    from linked
    inner join (values (false, false), (true, false), (true, true)) as kinds (follows_inferred, is_inferred)
        on linked.follows_inferred = kinds.follows_inferred
    left join {{ ref('stg_studies') }} as studies
        on linked.study_key = {{ id_key('studies.study_id') }}
)

select
    all_changes.participant_key,
    all_changes.person_key,
    all_changes.study_key,
    cast(all_changes.sequence_number - cast(all_changes.is_inferred as integer) as integer) as sequence_number,
    case when not all_changes.is_inferred then cast(all_changes.position as integer) end as position,
    cast(case when not all_changes.is_inferred then all_changes.rank_before else 0 end as smallint) as rank_before,
    cast(case when not all_changes.is_inferred then all_changes.prior_rank else 0 end as smallint) as prior_rank,
    statuses.status_rank,
    {{ stage_in_study('statuses') }} as stage_order,

    -- An inferred change lasts no time, so it starts a visit only if the delivered change continues that visit.
    statuses.status_rank = delivered_statuses.status_rank
    and statuses.status_rank <> all_changes.previous_rank as starts_status_visit,
    stage_order = {{ stage_in_study('delivered_statuses') }}
    and coalesce({{ stage_in_study('previous_statuses') }} <> stage_order, true) as starts_stage_visit,

    all_changes.occurred_before,
    all_changes.occurred_at,
    {{ report_date('all_changes.occurred_at') }} as occurred_on,
    case when all_changes.is_inferred then all_changes.occurred_at else all_changes.ended_at end as ended_at,
    all_changes.ended_at is null and not all_changes.is_inferred as is_current,
    all_changes.is_inferred,
    all_changes.follows_gap and not all_changes.is_inferred as follows_gap,
    all_changes.can_show_loss and not all_changes.is_inferred as can_show_loss,
    case when all_changes.is_inferred then 0 else all_changes.deliveries end as deliveries
from all_changes
inner join statuses
    on all_changes.reached_rank = statuses.status_rank
inner join statuses as delivered_statuses
    on all_changes.status_rank = delivered_statuses.status_rank
left join statuses as previous_statuses
    on all_changes.previous_rank = previous_statuses.status_rank
