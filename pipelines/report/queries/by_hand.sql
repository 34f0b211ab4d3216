-- Changes since the last report that were likely made by hand, by study and change.
-- All: studyflow sql "from audit.unexpected_changes"
--   study | Study | of_study: Name of the study; its id if studies.csv has no name.
--   from_status | From | name: audit.unexpected_changes.prior_status
--   to_status | To | name: audit.unexpected_changes.status
--   changes | Changes | number: How many such changes there were.
--   last_at | Latest | moment: When the latest of these changes happened.
select
    unexpected.study_id,
    coalesce(studies.study_name, unexpected.study_id) as study,
    coalesce(before.label, unexpected.prior_status) as from_status,
    coalesce(after.label, unexpected.status) as to_status,
    count(*) as changes,
    max(unexpected.occurred_at) as last_at,
    count(*) over () as of_all
from audit.unexpected_changes as unexpected
inner join marts.study_progress as studies
    on unexpected.study_id = studies.study_id
left join reference.participant_statuses as before
    on unexpected.prior_status = before.status
left join reference.participant_statuses as after
    on unexpected.status = after.status
where
    unexpected.occurred_at > $since
    and unexpected.study_id = coalesce($study, unexpected.study_id)
group by all
order by changes desc, last_at desc, study, from_status, to_status
limit $rows
