-- What people should know about the input, such as changes dated after the as-of time.
-- All: studyflow sql "from audit.data_notes"
--   note | Note | words: audit.data_notes.note
--   subject | Id | code: audit.data_notes.subject
--   occurrences | Occurrences | number: audit.data_notes.occurrences
--   last_at | Last | moment: audit.data_notes.last_at
select
    note,
    subject,
    occurrences,
    last_at,
    count(*) over () as of_all
from audit.data_notes
order by note, occurrences desc, subject
limit $rows
