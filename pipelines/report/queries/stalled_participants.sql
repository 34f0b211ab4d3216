-- Whom to remind and whom to move by hand. The most recently stalled come first, because they are the most likely to answer.
-- All: studyflow stalled{study}
--   participant_id | Participant | participant: marts.ageing_participants.participant_id
--   days | Time in stage | age: How long they have been in the stage without leaving it.
--   action | What to do | words: marts.ageing_participants.action
--   person_name | Name | person: marts.people.person_name
--   study | Study | of_study: Name of the study; its id if studies.csv has no name.
--   status | Status | name: marts.ageing_participants.current_status_label
select
    ageing.participant_id,
    ageing.person_id,
    ageing.study_id,
    people.person_name,
    coalesce(studies.study_name, ageing.study_id) as study,
    ageing.current_status_label as status,
    ageing.hours_in_stage / 24 as days,
    ageing.action,
    count(*) over () as of_all
from marts.ageing_participants as ageing
inner join marts.study_progress as studies
    on ageing.study_id = studies.study_id
left join marts.people
    on ageing.person_id = people.person_id
where
    ageing.is_actionable
    and ageing.study_id = coalesce($study, ageing.study_id)
order by ageing.hours_in_stage, ageing.participant_id
limit $rows
