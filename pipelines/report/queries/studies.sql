-- Every study. Studies with the most changes since the last report come first.
-- All: studyflow studies
--   study | Study | study: Name of the study; its id if studies.csv has no name.
--   study_type | Type | words: marts.study_progress.study_type
--   participants | Participants | number: marts.study_progress.participants
--   completed | Completed | completed: marts.study_progress.completed
--   state | State | name: closed from the day in the column closed_on of studies.csv; full if as many participants have completed the study as its limit allows; otherwise open.
--   changes | Changes | number: Status changes since the last report.
--   overdue | Overdue incentives | number bad: Participants whose incentive has been owed for too long and has not been sent.
--   stalled | Stalled | number warn: Stalled participants to remind or to move by hand: in Invited, Screening or In Progress for longer than 90% of completed visits to that stage, not disqualified, and not in a study that is closed or full.
--   last_change_at | Last change | day: marts.study_progress.last_change_at
--   participation_limit: marts.study_progress.participation_limit
--   remaining: marts.study_progress.remaining
--   filled: Completed as a share of the limit, at most 1.
with

recent as (
    select
        study_id,
        count(*) as changes
    from marts.status_changes
    where not is_inferred and occurred_at > $since
    group by study_id
),

owed as (
    select
        backlog.study_id,
        count(*) filter (backlog.is_overdue and not effects.is_sent) as overdue,
        count(*) filter (backlog.is_hidden) as hidden
    from marts.incentive_backlog as backlog
    inner join reference.incentive_effects as effects
        on backlog.backlog_state = effects.backlog_state
    group by backlog.study_id
),

stalled_counts as (
    select
        study_id,
        count(*) as stalled
    from marts.ageing_participants
    where is_actionable
    group by study_id
)

select
    progress.study_id,
    coalesce(progress.study_name, progress.study_id) as study,
    progress.study_name is not null as is_named,
    progress.study_type,
    progress.participants,
    progress.completed,
    progress.participation_limit,
    progress.remaining,
    progress.over_limit,
    case when progress.is_closed then 'closed' when progress.is_full then 'full' else 'open' end as state,
    case when progress.participation_limit > 0 then least(1, progress.completed / progress.participation_limit) end as filled,
    coalesce(recent.changes, 0) as changes,
    coalesce(owed.overdue, 0) as overdue,
    coalesce(owed.hidden, 0) as hidden,
    coalesce(stalled_counts.stalled, 0) as stalled,
    progress.last_change_at,
    coalesce(recent.changes, 0) > 0 or progress.study_id is not distinct from $study as has_section,
    count(*) over () as of_all
from marts.study_progress as progress
left join recent
    on progress.study_id = recent.study_id
left join owed
    on progress.study_id = owed.study_id
left join stalled_counts
    on progress.study_id = stalled_counts.study_id
where progress.study_id = coalesce($study, progress.study_id)
order by changes desc, progress.last_change_at desc, progress.study_id
limit $rows
