-- How far the participants of the study got, and how many have not reached a step. Intervals are 95% (Wilson).
--   step | Step | words: marts.study_funnel.step
--   reached | Reached | number: Participants whose furthest step is this one or a later one. For Activity completed, this can be more than the study's Completed, because it also counts people who reached the step or a later one without a completed status, and people whose completion was revoked later.
--   from_previous | From previous | share reached previous from_previous previous_low previous_high: marts.study_funnel.conversion_from_previous
--   from_first | From first | bar reached everyone from_first first_low first_high: marts.study_funnel.conversion_from_first
--   may_still_come | May still reach it | number: Participants who reached the previous step but not this one, and may still reach it: they are not in a terminal stage (Done or Cancelled) and were not disqualified, and the study is neither closed nor full. Participants in Pending Incentive, and those who can still claim an incentive that was sent, always count.
--   will_not_come | Will not reach it | number: All others who reached the previous step but not this one: they are in a terminal stage or were disqualified, or the study is closed or full.
--   median_hours | Median time | hours: The median time from the previous step to this one; a dash if no time is known.
--   p90_hours | 90th percentile | hours: The time within which 90% got from the previous step to this one; a dash if no time is known.
with

still_possible as (
    select
        step,
        sum(participants) as participants
    from marts.study_drop_off
    where study_id = $study and may_still_come
    group by step
),

steps as (
    select
        *,
        lag(reached) over (order by step_order) as previous,
        first_value(reached) over (order by step_order) as everyone
    from marts.study_funnel
    where study_id = $study
)

select
    steps.step,
    reached,
    previous,
    everyone,
    conversion_from_previous as from_previous,
    marts.share_low(reached, previous) as previous_low,
    marts.share_high(reached, previous) as previous_high,
    conversion_from_first as from_first,
    marts.share_low(reached, everyone) as first_low,
    marts.share_high(reached, everyone) as first_high,
    cast(coalesce(still_possible.participants, 0) as bigint) as may_still_come,
    cast(dropped_active + dropped_lost - coalesce(still_possible.participants, 0) as bigint) as will_not_come,
    median_hours_from_previous as median_hours,
    p90_hours_from_previous as p90_hours
from steps
left join still_possible
    on steps.step = still_possible.step
order by step_order
