-- The current status of people who dropped off before a step, the largest groups first.
--   step | Did not reach | words: marts.study_drop_off.step
--   status | Status now | name: marts.study_drop_off.status_label
--   participants | Participants | number: marts.study_drop_off.participants
--   share | Of those | share participants of_step share low high: marts.study_drop_off.share_of_drop
--   is_lost |  | lost: marts.study_drop_off.is_lost
--   of_step: All who reached the step before and not this one.
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
    marts.share_low(participants, of_step) as low,
    marts.share_high(participants, of_step) as high,
    is_lost,
    count(*) over () as of_all
from stops
order by participants desc, step_order, status
limit $rows
