-- When each open study will be full if nobody else is invited, and how many to invite today to fill it in time. Studies
-- with a target come first, sorted by target_on, then by the day on which the study will be full.
-- All: studyflow forecast
--   study | Study | study: Name of the study; its id if studies.csv has no name.
--   forecast | Forecast | forecast: The first day with a 50% chance that the study is full if nobody else is invited, with the 80% range of that day. "needs more invitations" means that those already invited are not expected to fill the study within eight weeks; "no target" means that studies.csv has neither a target nor a limit. For a study with a target, the column also says how many more people to invite today for an 80% chance that it is full by target_on or, if there is no target_on within eight weeks, by the fourth Monday from now (marts.invitations_needed). marts.invitation_plan spreads the invitations over today and the coming Mondays, so it usually has fewer for today and more in total.
--   completed | Completed | number: marts.study_forecast.completed
--   target | Target | count: marts.study_forecast.target
--   target_on | Target date | day: marts.study_forecast.target_on
--   active | Active | number: marts.study_forecast.active
--   expected | Expected | count: marts.study_forecast.expected
--   within_14d | Complete in 14 days | band within_14d within_14d_low within_14d_high: Of those invited, the share who complete within 14 days, with its 95% interval; a dash if fewer than ten people are still active after 14 days. People who were invited recently count only for the days since their invitation. marts.study_incidence has more.
with

needed as (
    select
        study_id,
        by_when,
        invitations
    from marts.invitations_needed
    where confidence = 80 and is_planned_for
)

select
    forecast.study_id,
    coalesce(forecast.study_name, forecast.study_id) as study,
    forecast.completed,
    forecast.target,
    forecast.target_on,
    forecast.active,
    forecast.expected,
    forecast.is_closed,
    forecast.is_full,
    forecast.full_on_50,
    forecast.earliest_80_on,
    forecast.latest_80_on,
    forecast.too_little_known,
    needed.by_when as invite_by,
    needed.invitations as invite_80,
    incidence.completed_share as within_14d,
    incidence.completed_low as within_14d_low,
    incidence.completed_high as within_14d_high,
    count(*) over () as of_all
from marts.study_forecast as forecast
left join needed
    on forecast.study_id = needed.study_id
left join marts.study_incidence as incidence
    on
        forecast.study_id = incidence.study_id
        and incidence.begins_with = 'any_invitation'
        and incidence.started_month is null
        and incidence.days = 14
where
    not forecast.is_closed
    and not coalesce(forecast.is_full, false)
    and forecast.study_id = coalesce($study, forecast.study_id)
order by forecast.target is null, forecast.target_on nulls last, forecast.full_on_50 nulls last, forecast.study_id
limit $rows
