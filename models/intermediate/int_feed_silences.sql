with

hours as (
    select * from {{ ref('int_feed_hours') }}
),

participants as (
    select
        study_key,
        stage_order
    from {{ ref('int_participants') }}
),

stages as (
    select * from {{ ref('stages') }}
),

studies as (
    select * from {{ ref('int_studies') }}
),

active_studies as (
    select distinct participants.study_key
    from participants
    inner join stages
        on participants.stage_order = stages.stage_order
    where stages.is_active
),

-- Only open studies with active participants are expected to have changes.
watched_studies as (
    select
        studies.study_key,
        studies.study_id
    from studies
    inner join active_studies
        on studies.study_key = active_studies.study_key
    where not studies.is_closed
),

-- One row per hour with changes, for the whole feed and for each watched study.
feed_hours as (
    select
        'feed' as scope,
        cast(null as {{ dbt.type_string() }}) as study_id,
        min(first_change_at) as first_change_at,
        max(last_change_at) as last_change_at
    from hours
    group by hour
    union all
    select
        'study' as scope,
        watched_studies.study_id,
        hours.first_change_at,
        hours.last_change_at
    from hours
    inner join watched_studies
        on hours.study_key = watched_studies.study_key
),

silences as (
    select
        scope,
        study_id,
        min(first_change_at) over (partition by scope, study_id) as feed_began_at,
        last_change_at as silent_since,
        lead(first_change_at) over (partition by scope, study_id order by first_change_at) as silent_until
    from feed_hours
)

select
    scope,
    study_id,
    feed_began_at,
    silent_since,
    silent_until,
    {{ hours_between('silent_since', 'coalesce(silent_until, ' ~ as_of() ~ ')') }} as silence_hours
from silences
