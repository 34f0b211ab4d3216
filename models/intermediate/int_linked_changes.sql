{{ config(materialized='incremental') }}

with

changes as (
    select * from {{ touched_rows_of(ref('int_changes'), ref('int_touched_participants')) }}
),

tie_order as (
    select * from {{ ref('int_tie_order') }}
),

placed as (
    select
        changes.*,
        coalesce(tie_order.tie_position, 0) as tie_position
    from changes
    left join tie_order
        on
            changes.participant_id = tie_order.participant_id
            and changes.occurred_at = tie_order.occurred_at
            and changes.status_rank = tie_order.status_rank
            and changes.prior_rank = tie_order.prior_rank
            and changes.person_id = tie_order.person_id
            and changes.study_id = tie_order.study_id
),

neighbours as (
    select
        *,
        row_number() over in_order as position,
        lag(status) over in_order as status_before,
        lag(status, 2) over in_order as status_before_that,
        lag(occurred_at) over in_order as occurred_before,
        lead(occurred_at) over in_order as ended_at,
        last_value(person_id) over whole_history as last_person_id,
        last_value(study_id) over whole_history as last_study_id
    from placed
    window
        in_order as (partition by participant_id order by occurred_at, tie_position),
        whole_history as (
            partition by participant_id order by occurred_at, tie_position
            rows between unbounded preceding and unbounded following
        )
),

linked as (
    select
        *,
        coalesce(prior_status, '') <> coalesce(status_before, '') as follows_gap,
        prior_status is not null and prior_status <> coalesce(status_before, '') as has_inferred
    from neighbours
),

-- A whole link says that the change before was not lost, if without that change there would be a gap.
judged as (
    select
        *,
        case
            when position = 1 then false
            when follows_gap then true
            else coalesce(status_before_that <> prior_status, false)
        end as tells_of_losses
    from linked
)

select
    participant_id,
    last_person_id as person_id,
    last_study_id as study_id,
    position,
    position + count(case when has_inferred then 1 end)
        over (partition by participant_id order by position rows unbounded preceding) as sequence_number,
    status_before,
    prior_status,
    status,
    occurred_before,
    occurred_at,
    ended_at,
    follows_gap,
    has_inferred,
    tells_of_losses,
    person_id as stated_person_id,
    study_id as stated_study_id,
    deliveries
from judged
