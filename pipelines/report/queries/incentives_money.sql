-- What the incentive backlog adds up to, by state and currency; amounts in different currencies are never added up.
-- All: studyflow backlog{study}
--   state | State | name: reference.incentive_effects.incentive_status
--   amount | Amount | money currency: What these incentives add up to; a dash if studies.csv has no amount.
--   people | People | number: Participants in that state whose incentive is in that currency.
--   overdue_amount | Amount overdue | money currency: The part of the amount that is overdue.
--   overdue | People overdue | number bad: How many of these people have been waiting for longer than incentive_sla_days.
select
    effects.backlog_state,
    effects.incentive_status as state,
    case when backlog.amount_cents is not null then backlog.currency end as currency,
    backlog.amount_cents is not null as is_known,
    sum(backlog.amount_cents) / 100 as amount,
    count(*) as people,
    sum(backlog.amount_cents) filter (backlog.is_overdue) / 100 as overdue_amount,
    count(*) filter (backlog.is_overdue) as overdue
from marts.incentive_backlog as backlog
inner join reference.incentive_effects as effects
    on backlog.backlog_state = effects.backlog_state
where backlog.study_id = coalesce($study, backlog.study_id)
group by all
order by effects.backlog_state, is_known desc, people desc, currency
