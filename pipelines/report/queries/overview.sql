-- What the report covers.
--   studies: Studies with participants.
--   participants: marts.study_progress.participants
--   last_change_at: marts.study_progress.last_change_at
--   silent_hours: Hours from the last change of any participant to the as-of time. If that is unusually long, check that webhooks are still arriving.
select
    built_as_of.as_of,
    count(study_progress.study_id) as studies,
    coalesce(sum(study_progress.participants), 0) as participants,
    max(study_progress.last_change_at) as last_change_at,
    date_diff('second', max(study_progress.last_change_at), built_as_of.as_of) / 3600 as silent_hours
from audit.built_as_of
left join marts.study_progress
    on study_progress.study_id = coalesce($study, study_progress.study_id)
group by built_as_of.as_of
