{#- A measure is comparable if it counts at least so many people, and at least so many studies of the type have it. -#}
{%- set min_people, min_studies = 20, 3 -%}
with

progress as (
    select * from {{ ref('study_progress') }}
),

stages as (
    select * from {{ ref('stages') }}
    where not is_terminal
),

recruiting_times as (
    select
        study_id,
        count(*) as counted,
        {{ percentile('hours', 0.5) }} / 24e0 as days
    from {{ ref('time_to_recruit') }}
    group by study_id
),

measures as (
    select
        study_id,
        'no_show_share' as measure,
        cast(null as {{ dbt.type_string() }}) as stage,
        1 - show_rate as value,
        expected_at_interview as counted
    from progress
    where expected_at_interview > 0
    union all
    select
        study_id,
        'screener_pass_rate' as measure,
        cast(null as {{ dbt.type_string() }}) as stage,
        screener_pass_rate as value,
        screened as counted
    from progress
    where screened > 0
    union all
    select
        study_id,
        'days_to_recruit' as measure,
        cast(null as {{ dbt.type_string() }}) as stage,
        days as value,
        counted
    from recruiting_times
    union all
    select
        durations.study_id,
        {{ dbt.concat(["'days_in_'", 'stages.stage_key']) }} as measure,
        stages.stage,
        durations.median_hours / 24e0 as value,
        durations.completed_visits as counted
    from {{ ref('stage_durations') }} as durations
    inner join stages
        on durations.stage = stages.stage
    where durations.completed_visits > 0
),

medians as (
    select
        progress.study_type,
        measures.measure,
        count(*) as studies,
        {{ percentile('measures.value', 0.5) }} as median
    from measures
    inner join progress
        on measures.study_id = progress.study_id
    group by progress.study_type, measures.measure
),

compared as (
    select
        measures.*,
        progress.study_name,
        progress.study_type,
        medians.studies,
        medians.median,
        measures.measure in ('no_show_share', 'screener_pass_rate') as is_share,
        -- A low pass rate is worse; of all other measures, a high value is worse.
        case when measures.measure = 'screener_pass_rate' then medians.median else measures.value end as worse,
        case when measures.measure = 'screener_pass_rate' then measures.value else medians.median end as better
    from measures
    inner join progress
        on measures.study_id = progress.study_id
    inner join medians
        on progress.study_type = medians.study_type and measures.measure = medians.measure
),

judged as (
    select
        *,
        worse / nullif(better, 0) as times_worse,
        counted >= {{ min_people }} and studies >= {{ min_studies }} as is_comparable
    from compared
)

select
    study_id,
    study_name,
    study_type,
    measure,
    stage,
    cast(counted as integer) as counted,
    case when is_share then value end as share_of_study,
    case when is_share then median end as share_of_type,
    case when not is_share then value end as days_of_study,
    case when not is_share then median end as days_of_type,
    cast(studies as integer) as studies_of_type,
    times_worse,
    is_comparable,
    cast(row_number() over (
        order by
            is_comparable desc, times_worse is null and worse > 0 desc, times_worse desc nulls last,
            study_id asc, measure asc
    ) as integer) as place
from judged
