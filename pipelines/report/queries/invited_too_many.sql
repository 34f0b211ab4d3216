-- Days of the last week on which studies that are not closed invited far more people than they needed, or invited anybody after
-- they were full. Days with the largest expected excess come first.
-- All: studyflow sql "from audit.invited_too_many"
--   study | Study | of_study: Name of the study; its id if studies.csv has no name.
--   day | Day | day: audit.invited_too_many.day
--   invited | Invited | number bad: audit.invited_too_many.invited
--   places_left | Places left | number: audit.invited_too_many.places_left
--   expected | Expected to complete | count: audit.invited_too_many.expected
--   overshoot | Expected excess | count: audit.invited_too_many.overshoot
select
    progress.study_id,
    coalesce(progress.study_name, progress.study_id) as study,
    many.day,
    many.reason,
    many.invited,
    many.places_left,
    many.expected,
    many.overshoot,
    count(*) over () as of_all,
    count(*) filter (many.reason = 'full') over () as full_of_all
from audit.invited_too_many as many
inner join marts.study_progress as progress
    on many.study_id = progress.study_id
where many.study_id = coalesce($study, many.study_id)
order by many.overshoot desc nulls last, many.invited desc, many.day, many.study_id
limit $rows
