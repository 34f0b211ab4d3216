-- How many participants completed an activity within 7, 14 and 30 days of being first seen, by the week in which they were first
-- seen, for the last eight weeks. Only people who were first seen at least that many days ago are counted.
--   cohort_week | Week of | day: marts.study_funnel_cohorts.cohort_week
--   participants | Participants | number: marts.study_funnel_cohorts.participants
--   within_7d | In 7 days | bar within_7d of_7d share_7d low_7d high_7d: Of the participants first seen at least 7 × 24 hours before the as-of time, those who completed an activity within 7 × 24 hours of being first seen.
--   within_14d | In 14 days | bar within_14d of_14d share_14d low_14d high_14d: Of the participants first seen at least 14 × 24 hours before the as-of time, those who completed an activity within 14 × 24 hours of being first seen.
--   within_30d | In 30 days | bar within_30d of_30d share_30d low_30d high_30d: Of the participants first seen at least 30 × 24 hours before the as-of time, those who completed an activity within 30 × 24 hours of being first seen.
--   so_far | So far | number: Participants first seen in that week who have reached Activity completed or a later step so far, counted as in the funnel.
with

completing as (
    select min(step_order) as step_order
    from reference.funnel_steps
    inner join reference.participant_statuses as statuses
        on funnel_steps.step = statuses.funnel_step
    where statuses.is_completion
),

cohorts as (
    select
        cohorts.cohort_week,
        cohorts.participants,
        spans.place,
        case spans.place when 1 then reached_within_7d when 2 then reached_within_14d else reached_within_30d end as part,
        case spans.place when 1 then matured_7d when 2 then matured_14d else matured_30d end as whole,
        cohorts.reached
    from marts.study_funnel_cohorts as cohorts
    inner join completing
        on cohorts.step_order = completing.step_order
    cross join (values (1), (2), (3)) as spans (place)
    where cohorts.study_id = $study
),

shares as (
    select
        *,
        part / nullif(whole, 0) as share,
        marts.share_low(part, whole) as low,
        marts.share_high(part, whole) as high
    from cohorts
)

select
    cohort_week,
    participants,
    max(part) filter (place = 1) as within_7d,
    max(whole) filter (place = 1) as of_7d,
    max(share) filter (place = 1) as share_7d,
    max(low) filter (place = 1) as low_7d,
    max(high) filter (place = 1) as high_7d,
    max(part) filter (place = 2) as within_14d,
    max(whole) filter (place = 2) as of_14d,
    max(share) filter (place = 2) as share_14d,
    max(low) filter (place = 2) as low_14d,
    max(high) filter (place = 2) as high_14d,
    max(part) filter (place = 3) as within_30d,
    max(whole) filter (place = 3) as of_30d,
    max(share) filter (place = 3) as share_30d,
    max(low) filter (place = 3) as low_30d,
    max(high) filter (place = 3) as high_30d,
    max(reached) as so_far
from shares
group by cohort_week, participants
qualify row_number() over (order by cohort_week desc) <= 8
order by cohort_week
