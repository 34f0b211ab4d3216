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

placed as (
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

in_order as (
    select
        participant_key,
        last_value(person_key) over whole_history as person_key,
        last_value(study_key) over whole_history as study_key,
        row_number() over history as position,
        lag(status_rank, 2, 0) over history as rank_before_that,
        lag(status_rank, 1, 0) over history as rank_before,
        prior_rank,
        status_rank,
        lag(occurred_at) over history as occurred_before,
        occurred_at,
        lead(occurred_at) over history as ended_at,
        deliveries
    from placed
    window
        history as (partition by participant_key order by occurred_at, tie_position),
        whole_history as (
            partition by participant_key order by occurred_at, tie_position
            rows between unbounded preceding and unbounded following
        )
),

-- A whole link says that the change before was not lost, if without that change there would be a gap.
linked as (
    select
        *,
        prior_rank <> rank_before as follows_gap,
        position > 1 and (prior_rank <> rank_before or rank_before_that not in (0, prior_rank)) as tells_of_losses,
        case when prior_rank not in (0, rank_before) then 2 else 1 end as changes
    from in_order
),

numbered as (
    select
        *,
        sum(changes) over (partition by participant_key order by position rows unbounded preceding) as sequence_number
    from linked
),

-- The change itself, and before it, where its prior status was not told of, the inferred change to that.
all_changes as (
    select
        numbered.*,
        kinds.is_inferred,
        coalesce(studies.incentives_enabled, true) as pays_incentives,
        case when kinds.is_inferred then numbered.prior_rank else numbered.status_rank end as reached_rank,
        case when numbered.changes = 2 and not kinds.is_inferred then numbered.prior_rank else numbered.rank_before end
            as left_rank
    from numbered
    inner join (values (1, false), (2, false), (2, true)) as kinds (changes, is_inferred)
        on numbered.changes = kinds.changes
    left join {{ ref('stg_studies') }} as studies
        on numbered.study_key = {{ id_key('studies.study_id') }}
)

select
    all_changes.participant_key,
    all_changes.person_key,
    all_changes.study_key,
    cast(all_changes.sequence_number - cast(all_changes.is_inferred as integer) as integer) as sequence_number,
    case when not all_changes.is_inferred then cast(all_changes.position as integer) end as position,
    cast(case when not all_changes.is_inferred then all_changes.rank_before else 0 end as smallint) as rank_before,
    cast(case when not all_changes.is_inferred then all_changes.prior_rank else 0 end as smallint) as prior_rank,
    reached.status_rank,
    {{ stage_in_study('reached') }} as stage_order,

    -- An inferred change took no time: a visit starts with it if it goes on with the change that tells of it.
    reached.status_rank = told.status_rank and reached.status_rank <> all_changes.left_rank as starts_status_visit,
    stage_order = {{ stage_in_study('told') }} and coalesce({{ stage_in_study('departed') }} <> stage_order, true)
        as starts_stage_visit,

    all_changes.occurred_before,
    all_changes.occurred_at,
    {{ report_date('all_changes.occurred_at') }} as occurred_on,
    case when all_changes.is_inferred then all_changes.occurred_at else all_changes.ended_at end as ended_at,
    all_changes.ended_at is null and not all_changes.is_inferred as is_current,
    all_changes.is_inferred,
    all_changes.follows_gap and not all_changes.is_inferred as follows_gap,
    all_changes.tells_of_losses and not all_changes.is_inferred as tells_of_losses,
    case when all_changes.is_inferred then 0 else all_changes.deliveries end as deliveries
from all_changes
inner join statuses as reached
    on all_changes.reached_rank = reached.status_rank
inner join statuses as told
    on all_changes.status_rank = told.status_rank
left join statuses as departed
    on all_changes.left_rank = departed.status_rank
