-- Whose incentive came back because the email bounced, the oldest first.
--   participant_id | Participant | code: marts.incentive_backlog.participant_id
--   age_days | Waits | days: marts.incentive_backlog.age_days
--   amount | Amount | amount: The incentive of the study in studies.csv.
--   study | Study | name: marts.study_progress.study_name
--   status | Status | name: marts.participants.current_status_label
select
    backlog.participant_id,
    coalesce(studies.study_name, backlog.study_id) as study,
    participants.current_status_label as status,
    backlog.age_days,
    backlog.amount_cents / 100 as amount,
    count(*) over () as of_all
from marts.incentive_backlog as backlog
inner join reference.incentive_effects as effects
    on backlog.backlog_state = effects.backlog_state
inner join marts.participants
    on backlog.participant_id = participants.participant_id
inner join marts.study_progress as studies
    on backlog.study_id = studies.study_id
where
    effects.is_sent
    and effects.requires_state is not null
    and backlog.study_id = coalesce($study, backlog.study_id)
order by backlog.age_days desc, backlog.participant_id
limit $rows
