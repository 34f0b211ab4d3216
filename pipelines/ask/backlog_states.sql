-- All states of the incentive backlog.
select distinct backlog_state
from reference.incentive_effects
where backlog_state is not null
order by backlog_state
