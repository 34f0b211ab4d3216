{{ config(materialized='view') }}
{%- set horizons, levels = [7, 14, 28], [50, 80, 95] -%}
with

outcomes as (
    select * from {{ ref('int_forecast_outcomes') }}
),

sure as (
    {%- for level in levels %}
        select
            *,
            {{ level }} as confidence,
            expected - {{ deviations_of(level) }} * deviation + 1e-9 as at_least
        from outcomes
        where coalesce(remaining > 0, true)
        {%- if not loop.last %}
        union all
        {%- endif %}
    {%- endfor %}
),

statements as (
    select
        *,
        'full_by' as statement,
        remaining as number
    from sure
    where at_least >= remaining
    qualify row_number() over (partition by moment, study_key, confidence order by days) = 1
    union all
    select
        *,
        'at_least' as statement,
        least(cast(floor(at_least) as bigint), remaining) as number
    from sure
    where at_least >= 1 and days in ({{ horizons | join(', ') }})
),

judged as (
    select
        *,
        (expected - number) / nullif(deviation, 0) as z,
        {{ days_before('moment', '-days') }} as judged_at
    from statements
)

select
    moment,
    study_key,
    statement,
    cast(confidence as integer) as confidence,
    cast(days as integer) as days,
    judged_at,
    cast(number as integer) as number,
    case when z is null then 1e0 else {{ normal_chance('z') }} end as chance,
    cast(case when judged_at <= {{ as_of() }} then came end as integer) as came,
    case when judged_at <= {{ as_of() }} then came >= number end as came_true,
    case when judged_at <= {{ as_of() }} and statement = 'full_by' then remaining_then <= 0 end as was_full
from judged
