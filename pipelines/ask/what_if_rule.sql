-- The rule of governance_rules.csv with the id $rule_id.
select judged_kind, counted_kind, at_most, within_days
from staging.stg_governance_rules
where rule_id = $rule_id
