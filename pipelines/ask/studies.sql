-- One row per study (optionally only open ones): its progress and its forecast. Open studies come first, then the
-- studies with the latest changes.
with

stalled as (
    select
        study_id,
        count(*) as participants
    from marts.ageing_participants
    where is_actionable
    group by study_id
)

select
    progress.*,
    coalesce(stalled.participants, 0) as stalled,
    forecast.target,
    forecast.target_on,
    forecast.is_full as is_target_reached,
    forecast.active,
    forecast.expected,
    forecast.full_on_50,
    forecast.earliest_80_on,
    forecast.latest_80_on,
    forecast.too_little_known,
    built_as_of.as_of
from marts.study_progress as progress
inner join marts.study_forecast as forecast
    on progress.study_id = forecast.study_id
left join stalled
    on progress.study_id = stalled.study_id
cross join audit.built_as_of
where not $only_open or not (progress.is_closed or coalesce(forecast.is_full, false))
order by progress.is_closed, coalesce(forecast.is_full, false), progress.last_change_at desc, progress.study_id
