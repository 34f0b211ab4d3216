{%- set exits = ['completed', 'lost'] -%}
{%- set curve = 'partition by study_key, step_order, started_month, moment, study_type order by hours' -%}
with

counted as (
    select
        moment,
        study_key,
        step_order,
        hours,
        24 * cast(ceil(hours / 24e0) as integer) as hours_of_days,
        case
            when step_order = 0 and moment = {{ as_of() }}
                then cast({{ dbt.date_trunc('month', report_date('started_at')) }} as date)
        end as started_month,
        {%- for outcome in exits + ['active'] %}
            count(case when outcome = '{{ outcome }}' then 1 end) as {{ outcome }},
        {%- endfor %}
        count(*) as ended
    from {{ ref('int_spells') }}
    group by all
),

typed as (
    select counted.*, studies.study_type -- noqa: LT09
    from counted
    inner join {{ ref('int_studies') }} as studies
        on counted.study_key = studies.study_key
),

-- One curve for each study, one for all studies of a type, and one, in days, for each month of invitation of a study.
pooled as (
    select
        moment,
        study_key,
        study_type,
        step_order,
        started_month,
        {%- for number in exits + ['active', 'ended'] %}
            cast(sum({{ number }}) as integer) as {{ number }},
        {%- endfor %}
        coalesce(hours, hours_of_days) as hours
    from typed
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

-- Forecasts read all rows of curves that begin with an invitation in any month. Of others, only shown days are kept.
kept_points as (
    select * from at_risk
    where
        (step_order = 0 and started_month is null)
        or hours_before is null
        or (
            hours_before <= 24 * {{ last_shown_day() }}
            and (d > 0 or hours > 24 * {{ last_shown_day() }} or coalesce(shown_day < next_shown_day, true))
        )
),

logged as (
    {{ with_logs('kept_points', {'log_of_stayed': 'case when d < n then 1e0 - d / n else 1e0 end'}) }}
),

summed as (
    select
        *,
        {{ exact_sum('log_of_stayed', 'over (' ~ curve ~ ' rows between unbounded preceding and 1 preceding)') }}
            as log_of_s
    from logged
),

-- `s`: the share that was still active just before.
surviving as (
    {{ with_exponentials('summed', {'s': 'coalesce(log_of_s, 0e0)'}) }}
),

incidence as (
    select
        {%- for exit in exits %}
            {{ exact_sum('s * ' ~ exit ~ ' / n', 'over so_far') }} as f_{{ exit }},
        {%- endfor %}
        *
    from surviving
    window so_far as ({{ curve }} rows unbounded preceding)
)

select
    moment,
    study_key,
    study_type,
    step_order,
    started_month,
    hours,
    {%- for exit in exits %}
        {{ exit }},
        {{ rounded('f_' ~ exit, 10) }} as {{ exit }}_share,
        {{ rounded('(' ~ variance_of_incidence('f_' ~ exit, exit) ~ ')', 15) }} as {{ exit }}_variance,
    {%- endfor %}
    active,
    cast(n as integer) as at_risk,
    cast(n - ended as integer) as at_risk_after,
    {{ rounded('case when d < n then s * (1e0 - d / n) else 0e0 end', 10) }} as active_after
from incidence
window so_far as ({{ curve }} rows unbounded preceding)
