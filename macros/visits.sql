{#- Queries shared by int_stage_visits and int_status_visits, and by the models that summarise them. A visit is an
    unbroken run of changes in one stage or one status. -#}

{#- One row per visit. `level`: status or stage; `with_days`: adds the days on which the visit began and ended. A run
    that has only inferred changes has no known duration, so it is not a visit. It still ends the visit before, and the
    next delivered change starts a new visit (see int_status_changes). Repeated visits of a participant are summed as
    whole microseconds, so that the result does not depend on the order. -#}
{% macro visits(column, level, with_days) -%}
with

spans as (
    select
        participant_key,
        study_key,
        sequence_number,
        {{ column }},
        occurred_at as started_at,
        {%- if with_days %}
            occurred_on as started_on,
            lead(occurred_on) over in_order as ended_on,
        {%- endif %}
        lead(occurred_at) over in_order as ended_at
    from {{ touched_rows_of(ref('int_status_changes'), ref('stg_touched_participants')) }}
    where starts_{{ level }}_visit
    window in_order as (partition by participant_key order by sequence_number)
),

-- Few participants come back to a {{ level }}. Grouping finds them without sorting all visits.
repeated as (
    select
        participant_key,
        {{ column }},
        min(sequence_number) as first_number,
        sum({{ microseconds_between('started_at', 'ended_at') }}) as microseconds
    from spans
    group by participant_key, {{ column }}
    having count(*) > 1
),

visits as (
    select
        spans.*,
        repeated.microseconds,
        coalesce(spans.sequence_number = repeated.first_number, true) as is_first_visit,
        {{ hours_between('spans.started_at', 'spans.ended_at') }} as completed_hours
    from spans
    left join repeated
        on
            spans.participant_key = repeated.participant_key
            and spans.{{ column }} = repeated.{{ column }}
)

select
    participant_key,
    study_key,
    sequence_number,
    {{ column }},
    started_at,
    ended_at,
    {%- if with_days %}
        started_on,
        ended_on,
    {%- endif %}
    completed_hours,
    ended_at is null as is_open,
    is_first_visit,
    case
        when is_first_visit then coalesce({{ hours_of('cast(microseconds as bigint)') }}, completed_hours)
    end as participant_hours
from visits
{%- endmacro %}

{#- One row per study and stage (or status): the durations of its visits. -#}
{% macro visit_durations(visits, column) -%}
select
    study_key,
    {{ column }},

    cast(count(case when is_first_visit then 1 end) as integer) as participants,
    cast(count(*) as integer) as visits,
    cast(count(completed_hours) as integer) as completed_visits,
    cast(count(*) - count(completed_hours) as integer) as open_visits,

    {{ percentile('completed_hours', 0.5, [0.5, 0.9]) }} as median_hours,
    {{ percentile('completed_hours', 0.9, [0.5, 0.9]) }} as p90_hours,
    max(completed_hours) as max_hours,
    {{ percentile('participant_hours', 0.5) }} as median_hours_per_participant,
    {{ hours_between("min(case when is_open then started_at end)", as_of()) }} as oldest_open_hours
from {{ visits }}
group by study_key, {{ column }}
{%- endmacro %}

{#- The stage order of a status, which depends on whether the study pays incentives. `statuses`: the relation of
    statuses. -#}
{% macro stage_in_study(statuses) -%}
    case
        when pays_incentives then {{ statuses }}.stage_order_with_incentives
        else {{ statuses }}.stage_order_without_incentives
    end
{%- endmacro %}
