with

participant_statuses as (
    select * from {{ ref('participant_statuses') }}
),

effects as (
    select * from {{ ref('incentive_effects') }}
),

stages as (
    select * from {{ ref('stages') }}
),

steps as (
    select * from {{ ref('funnel_steps') }}
),

first_step as (
    select step from steps
    qualify row_number() over (order by step_order, step) = 1
),

-- A status without a funnel step shows the first step. One without a stage for unpaid studies keeps its usual stage.
statuses as (
    select
        participant_statuses.*,
        coalesce(participant_statuses.stage_without_incentives, participant_statuses.stage) as unpaid_stage,
        coalesce(participant_statuses.funnel_step, first_step.step) as shown_step
    from participant_statuses
    cross join first_step
)

select
    statuses.status,
    cast(row_number() over (order by statuses.status_rank nulls last, statuses.status) as smallint) as status_rank,
    coalesce(statuses.label, statuses.status) as label,

    statuses.stage as stage_with_incentives,
    statuses.unpaid_stage as stage_without_incentives,
    cast(stages.stage_order as smallint) as stage_order_with_incentives,
    cast(unpaid_stages.stage_order as smallint) as stage_order_without_incentives,
    statuses.shown_step as funnel_step,
    cast(steps.step_order as smallint) as step_order,
    coalesce(steps.is_response, false) as is_response,

    statuses.activity,
    coalesce(statuses.is_contact, false) as is_contact,
    coalesce(statuses.is_screener_pass, false) as is_screener_pass,
    coalesce(statuses.is_moved_by_hand, false) as is_moved_by_hand,
    coalesce(statuses.stalled_action, 'remind') as stalled_action,
    coalesce(statuses.is_invitation, false) as is_invitation,
    coalesce(statuses.is_completion, false) as is_completion,
    coalesce(statuses.ends_contact, false) as ends_contact,
    statuses.dashboard_series,

    coalesce(effects.changes_state, false) as changes_state,
    effects.requires_state,
    effects.backlog_state,
    coalesce(effects.is_sent, false) as is_sent,
    coalesce(effects.undoes_completion, false) as undoes_completion,
    coalesce(statuses.incentive_status, effects.incentive_status) as incentive_status
from statuses
left join effects
    on statuses.incentive_effect = effects.incentive_effect
left join stages
    on statuses.stage = stages.stage
left join stages as unpaid_stages
    on statuses.unpaid_stage = unpaid_stages.stage
left join steps
    on statuses.shown_step = steps.step
