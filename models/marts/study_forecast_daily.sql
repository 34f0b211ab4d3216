{%- set ranges = {'50': 75, '80': 90, '95': 97.5} -%}
with

forecasts as (
    select * from {{ ref('int_forecasts') }}
    where moment = {{ as_of() }}
),

progress as (
    select * from {{ ref('study_progress') }}
),

studies as (
    select * from {{ ref('int_studies') }}
),

active as (
    select
        study_key,
        sum(active) as active
    from {{ ref('int_incidence') }}
    where moment = {{ as_of() }} and step_order = 0 and started_month is null
    group by study_key
)

select
    studies.study_id,
    forecasts.days,
    {%- for range, tail in ranges.items() %}
        {%- set reach = deviations_of(tail) ~ ' * sqrt(forecasts.variance)' %}
        progress.completed + greatest(forecasts.expected - {{ reach }}, 0e0) as low_{{ range }},
        progress.completed + least(forecasts.expected + {{ reach }}, active.active) as high_{{ range }},
    {%- endfor %}
    cast({{ dbt.dateadd('day', 'forecasts.days', report_date(as_of())) }} as date) as day,
    forecasts.expected,
    forecasts.variance,
    forecasts.invited_share,
    progress.completed + forecasts.expected as completed
from forecasts
inner join studies
    on forecasts.study_key = studies.study_key
inner join progress
    on studies.study_id = progress.study_id
inner join active
    on forecasts.study_key = active.study_key
