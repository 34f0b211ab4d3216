with

needed as (
    select *
    from {{ ref('invitations_needed') }}
    where confidence = 80 and is_planned_for
),

daily as (
    select * from {{ ref('study_forecast_daily') }}
),

free as (
    select count(*) as people
    from {{ ref('may_be_invited') }}
),

-- Today and the coming Mondays before that day, with the share of people invited then who complete in time.
weeks as (
    select
        study_id,
        by_when,
        0 as days_from_now,
        {{ report_date(as_of()) }} as send_on,
        invitations,
        invited_share,
        invited_share as share_in_time
    from needed
    union all
    select
        needed.study_id,
        needed.by_when,
        days.days as days_from_now,
        days.day as send_on,
        needed.invitations,
        needed.invited_share,
        left_then.invited_share as share_in_time
    from needed
    inner join daily as days
        on needed.study_id = days.study_id and needed.days > days.days
    inner join daily as left_then
        on needed.study_id = left_then.study_id and left_then.days = needed.days - days.days
    where days.day = cast({{ dbt.date_trunc('week', 'days.day') }} as date) and needed.invitations > 0
),

-- Each week aims at an equal part of the missing completions. Weeks in which fewer than half of the usual share would
-- complete in time are left out.
parts as (
    select
        *,
        {{ exact_sum('invitations * invited_share / nullif(share_in_time, 0)', 'over in_order') }}
        / count(*) over (partition by study_id) as planned_so_far
    from weeks
    where share_in_time >= invited_share / 2e0
    window in_order as (partition by study_id order by days_from_now rows unbounded preceding)
),

rounded as (
    select
        *,
        cast(ceil(planned_so_far - 1e-6) as integer) as invitations_so_far
    from parts
),

planned as (
    select
        *,
        invitations_so_far
        - lag(invitations_so_far, 1, 0) over (partition by study_id order by days_from_now) as invitations_then
    from rounded
),

spread as (
    select
        *,
        sum(invitations_then) over (order by send_on, by_when, study_id rows unbounded preceding) as of_all_studies
    from planned
)

select
    spread.study_id,
    spread.send_on,
    spread.by_when,
    spread.share_in_time,
    spread.invitations_then as invitations,
    spread.invitations_so_far,
    cast(
        case
            when spread.of_all_studies <= free.people then spread.invitations_then
            else greatest(free.people - spread.of_all_studies + spread.invitations_then, 0)
        end as integer
    ) as people_free
from spread
cross join free
