-- Participants to nudge, in the order of the list to_nudge, or those with $asked_action; in study $study_id (null: all
-- studies).
select
    ageing.participant_id,
    ageing.person_id,
    ageing.study_id,
    studies.study_name,
    ageing.action,
    ageing.hours_in_stage / 24 as days_in_stage,
    ageing.current_stage,
    ageing.stage_since,
    ageing.current_status,
    ageing.current_status_label,
    ageing.percentile,
    built_as_of.as_of
from marts.ageing_participants as ageing
inner join marts.study_progress as studies
    on ageing.study_id = studies.study_id
left join marts.to_nudge
    on ageing.participant_id = to_nudge.participant_id
cross join audit.built_as_of
where
    ageing.study_id = coalesce($study_id, ageing.study_id)
    and case when $asked_action is null then ageing.is_actionable else ageing.action = $asked_action end
order by to_nudge.place nulls last, ageing.hours_in_stage desc, ageing.participant_id
