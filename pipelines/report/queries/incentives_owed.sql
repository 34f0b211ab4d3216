-- Who finished and has not been sent an incentive, overdue ones first, then the oldest.
--   participant_id | Participant | code: marts.incentive_backlog.participant_id
--   age_days | Waits | days: marts.incentive_backlog.age_days
--   amount | Amount | amount: The incentive of the study in studies.csv.
--   overdue | Overdue | flag overdue bad: marts.incentive_backlog.is_overdue
--   hidden | Hidden | flag hidden bad: marts.incentive_backlog.is_hidden
--   study | Study | name: marts.study_progress.study_name
--   status | Status | name: marts.participants.current_status_label
--   person_id: marts.incentive_backlog.person_id
select
    backlog.participant_id,
    backlog.person_id,
    coalesce(studies.study_name, backlog.study_id) as study,
    participants.current_status_label as status,
    backlog.age_days,
    backlog.amount_cents / 100 as amount,
    backlog.is_hidden as hidden,
    backlog.is_overdue as overdue,
    count(*) over () as of_all
from marts.incentive_backlog as backlog
inner join reference.incentive_effects as effects
    on backlog.backlog_state = effects.backlog_state
inner join marts.participants
    on backlog.participant_id = participants.participant_id
inner join marts.study_progress as studies
    on backlog.study_id = studies.study_id
where
    not effects.is_sent
    and backlog.study_id = coalesce($study, backlog.study_id)
order by backlog.is_overdue desc, backlog.age_days desc, backlog.participant_id
limit $rows
