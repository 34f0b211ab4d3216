-- What to know about the input, such as changes dated after the as-of time.
-- All: studyflow sql "from audit.data_notes"
--   note | Note | words: audit.data_notes.note
--   subject | About | name: The name of the study, if known; else the id of the study, of the person or of the Svix message.
--   occurrences | Occurrences | number: audit.data_notes.occurrences
--   last_at | Last | moment: audit.data_notes.last_at
select
    notes.note,
    coalesce(studies.study_name, notes.subject) as subject,
    notes.occurrences,
    notes.last_at,
    count(*) over () as of_all
from audit.data_notes as notes
left join marts.study_progress as studies
    on notes.subject = studies.study_id
order by notes.note, notes.occurrences desc, notes.subject
limit $rows
