{%- set exits = ['completed', 'lost'] -%}
{%- set curve = 'partition by moment, study_key, study_type, step_order, started_month order by hours' -%}
with

spells as (
    select
        *,
        24 * cast(ceil(hours / 24e0) as integer) as hours_of_days,
        case when step_order = 0 then {{ dbt.date_trunc('month', report_date('started_at')) }} end as started_month
    from {{ ref('int_spells') }}
),

counted as (
    select
        moment,
        study_key,
        step_order,
        cast(started_month as date) as started_month,
        hours,
        hours_of_days,
        count(case when outcome = 'completed' then 1 end) as completed,
        count(case when outcome = 'lost' then 1 end) as lost,
        count(case when outcome = 'active' then 1 end) as active,
        count(*) as ended
    from spells
    group by moment, study_key, step_order, cast(started_month as date), hours, hours_of_days
),

-- A curve each for a study, for all studies of its type, and, in begun days, for each month of invitation of a study.
pooled as (
    {%- for study, month, hours in [
        ('counted.study_key', 'null', 'hours'),
        ('null', 'null', 'hours'),
        ('counted.study_key', 'counted.started_month', 'hours_of_days'),
    ] %}
        select
            counted.moment,
            studies.study_type,
            counted.step_order,
            {%- for count in ['completed', 'lost', 'active', 'ended'] %}
                sum(counted.{{ count }}) as {{ count }},
            {%- endfor %}
            {{ study }} as study_key, -- noqa: AL09
            {{ month }} as started_month, -- noqa: AL09
            counted.{{ hours }} as hours -- noqa: AL09
        from counted
        inner join {{ ref('int_studies') }} as studies
            on counted.study_key = studies.study_key
        {% if month != 'null' %}where counted.started_month is not null{% endif %}
        group by all
        {% if not loop.last %}union all{% endif %}
    {%- endfor %}
),

at_risk as (
    select
        *,
        cast(completed + lost as double) as d,
        cast(sum(ended) over ({{ curve }} rows between current row and unbounded following) as double) as n,
        ceil(hours / 24e0) as days,
        lead(ceil(hours / 24e0)) over ({{ curve }}) as next_days,
        lag(hours) over ({{ curve }}) as hours_before
    from pooled
),

-- `s`: the share that is still active just before.
surviving as (
    select
        *,
        {{ exponential('coalesce(' ~ exact_sum(
            'case when d < n then ' ~ natural_log('(1e0 - d / n)') ~ ' else 0e0 end',
            'over (' ~ curve ~ ' rows between unbounded preceding and 1 preceding)'
        ) ~ ', 0e0)') }} as s
    from at_risk
    where
        d > 0
        or (active > 0 and step_order = 0 and started_month is null)
        or hours_before is null
        or coalesce(days < next_days, true)
),

incidence as (
    select
        {%- for exit in exits %}
            {{ exact_sum('s * ' ~ exit ~ ' / n', 'over so_far') }} as f_{{ exit }},
        {%- endfor %}
        *
    from surviving
    window so_far as ({{ curve }} rows unbounded preceding)
),

varying as (
    select
        {%- for exit in exits %}
            {{ variance_of_incidence('f_' ~ exit, exit) }} as variance_{{ exit }},
        {%- endfor %}
        *
    from incidence
    window so_far as ({{ curve }} rows unbounded preceding)
)

select
    moment,
    study_key,
    study_type,
    step_order,
    started_month,
    cast(hours as integer) as hours,
    {%- for exit in exits %}
        cast({{ exit }} as integer) as {{ exit }},
        {{ rounded('f_' ~ exit, 10) }} as {{ exit }}_share,
        {{ incidence_bound('low', 'f_' ~ exit, 'variance_' ~ exit) }} as {{ exit }}_low,
        {{ incidence_bound('high', 'f_' ~ exit, 'variance_' ~ exit) }} as {{ exit }}_high,
    {%- endfor %}
    cast(active as integer) as active,
    cast(n as integer) as at_risk,
    cast(n - ended as integer) as at_risk_after,
    {{ rounded('case when d < n then s * (1e0 - d / n) else 0e0 end', 10) }} as active_after
from varying
