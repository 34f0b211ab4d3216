-- Of those invited to the study, which share completes within so many days, and which is lost by then, each with its 95 % band;
-- beside all studies of its type. Who was invited recently counts only for the days they have had.
-- All: studyflow sql "from study_incidence where study_id = {study_id} order by all"
--   within | Within | name: marts.study_incidence.days
--   completed | Completed | number: marts.study_incidence.completed
--   at_risk | Still active | number: marts.study_incidence.at_risk
--   completed_share | Complete | band completed_share completed_low completed_high: marts.study_incidence.completed_share
--   type_share | All of its type | band type_share type_low type_high: The same of all studies of its type, pooled.
--   lost_share | Are lost | band lost_share lost_low lost_high: marts.study_incidence.lost_share
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
