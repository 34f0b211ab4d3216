-- Silences that are longer than usual and have not ended: first for all studies together, then for each study.
-- All: studyflow sql "from audit.feed_silence where is_open"
--   study | Study | of_study: Name of the study; its id if studies.csv has no name.
--   silent_since | Silent since | moment: audit.feed_silence.silent_since
--   silence_hours | For | hours: How long there has been no change.
--   usual_hours | Longest earlier silence | hours: The longest silence that ended in the four weeks before the current one began (setting silence_usual_days).
select
    feed_silence.study_id,
    feed_silence.study_id is null as is_of_all,
    case when feed_silence.study_id is null then 'The whole feed' else coalesce(studies.study_name, studies.study_id) end
        as study,
    feed_silence.silent_since,
    feed_silence.silence_hours,
    feed_silence.usual_hours,
    count(*) over () as of_all
from audit.feed_silence
left join marts.study_progress as studies
    on feed_silence.study_id = studies.study_id
where
    feed_silence.is_open
    and (feed_silence.study_id is null or feed_silence.study_id = coalesce($study, feed_silence.study_id))
order by is_of_all desc, feed_silence.silence_hours desc, feed_silence.study_id
limit $rows
