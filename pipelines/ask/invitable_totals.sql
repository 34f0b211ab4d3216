-- One row: how many of the selected people may be invited.
select
    count(*) as people,
    count(*) filter (where not is_active_in_study) as active_in_no_study
from listing
