{%- set last_day, last_single_day = 91, 14 -%}
{%- set bounds = ['completed_share', 'completed_low', 'completed_high', 'lost_share', 'lost_low', 'lost_high'] -%}
with

incidence as (
    select
        *,
        -- the first day shown from which on it counts: each for two weeks, then one a week
        case
            when hours = 0 then 1
            when hours <= 24 * {{ last_single_day }} then ceil(hours / 24e0)
            else 7 * ceil(hours / 168e0)
        end as shown_day
    from {{ ref('int_incidence') }}
    where moment = {{ as_of() }}
),

shown_days as (
    select 1 as days
    {%- for day in range(2, last_single_day + 1) | list + range(last_single_day + 7, last_day + 1, 7) | list %}
        union all
        select {{ day }} as days
    {%- endfor %}
),

curves as (
    select
        study_key,
        study_type,
        step_order,
        started_month,
        max(at_risk) as spells,
        max(hours) as longest_hours
    from incidence
    group by study_key, study_type, step_order, started_month
),

counted as (
    select
        *,
        sum(completed) over so_far as completed_so_far,
        sum(lost) over so_far as lost_so_far
    from incidence
    window so_far as (
        partition by study_key, study_type, step_order, started_month order by hours rows unbounded preceding
    )
),

-- The last row before each day that is shown, and one from which every curve starts.
known as (
    select
        study_key,
        study_type,
        step_order,
        started_month,
        {%- for bound in bounds %}
            {{ bound }},
        {%- endfor %}
        shown_day,
        at_risk_after,
        completed_so_far,
        lost_so_far
    from counted
    qualify
        row_number() over (
            partition by study_key, study_type, step_order, started_month, shown_day order by hours desc
        ) = 1
    union all
    select
        study_key,
        study_type,
        step_order,
        started_month,
        {%- for bound in bounds %}
            cast({{ '0' if bound.endswith('_share') else 'null' }} as double) as {{ bound }},
        {%- endfor %}
        0 as shown_day,
        spells as at_risk_after,
        0 as completed_so_far,
        0 as lost_so_far
    from curves
),

spans as (
    select
        *,
        lead(shown_day) over curve as next_day
    from known
    window curve as (partition by study_key, study_type, step_order, started_month order by shown_day)
)

select
    studies.study_id,
    curves.study_type,
    coalesce(steps.step, 'any_invitation') as begins_with,
    curves.started_month,
    shown_days.days,
    {%- for bound in bounds %}
        case when spans.at_risk_after >= 10 then spans.{{ bound }} end as {{ bound }},
    {%- endfor %}
    cast(curves.spells as integer) as spells,
    cast(spans.at_risk_after as integer) as at_risk,
    cast(spans.completed_so_far as integer) as completed,
    cast(spans.lost_so_far as integer) as lost
from curves
inner join shown_days
    on 24 * shown_days.days <= curves.longest_hours
inner join spans
    on
        curves.study_key is not distinct from spans.study_key
        and curves.study_type = spans.study_type
        and curves.step_order = spans.step_order
        and curves.started_month is not distinct from spans.started_month
        and shown_days.days >= spans.shown_day
        and shown_days.days < coalesce(spans.next_day, {{ last_day + 1 }})
left join {{ ref('int_studies') }} as studies
    on curves.study_key = studies.study_key
left join {{ ref('funnel_steps') }} as steps
    on curves.step_order = steps.step_order
