-- Steps of open studies where far fewer participants continue than usual, e.g. because a link in an email does not work. The
-- clearest cases come first.
-- All: studyflow sql "from audit.steps_below_usual"
--   study | Study | of_study: Name of the study; its id if studies.csv has no name.
--   step | Step | words: audit.steps_below_usual.step
--   since | Since | moment: audit.steps_below_usual.since
--   arrived | Arrived | number: audit.steps_below_usual.arrived
--   went_on | Continued | number bad: audit.steps_below_usual.went_on
--   expected | Expected | count: audit.steps_below_usual.expected
select
    progress.study_id,
    coalesce(progress.study_name, progress.study_id) as study,
    steps.step,
    steps.since,
    steps.arrived,
    steps.went_on,
    steps.expected,
    count(*) over () as of_all
from audit.steps_below_usual as steps
inner join marts.study_progress as progress
    on steps.study_id = progress.study_id
where steps.study_id = coalesce($study, steps.study_id)
order by steps.times_likelier desc, steps.study_id, steps.step
limit $rows
