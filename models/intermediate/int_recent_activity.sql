{{ config(materialized='incremental', incremental_strategy='by_person') }}
{%- set completions = ['interviews_completed', 'surveys_completed', 'tests_completed'] -%}
with

changes as (
    select
        person_key,
        status_rank,
        occurred_at
    from {{ touched_rows_of(ref('int_status_changes'), ref('int_touched_people')) }}
    where not is_inferred and occurred_at > {{ days_before(as_of(), 365) }}
),

statuses as (
    select
        status_rank,
        is_contact,
        dashboard_series
    from {{ ref('stg_statuses') }}
    where
        is_contact
        or dashboard_series in (
            '{{ completions | join("', '") }}'
        )
),

changes_in_windows as (
    select
        changes.person_key,
        statuses.is_contact,
        statuses.dashboard_series,
        changes.occurred_at > {{ days_before(as_of(), 30) }} as in_30d,
        changes.occurred_at > {{ days_before(as_of(), 90) }} as in_90d
    from changes
    inner join statuses
        on changes.status_rank = statuses.status_rank
)

select
    person_key,
    {%- for series in completions %}
        count(case when dashboard_series = '{{ series }}' and in_30d then 1 end) as {{ series }}_30d,
        count(case when dashboard_series = '{{ series }}' and in_90d then 1 end) as {{ series }}_90d,
        count(case when dashboard_series = '{{ series }}' then 1 end) as {{ series }}_365d,
    {%- endfor %}
    count(case when is_contact and in_30d then 1 end) as contacts_30d,
    count(case when is_contact and in_90d then 1 end) as contacts_90d
from changes_in_windows
group by person_key
