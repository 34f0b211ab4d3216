with

rules as (
    select * from {{ ref('stg_governance_rules') }}
    where judged_kind in ('invitation', 'study_invitation')
),

events as (
    select
        person_key,
        kind,
        occurred_at
    from {{ ref('int_governed_events') }}
)

select
    events.person_key,
    rules.rule_id
from rules
inner join events
    on
        rules.counted_kind = events.kind
        and events.occurred_at > {{ days_before(as_of(), 'rules.within_days') }}
        and events.occurred_at <= {{ as_of() }}
group by events.person_key, rules.rule_id, rules.judged_kind, rules.counted_kind, rules.at_most
-- The next invitation counts, too, if the rule counts the kind of event that it limits.
having count(*) + case when rules.judged_kind = rules.counted_kind then 1 else 0 end > rules.at_most
