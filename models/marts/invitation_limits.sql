with

rules as (
    select * from {{ ref('stg_governance_rules') }}
),

limited_by_rule as (
    select * from {{ ref('int_invitation_limits') }}
),

-- A cooldown is usually a rule, too, so the status In Cooldown counts only for people whom no rule limits.
limited_by_status as (
    select
        {{ id_key('person_id') }} as person_key,
        contact_status
    from {{ ref('people') }}
    where
        contact_status not in ('Free to Contact', 'In Cooldown')
        or (
            contact_status = 'In Cooldown'
            and {{ id_key('person_id') }} not in (select limited_by_rule.person_key from limited_by_rule)
        )
),

limits as (
    select
        person_key,
        rule_id as limit_id,
        true as is_rule
    from limited_by_rule
    union all
    select
        person_key,
        contact_status as limit_id,
        false as is_rule
    from limited_by_status
),

limited_people as (
    select
        *,
        count(*) over (partition by person_key) as limits_of_person
    from limits
)

select
    limited_people.limit_id,
    coalesce(rules.rule_name, limited_people.limit_id) as limit_name,
    limited_people.is_rule,
    cast(count(*) as integer) as people,
    cast(sum(case when limited_people.limits_of_person = 1 then 1 else 0 end) as integer) as people_only
from limited_people
left join rules
    on limited_people.limit_id = rules.rule_id and limited_people.is_rule
group by limited_people.limit_id, limited_people.is_rule, rules.rule_name
