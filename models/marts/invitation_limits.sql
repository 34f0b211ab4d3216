with

rules as (
    select * from {{ ref('stg_governance_rules') }}
),

by_a_rule as (
    select * from {{ ref('int_invitation_limits') }}
),

-- The cooldown of the contact status is that of the rules, so it counts only where no rule keeps somebody.
by_contact_status as (
    select
        {{ id_key('person_id') }} as person_key,
        contact_status
    from {{ ref('people') }}
    where
        contact_status not in ('Free to Contact', 'In Cooldown')
        or (
            contact_status = 'In Cooldown'
            and {{ id_key('person_id') }} not in (select by_a_rule.person_key from by_a_rule)
        )
),

kept as (
    select
        person_key,
        rule_id as limit_id,
        true as is_rule
    from by_a_rule
    union all
    select
        person_key,
        contact_status as limit_id,
        false as is_rule
    from by_contact_status
),

counted as (
    select
        *,
        count(*) over (partition by person_key) as limits
    from kept
)

select
    counted.limit_id,
    coalesce(rules.rule_name, counted.limit_id) as limit_name,
    counted.is_rule,
    cast(count(*) as integer) as people,
    cast(sum(case when counted.limits = 1 then 1 else 0 end) as integer) as people_only
from counted
left join rules
    on counted.limit_id = rules.rule_id and counted.is_rule
group by counted.limit_id, counted.is_rule, rules.rule_name
