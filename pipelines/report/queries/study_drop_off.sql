-- In which status those stand who stopped before a step, the largest groups first.
--   step: marts.study_drop_off.step
--   status: marts.study_drop_off.status_label
--   participants: marts.study_drop_off.participants
--   of_step: All who reached the step before and not this one.
--   share: marts.study_drop_off.share_of_drop
--   is_lost: marts.study_drop_off.is_lost
with

stops as (
    select
        *,
        cast(sum(participants) over (partition by step_order) as bigint) as of_step
    from marts.study_drop_off
    where study_id = $study
)

select
    step,
    status_label as status,
    participants,
    of_step,
    share_of_drop as share,
    (participants + 1.9208 - 1.96 * sqrt(participants * (1 - participants / of_step) + 0.9604))
    / (of_step + 3.8416) as low,
    (participants + 1.9208 + 1.96 * sqrt(participants * (1 - participants / of_step) + 0.9604))
    / (of_step + 3.8416) as high,
    is_lost,
    count(*) over () as of_all
from stops
order by participants desc, step_order, status
limit $rows
