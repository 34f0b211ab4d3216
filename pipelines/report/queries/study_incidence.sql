-- Of those invited to the study, the share who complete within a number of days and the share who are lost by then, each with
-- its 95% interval, compared with all studies of its type. People who were invited recently count only for the days since
-- their invitation.
-- All: studyflow sql "from study_incidence where study_id = {study_id} order by all"
--   within | Within | name: Time since the invitation, in days of 24 hours.
--   completed | Completed | number: How many reached the step Activity completed within that time. This can be more than the study's Completed, because it also counts Incentive Skipped, Completed Study, and completions that were revoked later.
--   at_risk | Still active | number: Participants observed for longer than that time who had neither completed nor been lost (see Share lost) by then.
--   completed_share | Share completing | band completed_share completed_low completed_high: The share of those invited who complete within that time; a dash if fewer than ten people are still active.
--   type_share | Same type | band type_share type_low type_high: The same share for all studies of the type together.
--   lost_share | Share lost | band lost_share lost_low lost_high: The share of those invited who are lost within that time: they entered a terminal stage (Done or Cancelled) without having completed, and are still there.
select
    case own.days when 1 then '1 day' else own.days || ' days' end as within,
    own.completed,
    own.at_risk,
    own.completed_share,
    own.completed_low,
    own.completed_high,
    pooled.completed_share as type_share,
    pooled.completed_low as type_low,
    pooled.completed_high as type_high,
    own.lost_share,
    own.lost_low,
    own.lost_high
from marts.study_incidence as own
left join marts.study_incidence as pooled
    on
        own.study_type = pooled.study_type
        and own.days = pooled.days
        and pooled.study_id is null
        and pooled.begins_with = 'any_invitation'
        and pooled.started_month is null
where
    own.study_id = $study
    and own.begins_with = 'any_invitation'
    and own.started_month is null
    and own.days in (1, 3, 7, 14, 28, 56)
order by own.days
