-- People in the incentive backlog, by state.
-- All: studyflow backlog{study}
--   state | State | name: reference.incentive_effects.incentive_status
--   people | People | number: Participants in that state.
--   overdue | Overdue | number bad: Participants whose incentive has been in that state for longer than the setting incentive_sla_days (5 days by default).
--   hidden | Hidden | number bad: Participants who are owed an incentive that no table in Rally shows: it was not sent, and their stage is not Pending Incentive.
--   hidden_overdue | Hidden and overdue | number bad: People counted under both Hidden and Overdue.
--   oldest_days | Oldest | age: The longest time that anybody has been in that state.
select
    effects.backlog_state,
    effects.incentive_status as state,
    effects.is_sent,
    effects.requires_state is not null as is_returned,
    count(backlog.participant_id) as people,
    count(*) filter (backlog.is_overdue) as overdue,
    count(*) filter (backlog.is_hidden) as hidden,
    count(*) filter (backlog.is_hidden and backlog.is_overdue) as hidden_overdue,
    max(backlog.age_days) as oldest_days
from reference.incentive_effects as effects
left join marts.incentive_backlog as backlog
    on
        effects.backlog_state = backlog.backlog_state
        and backlog.study_id = coalesce($study, backlog.study_id)
where effects.backlog_state is not null
group by effects.backlog_state, effects.incentive_status, effects.is_sent, effects.requires_state
order by effects.is_sent, effects.requires_state is null, effects.backlog_state
