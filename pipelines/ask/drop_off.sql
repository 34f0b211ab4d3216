-- One row per step of study $study_id and current status of people who reached the previous step but not this one, the largest
-- group first.
select
    step,
    step_order,
    status,
    status_label,
    participants,
    share_of_drop,
    sum(participants) over (partition by step_order) as dropped,
    is_lost
from marts.study_drop_off
where study_id = $study_id
order by step_order, participants desc, status
