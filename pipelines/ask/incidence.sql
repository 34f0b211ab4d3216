-- The shares of people invited to study $study_id who complete, or are lost, within a number of days, with 95% bands,
-- and the same for all studies of its type.
select
    own.days,
    own.spells,
    own.at_risk,
    own.completed,
    own.lost,
    own.completed_share,
    own.completed_low,
    own.completed_high,
    own.lost_share,
    own.lost_low,
    own.lost_high,
    pooled.completed_share as type_share,
    pooled.completed_low as type_low,
    pooled.completed_high as type_high
from marts.study_incidence as own
left join marts.study_incidence as pooled
    on
        own.study_type = pooled.study_type
        and own.days = pooled.days
        and own.begins_with = pooled.begins_with
        and pooled.study_id is null
        and pooled.started_month is null
where
    own.study_id = $study_id
    and own.begins_with = 'any_invitation'
    and own.started_month is null
    and own.days in (1, 3, 7, 14, 28, 56)
order by own.days
