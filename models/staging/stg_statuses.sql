with

statuses as (
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

filled_in as (
    select
        statuses.*,
        coalesce(statuses.stage_without_incentives, statuses.stage) as other_stage,
        coalesce(statuses.funnel_step, first_step.step) as shown_step
    from statuses
    cross join first_step
)

select
    filled_in.status,
    cast(row_number() over (order by filled_in.status_rank nulls last, filled_in.status) as smallint) as status_rank,
    coalesce(filled_in.label, filled_in.status) as label,

    filled_in.stage as stage_with_incentives,
    filled_in.other_stage as stage_without_incentives,
    cast(stages.stage_order as smallint) as stage_order_with_incentives,
    cast(other_stages.stage_order as smallint) as stage_order_without_incentives,
    filled_in.shown_step as funnel_step,
    cast(steps.step_order as smallint) as step_order,
    coalesce(steps.is_response, false) as is_response,

    filled_in.activity,
    coalesce(filled_in.is_contact, false) as is_contact,
    coalesce(filled_in.is_screener_pass, false) as is_screener_pass,
    coalesce(filled_in.is_moved_by_hand, false) as is_moved_by_hand,
    coalesce(filled_in.stalled_action, 'remind') as stalled_action,
    coalesce(filled_in.is_invitation, false) as is_invitation,
    coalesce(filled_in.is_completion, false) as is_completion,
    coalesce(filled_in.ends_contact, false) as ends_contact,
    filled_in.dashboard_series,

    coalesce(effects.changes_state, false) as changes_state,
    effects.requires_state,
    effects.backlog_state,
    coalesce(effects.is_sent, false) as is_sent,
    coalesce(effects.undoes_completion, false) as undoes_completion,
    coalesce(filled_in.incentive_status, effects.incentive_status) as incentive_status
from filled_in
left join effects
    on filled_in.incentive_effect = effects.incentive_effect
left join stages
    on filled_in.stage = stages.stage
left join stages as other_stages
    on filled_in.other_stage = other_stages.stage
left join steps
    on filled_in.shown_step = steps.step
