-- Who finished and has not been sent an incentive, overdue ones first, then the oldest.
--   participant_id: marts.incentive_backlog.participant_id
--   person_id: marts.incentive_backlog.person_id
--   study: marts.study_progress.study_name
--   status: marts.participants.current_status_label
--   age_days: marts.incentive_backlog.age_days
--   amount: The incentive of the study in studies.csv.
--   hidden: marts.incentive_backlog.is_hidden
--   overdue: marts.incentive_backlog.is_overdue
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
