-- Rates that show how the study is doing, each with its 95% interval (Wilson).
--   what | Measure | name: What the rate is about. Passed the screener: participants who completed a screener and reached the step Qualified or a later one. Qualified automatically by Rally: participants who completed a screener and ever had the status Screener Qualified. Came to the interview: participants who completed an interview, out of those who completed or missed one. Opted out: participants who ever opted out. The funnel's numbers can be higher, because a step also counts everyone who reached a later one, even without a screener.
--   of_them | Count | of part whole: How many participants, out of how many: those who completed a screener, those expected at an interview, or all participants.
--   share | Share | bar part whole share low high: A percentage or, for fewer than 20 people, a count with its 95% interval.
--   Passed the screener: marts.study_progress.screener_pass_rate
--   Qualified automatically by Rally: marts.study_progress.auto_qualified_rate
--   Came to the interview: marts.study_progress.show_rate
--   Opted out: Participants who ever opted out, as a share of all participants.
with

progress as (
    select * from marts.study_progress
    where study_id = $study
),

counted as (
    select 1 as place, 'Passed the screener' as what, passed_screener as part, screened as whole from progress
    union all
    select 2, 'Qualified automatically by Rally', auto_qualified, screened from progress
    union all
    select 3, 'Came to the interview', interviews_completed, expected_at_interview from progress
    union all
    select 4, 'Opted out', opt_outs, participants from progress
)

select
    what,
    part,
    whole,
    part / whole as share,
    marts.share_low(part, whole) as low,
    marts.share_high(part, whole) as high
from counted
where whole > 0
order by place
