with

statuses as (
    select * from {{ ref('participant_statuses') }}
),

effects as (
    select * from {{ ref('incentive_effects') }}
),

first_step as (
    select * from {{ ref('funnel_steps') }}
    qualify row_number() over (order by step_order, step) = 1
),

ranked as (
    select
        statuses.status,
        row_number() over (order by statuses.status_rank nulls last, statuses.status) as status_rank,
        coalesce(statuses.label, statuses.status) as label,

        statuses.stage as stage_with_incentives,
        coalesce(statuses.stage_without_incentives, statuses.stage) as stage_without_incentives,
        coalesce(statuses.funnel_step, first_step.step) as funnel_step,
        statuses.activity,
        coalesce(statuses.is_contact, false) as is_contact,
        coalesce(statuses.is_screener_pass, false) as is_screener_pass,
        coalesce(statuses.is_moved_by_hand, false) as is_moved_by_hand,
        coalesce(statuses.is_invitation, false) as is_invitation,
        coalesce(statuses.is_completion, false) as is_completion,
        coalesce(statuses.ends_contact, false) as ends_contact,
        statuses.dashboard_series,

        coalesce(effects.changes_state, false) as changes_state,
        effects.requires_state,
        effects.backlog_state,
        coalesce(effects.undoes_completion, false) as undoes_completion,
        coalesce(statuses.incentive_status, effects.incentive_status) as incentive_status
    from statuses
    cross join first_step
    left join effects
        on statuses.incentive_effect = effects.incentive_effect
)

select * from ranked
