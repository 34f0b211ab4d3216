-- Whose incentive was sent and has not been claimed, the oldest first.
-- All: studyflow backlog --state unclaimed{study}
--   participant_id | Participant | participant: marts.incentive_backlog.participant_id
--   age_days | Waiting | age: How long the incentive has been in its state.
--   amount | Amount | money currency: The study's incentive, from studies.csv.
--   overdue | Overdue | flag overdue bad: marts.incentive_backlog.is_overdue
--   person_name | Name | person: marts.people.person_name
--   study | Study | of_study: Name of the study; its id if studies.csv has no name.
select
    backlog.participant_id,
    backlog.person_id,
    backlog.study_id,
    people.person_name,
    coalesce(studies.study_name, backlog.study_id) as study,
    backlog.age_days,
    backlog.amount_cents / 100 as amount,
    backlog.currency,
    backlog.is_overdue as overdue,
    count(*) over () as of_all
from marts.incentive_backlog as backlog
inner join reference.incentive_effects as effects
    on backlog.backlog_state = effects.backlog_state
inner join marts.study_progress as studies
    on backlog.study_id = studies.study_id
left join marts.people
    on backlog.person_id = people.person_id
where
    effects.is_sent
    and effects.requires_state is null
    and backlog.study_id = coalesce($study, backlog.study_id)
order by backlog.age_days desc, backlog.participant_id
limit $rows
