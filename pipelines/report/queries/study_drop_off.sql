-- The current status of people who have not reached a step but reached the one before it. The largest groups come first.
-- All: studyflow funnel {study_id}
--   step | Step not reached | words: marts.study_drop_off.step
--   status | Status now | name: marts.study_drop_off.status_label
--   participants | Participants | number: marts.study_drop_off.participants
--   share | Share | share participants of_step share low high: marts.study_drop_off.share_of_drop
--   outcome | Outcome | name: Whether they may still reach the step (`marts.study_drop_off.may_still_come`) or will not.
--   of_step: Everyone who reached the previous step but not this one.
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
    case when may_still_come then 'may still reach it' else 'will not reach it' end as outcome,
    count(*) over () as of_all
from stops
order by participants desc, step_order, status
limit $rows
