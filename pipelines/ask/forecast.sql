-- One row per study, or only study $study_id: its forecast, and how many people to invite to be full by target_on or,
-- without one, by the fourth Monday from now.
with

needed as (
    select
        study_id,
        by_when,
        max(case when confidence = 50 then invitations end) as invite_50,
        max(case when confidence = 80 then invitations end) as invite_80,
        max(case when confidence = 95 then invitations end) as invite_95
    from marts.invitations_needed
    where is_planned_for
    group by study_id, by_when
)

select
    forecast.*,
    needed.by_when as invite_by,
    needed.invite_50,
    needed.invite_80,
    needed.invite_95,
    built_as_of.as_of
from marts.study_forecast as forecast
cross join audit.built_as_of
left join needed
    on forecast.study_id = needed.study_id
where forecast.study_id = coalesce($study_id, forecast.study_id)
order by forecast.is_closed, coalesce(forecast.is_full, true), forecast.target_on nulls last, forecast.study_id
