{%- set exits = ['completed', 'lost'] -%}
{%- set curve = 'partition by moment, study_key, study_type, step_order, started_month order by hours' -%}
with

counted as (
    select
        spells.moment,
        spells.study_key,
        studies.study_type,
        spells.step_order,
        spells.hours,
        24 * cast(ceil(spells.hours / 24e0) as integer) as hours_of_days,
        case
            when spells.step_order = 0 and spells.moment = {{ as_of() }}
                then cast({{ dbt.date_trunc('month', report_date('spells.started_at')) }} as date)
        end as started_month,
        {%- for outcome in exits + ['active'] %}
            count(case when spells.outcome = '{{ outcome }}' then 1 end) as {{ outcome }},
        {%- endfor %}
        count(*) as ended
    from {{ ref('int_spells') }} as spells
    inner join {{ ref('int_studies') }} as studies
        on spells.study_key = studies.study_key
    group by all
),

-- A curve each for a study, for all studies of its type, and, in begun days, for each month of invitation of a study.
pooled as (
    select
        moment,
        study_key,
        study_type,
        step_order,
        started_month,
        coalesce(hours, hours_of_days) as hours,
        {%- for outcome in exits + ['active'] %}
            sum({{ outcome }}) as {{ outcome }},
        {%- endfor %}
        sum(ended) as ended
    from counted
    group by grouping sets ( -- noqa: PRS
        (moment, study_key, study_type, step_order, hours),
        (moment, study_type, step_order, hours),
        (moment, study_key, study_type, step_order, started_month, hours_of_days)
    )
    having grouping(started_month) = 1 or started_month is not null
),

at_risk as (
    select
        *,
        cast(completed + lost as double) as d,
        cast(sum(ended) over ({{ curve }} rows between current row and unbounded following) as double) as n,
        {{ shown_day('hours') }} as shown_day,
        lead({{ shown_day('hours') }}) over ({{ curve }}) as next_shown_day,
        lag(hours) over ({{ curve }}) as hours_before
    from pooled
),

-- `s`: the share that is still active just before. Forecasts read all times of invitations of all months; of other
-- curves, what nobody sees is left out.
surviving as (
    select
        *,
        {{ exponential('coalesce(' ~ exact_sum(
            'case when d < n then ' ~ natural_log('(1e0 - d / n)') ~ ' else 0e0 end',
            'over (' ~ curve ~ ' rows between unbounded preceding and 1 preceding)'
        ) ~ ', 0e0)') }} as s
    from at_risk
    where
        (step_order = 0 and started_month is null)
        or hours_before is null
        or (
            hours_before <= 24 * {{ last_shown_day() }}
            and (d > 0 or hours > 24 * {{ last_shown_day() }} or coalesce(shown_day < next_shown_day, true))
        )
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
        {{ rounded('variance_' ~ exit, 15) }} as {{ exit }}_variance,
    {%- endfor %}
    cast(active as integer) as active,
    cast(n as integer) as at_risk,
    cast(n - ended as integer) as at_risk_after,
    {{ rounded('case when d < n then s * (1e0 - d / n) else 0e0 end', 10) }} as active_after
from varying
