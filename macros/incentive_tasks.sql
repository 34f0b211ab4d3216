{#- One row per participant in the incentive backlog, with what someone needs to act on it. An incentive whose email
    bounced must be sent again. Any other incentive that was sent must be claimed by the participant. -#}
{% macro incentive_tasks() -%}
    select
        backlog.*,
        described.study_name,
        cast(floor(backlog.age_days) as integer) as days_waiting,
        states.is_sent,
        states.is_sent and not states.is_conditional as is_to_be_claimed,
        case when backlog.is_study_closed then 'reopen the study, then ' else '' end as first_action
    from {{ ref('incentive_backlog') }} as backlog
    inner join (
        select distinct
            backlog_state,
            is_sent,
            requires_state is not null as is_conditional
        from {{ ref('stg_statuses') }}
    ) as states
        on backlog.backlog_state = states.backlog_state
    left join {{ ref('stg_studies') }} as described
        on backlog.study_id = described.study_id
{%- endmacro %}
