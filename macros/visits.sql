{#- The queries that int_stage_visits and int_status_visits share, and those that sum them up: a visit is an unbroken
    run of one stage or one status. -#}

{#- One row per visit. A run of inferred changes alone took no known time, so it is no visit, but it ends the one before.
    Such a run is always a single change: the change that it was inferred from follows at once. -#}
{% macro visits(column) -%}
with

changes as (
    select
        participant_key,
        study_key,
        sequence_number,
        {{ column }},
        occurred_at,
        is_inferred
    from {{ touched_rows_of(ref('int_status_changes'), ref('stg_touched_participants')) }}
),

beginnings as (
    select
        participant_key,
        study_key,
        sequence_number,
        {{ column }},
        occurred_at,
        is_inferred and coalesce(lead({{ column }}) over in_order <> {{ column }}, true) as is_inferred_alone
    from changes
    window in_order as (partition by participant_key order by sequence_number)
    qualify coalesce(lag({{ column }}) over in_order <> {{ column }}, true)
),

runs as (
    select
        *,
        lead(occurred_at) over (partition by participant_key order by sequence_number) as ended_at
    from beginnings
)

select
    participant_key,
    study_key,
    sequence_number,
    {{ column }},
    occurred_at as started_at,
    ended_at,
    ended_at is null as is_open,
    {{ hours_between('occurred_at', 'ended_at') }} as completed_hours
from runs
where not is_inferred_alone
{%- endmacro %}

{#- One row per study and stage (or status): how long its visits took. A participant's repeated visits
    are summed as decimals (of seconds), so that the order of summing does not show. -#}
{% macro visit_durations(visits, column) -%}
with

visits as (
    select
        study_key,
        {{ column }},
        started_at,
        is_open,
        completed_hours
    from {{ visits }}
),

visits_of_participants as (
    select
        participant_key,
        study_key,
        {{ column }},
        completed_hours
    from {{ visits }}
),

by_visit as (
    select
        study_key,
        {{ column }},
        count(*) as visits,
        count(completed_hours) as completed_visits,
        count(*) - count(completed_hours) as open_visits,
        median(completed_hours) as median_hours,
        percentile_cont(0.9) within group (order by completed_hours) as p90_hours,
        max(completed_hours) as max_hours,
        min(case when is_open then started_at end) as oldest_open_since
    from visits
    group by study_key, {{ column }}
),

participants as (
    select
        study_key,
        {{ column }},
        cast(sum(cast(completed_hours * 3600 as decimal(18, 6))) as double) / 3600 as completed_hours
    from visits_of_participants
    group by study_key, {{ column }}, participant_key
),

by_participant as (
    select
        study_key,
        {{ column }},
        count(*) as participants,
        median(completed_hours) as median_hours_per_participant
    from participants
    group by study_key, {{ column }}
)

select
    by_visit.study_key,
    by_visit.{{ column }},

    cast(by_participant.participants as integer) as participants,
    cast(by_visit.visits as integer) as visits,
    cast(by_visit.completed_visits as integer) as completed_visits,
    cast(by_visit.open_visits as integer) as open_visits,

    by_visit.median_hours,
    by_visit.p90_hours,
    by_visit.max_hours,
    by_participant.median_hours_per_participant,
    by_visit.oldest_open_since
from by_visit
inner join by_participant
    on
        by_visit.study_key = by_participant.study_key
        and by_visit.{{ column }} = by_participant.{{ column }}
{%- endmacro %}
