-- The rows of deliveries_before that are about the person.
create or replace temp table removed_deliveries as
select file_id, line_number, position
from deliveries_before
where is_about_person(participant_id, person_id, file_id, line_number, position)
