-- Who is in the incentive backlog, by state.
--   state | State | name: reference.incentive_effects.incentive_status
--   people | People | number: Participants in that state.
--   overdue | Overdue | number bad: marts.incentive_backlog.is_overdue
--   hidden | Hidden | number bad: marts.incentive_backlog.is_hidden
--   oldest_days | Oldest | days: marts.incentive_backlog.age_days
--   amount | Amount | amount: What they are owed together, in the currency of studies.csv, where it says.
--   without_amount | Unknown | number: Those of them whose study has no amount in studies.csv.
select
    effects.backlog_state,
    effects.incentive_status as state,
    effects.is_sent,
    effects.requires_state is not null as is_returned,
    count(backlog.participant_id) as people,
    count(*) filter (backlog.is_overdue) as overdue,
    count(*) filter (backlog.is_hidden) as hidden,
    max(backlog.age_days) as oldest_days,
    sum(backlog.amount_cents) / 100 as amount,
    sum(backlog.amount_cents) filter (backlog.is_overdue) / 100 as overdue_amount,
    count(*) filter (backlog.is_overdue and backlog.amount_cents is null) as overdue_without_amount,
    count(*) filter (backlog.participant_id is not null and backlog.amount_cents is null) as without_amount
from reference.incentive_effects as effects
left join marts.incentive_backlog as backlog
    on
        effects.backlog_state = backlog.backlog_state
        and backlog.study_id = coalesce($study, backlog.study_id)
where effects.backlog_state is not null
group by effects.backlog_state, effects.incentive_status, effects.is_sent, effects.requires_state
order by effects.is_sent, effects.requires_state is null, effects.backlog_state
