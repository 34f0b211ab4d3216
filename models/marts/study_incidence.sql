{%- set last_single_day, last_day, fewest, exits = last_single_day(), last_shown_day(), 10, ['completed', 'lost'] -%}
{%- set curve = 'study_key, study_type, step_order, started_month' -%}
with

incidence as (
    select
        *,
        {{ shown_day('hours') }} as shown_day
    from {{ ref('int_incidence') }}
    where moment = {{ as_of() }}
),

shown_days as (
    {{ numbered('days', range(1, last_single_day + 1) | list + range(last_single_day + 7, last_day + 1, 7) | list) }}
),

counted as (
    select
        *,
        max(at_risk) over (partition by {{ curve }}) as spells,
        {%- for exit in exits %}
            sum({{ exit }}) over so_far as {{ exit }}_so_far,
        {%- endfor %}
        max(hours) over (partition by {{ curve }}) as longest_hours
    from incidence
    window so_far as (partition by {{ curve }} order by hours rows unbounded preceding)
),

-- The last row of a curve up to each shown day, and a first row for every curve.
known as (
    select
        {{ curve }},
        {%- for exit in exits %}
            {{ exit }}_so_far,
            {{ exit }}_share,
            {{ exit }}_variance,
        {%- endfor %}
        at_risk_after,
        spells,
        longest_hours,
        shown_day
    from counted
    qualify row_number() over (partition by {{ curve }}, shown_day order by hours desc) = 1
    union all
    select distinct
        {{ curve }},
        {%- for exit in exits %}
            0 as {{ exit }}_so_far,
            0e0 as {{ exit }}_share,
            0e0 as {{ exit }}_variance,
        {%- endfor %}
        spells as at_risk_after,
        spells,
        longest_hours,
        0 as shown_day
    from counted
),

spans as (
    select
        *,
        lead(shown_day) over (partition by {{ curve }} order by shown_day) as next_day
    from known
),

banded as (
    {{ with_bands('spans', exits) }}
)

select
    studies.study_id,
    spans.study_type,
    coalesce(steps.step, 'any_invitation') as begins_with,
    spans.started_month,
    shown_days.days,
    {%- for exit in exits %}
        {%- for value in ['share', 'low', 'high'] %}
            case when spans.at_risk_after >= {{ fewest }} then spans.{{ exit }}_{{ value }} end
                as {{ exit }}_{{ value }},
        {%- endfor %}
        cast(spans.{{ exit }}_so_far as integer) as {{ exit }},
    {%- endfor %}
    cast(spans.spells as integer) as spells,
    cast(spans.at_risk_after as integer) as at_risk
from banded as spans
inner join shown_days
    on
        spans.shown_day <= shown_days.days
        and coalesce(spans.next_day, {{ last_day + 1 }}) > shown_days.days
        and spans.longest_hours >= 24 * shown_days.days
left join {{ ref('int_studies') }} as studies
    on spans.study_key = studies.study_key
left join {{ ref('funnel_steps') }} as steps
    on spans.step_order = steps.step_order
