-- The rows of deliveries_before that are about the person.
create or replace temp table gone as
select file_id, line_number, position
from deliveries_before
where is_theirs(participant_id, person_id, file_id, line_number, position)
