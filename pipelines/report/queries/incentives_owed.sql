-- People who finished and have not been sent an incentive. Overdue incentives come first; among these, and among the others, the oldest come first.
-- All: studyflow backlog --state not_sent{study}
--   participant_id | Participant | participant: marts.incentive_backlog.participant_id
--   age_days | Waiting | age: How long the incentive has been in its state.
--   amount | Amount | money currency: The study's incentive, from studies.csv.
--   overdue | Overdue | flag overdue bad: marts.incentive_backlog.is_overdue
--   hidden | Hidden | flag hidden bad: marts.incentive_backlog.is_hidden
--   study_closed | Closed | flag reopen~first warn: marts.incentive_backlog.is_study_closed
--   person_name | Name | person: marts.people.person_name
--   study | Study | of_study: Name of the study; its id if studies.csv has no name.
--   status | Status | name: marts.participants.current_status_label
select
    backlog.participant_id,
    backlog.person_id,
    backlog.study_id,
    people.person_name,
    coalesce(studies.study_name, backlog.study_id) as study,
    participants.current_status_label as status,
    backlog.age_days,
    backlog.amount_cents / 100 as amount,
    backlog.currency,
    backlog.is_hidden as hidden,
    backlog.is_overdue as overdue,
    backlog.is_study_closed as study_closed,
    count(*) over () as of_all
from marts.incentive_backlog as backlog
inner join reference.incentive_effects as effects
    on backlog.backlog_state = effects.backlog_state
inner join marts.participants
    on backlog.participant_id = participants.participant_id
inner join marts.study_progress as studies
    on backlog.study_id = studies.study_id
left join marts.people
    on backlog.person_id = people.person_id
where
    not effects.is_sent
    and backlog.study_id = coalesce($study, backlog.study_id)
order by backlog.is_overdue desc, backlog.age_days desc, backlog.participant_id
limit $rows
