{%- set today = report_date(as_of()) -%}
{%- set day = 'cast(' ~ dbt.dateadd('day', 'forecasts.days', today) ~ ' as date)' -%}
{%- set levels = [50, 80, 95] -%}
with

studies as (
    select * from {{ ref('int_studies') }}
),

pace as (
    select
        {%- for weeks in [2, 6] %}
            count(case when completed_at > {{ days_before(as_of(), 7 * weeks) }} then 1 end) / {{ weeks }}e0
                as per_week_{{ weeks }}w,
        {%- endfor %}
        study_key
    from {{ ref('int_completions') }}
    group by study_key
),

invited as (
    select
        study_key,
        sum(active) as active
    from {{ ref('int_incidence') }}
    where moment = {{ as_of() }} and step_order = 0 and started_month is null and study_key is not null
    group by study_key
),

sources as (
    select
        study_key,
        is_own,
        spells,
        max(expected) as expected
    from {{ ref('int_forecasts') }}
    where moment = {{ as_of() }}
    group by study_key, is_own, spells
),

-- `judged_on`: target_on, or the last day that the forecast reaches; today has no row.
ahead as (
    select
        studies.study_key,
        {{ day }} as day,
        least(coalesce(studies.target_on, {{ today }}), max({{ day }}) over (partition by studies.study_key))
            as judged_on,
        forecasts.expected - (studies.aim - progress.completed) + 1e-9 as surplus,
        sqrt(forecasts.variance) as deviation
    from studies
    inner join {{ ref('study_progress') }} as progress
        on studies.study_id = progress.study_id
    inner join {{ ref('int_forecasts') }} as forecasts
        on studies.study_key = forecasts.study_key
    where forecasts.moment = {{ as_of() }} and studies.aim > progress.completed
),

reached as (
    select
        study_key,
        {%- for level in levels %}
            min(case when surplus >= {{ deviations_of(level) }} * deviation then day end) as full_on_{{ level }},
        {%- endfor %}
        min(case when surplus >= -{{ deviations_of(90) }} * deviation then day end) as earliest_80_on,
        min(case when surplus >= {{ deviations_of(90) }} * deviation then day end) as latest_80_on,
        max(
            case
                when day <> judged_on then null
                when deviation > 0 then {{ normal_chance('(surplus / nullif(deviation, 0))') }}
                when surplus >= 0 then 1e0
                else 0e0
            end
        ) as chance
    from ahead
    group by study_key
)

select
    studies.study_id,
    studies.study_name,
    studies.study_type,
    studies.aim as target,
    studies.target_on,
    progress.completed,
    case when studies.aim is not null then greatest(studies.aim - progress.completed, 0) end as remaining,
    progress.completed >= studies.aim as is_full,
    studies.is_closed,
    cast(coalesce(invited.active, 0) as integer) as active,
    sources.expected,
    {%- for level in levels %}
        reached.full_on_{{ level }},
    {%- endfor %}
    reached.earliest_80_on,
    reached.latest_80_on,
    case
        when studies.target_on is null then null
        when progress.completed >= studies.aim then 1e0
        when studies.target_on <= {{ today }} then 0e0
        else {{ rounded('reached.chance', 6) }}
    end as chance_by_target_on,
    {%- for weeks in [2, 6] %}
        coalesce(pace.per_week_{{ weeks }}w, 0e0) as completed_per_week_{{ weeks }}w,
    {%- endfor %}
    case when sources.is_own then 'study' when not sources.is_own then 'type' end as rests_on,
    cast(sources.spells as integer) as spells,
    sources.study_key is null and not studies.is_closed as too_little_known
from studies
inner join {{ ref('study_progress') }} as progress
    on studies.study_id = progress.study_id
left join pace
    on studies.study_key = pace.study_key
left join invited
    on studies.study_key = invited.study_key
left join sources
    on studies.study_key = sources.study_key
left join reached
    on studies.study_key = reached.study_key
