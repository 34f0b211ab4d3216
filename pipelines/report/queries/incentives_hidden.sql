-- Who is owed an incentive that no Rally table shows, the oldest first.
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
inner join marts.participants
    on backlog.participant_id = participants.participant_id
inner join marts.study_progress as studies
    on backlog.study_id = studies.study_id
where
    backlog.is_hidden
    and backlog.study_id = coalesce($study, backlog.study_id)
order by backlog.age_days desc, backlog.participant_id
limit $rows
