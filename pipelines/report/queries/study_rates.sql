-- The shares of a study that tell how it goes, each with its 95 % interval (Wilson).
--   Passed the screener: marts.study_progress.screener_pass_rate
--   Came to the interview: marts.study_progress.show_rate
--   Opted out: Participants who ever opted out, of all.
--   of_them: How many of them.
--   share: How many of how many; where there are fewer than 20, with the interval in which the share lies 19 times in 20.
with

progress as (
    select * from marts.study_progress
    where study_id = $study
),

screened as (
    select
        status_changes.participant_id,
        bool_or(statuses.is_screener_pass) as has_passed
    from marts.status_changes
    inner join reference.participant_statuses as statuses
        on status_changes.status = statuses.status
    where
        status_changes.study_id = $study
        and (statuses.is_screener_pass or statuses.dashboard_series = 'screeners_completed')
    group by status_changes.participant_id
),

counted as (
    select 1 as place, 'Passed the screener' as what, count(*) filter (has_passed) as part, count(*) as whole
    from screened
    union all
    select
        2, 'Came to the interview', interviews_completed,
        case when show_rate > 0 then cast(round(interviews_completed / show_rate) as bigint) else no_shows end
    from progress
    where show_rate is not null
    union all
    select 3, 'Opted out', opt_outs, participants from progress
)

select
    what,
    part,
    whole,
    part / whole as share,
    (part + 1.9208 - 1.96 * sqrt(part * (1 - part / whole) + 0.9604)) / (whole + 3.8416) as low,
    (part + 1.9208 + 1.96 * sqrt(part * (1 - part / whole) + 0.9604)) / (whole + 3.8416) as high
from counted
where whole > 0
order by place
