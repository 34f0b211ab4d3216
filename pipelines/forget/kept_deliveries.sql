-- The rows of deliveries_before that are not about the person. Lines that mention the person are removed from rows
-- about others.
select * replace (
    case when participant_id is null or not mentions_person(file_id, line_number, position) then line end as line
)
from deliveries_before
anti join removed_deliveries using (file_id, line_number, position)
