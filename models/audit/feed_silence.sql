with

silences as (
    select * from {{ ref('int_feed_silences') }}
),

ended_silences as (
    select
        scope,
        study_id,
        silent_until,
        silence_hours
    from {{ ref('int_feed_silences') }}
    where silent_until is not null
),

-- For a study, only a silence that has not ended counts. During earlier ones, it may have had no active participants.
long_silences as (
    select * from silences
    where
        silence_hours >= {{ var('silence_min_hours') }}
        and {{ days_between('feed_began_at', 'silent_since') }} >= {{ var('silence_history_days') }}
        and (study_id is null or silent_until is null)
),

silences_with_usual as (
    select
        long_silences.scope,
        long_silences.study_id,
        long_silences.silent_since,
        long_silences.silent_until,
        long_silences.silence_hours,
        max(ended_silences.silence_hours) as usual_hours
    from long_silences
    inner join ended_silences
        on
            long_silences.scope = ended_silences.scope
            and long_silences.study_id is not distinct from ended_silences.study_id
            and long_silences.silent_since >= ended_silences.silent_until
            and {{ days_before('long_silences.silent_since', var('silence_usual_days')) }} < ended_silences.silent_until
    group by
        long_silences.scope,
        long_silences.study_id,
        long_silences.silent_since,
        long_silences.silent_until,
        long_silences.silence_hours
)

select
    scope,
    study_id,
    silent_since,
    silent_until,
    silent_until is null as is_open,
    silence_hours,
    usual_hours
from silences_with_usual
where silence_hours > {{ var('silence_times_usual') }} * usual_hours
