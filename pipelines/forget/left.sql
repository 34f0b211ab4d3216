-- All of deliveries_before that is not theirs. What others say of them goes, too; what others did stays.
select * replace (case when participant_id is null or not is_named(file_id, line_number, position) then line end as line)
from deliveries_before
anti join gone using (file_id, line_number, position)
