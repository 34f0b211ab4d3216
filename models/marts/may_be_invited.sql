with

people as (
    select
        *,
        {{ id_key('person_id') }} as person_key
    from {{ ref('people') }}
    where contact_status = 'Free to Contact'
),

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
),

-- Whom one more invitation now would put over a limit, or who is in a cooldown of the rules.
over_a_limit as (
    select events.person_key
    from rules
    inner join events
        on
            rules.counted_kind = events.kind
            and events.occurred_at > {{ days_before(as_of(), 'rules.within_days') }}
            and events.occurred_at <= {{ as_of() }}
    group by events.person_key, rules.rule_id, rules.judged_kind, rules.counted_kind, rules.at_most
    having count(*) + case when rules.judged_kind = rules.counted_kind then 1 else 0 end > rules.at_most
)

select
    cast(rank() over (order by is_active_in_study asc, last_contact_at asc nulls first) as integer) as place,
    person_id,
    is_active_in_study,
    last_contact_at,
    cast(floor({{ days_between('last_contact_at', as_of()) }}) as integer) as days_since_contact,
    contacts_90d,
    studies,
    studies_invited,
    response_rate,
    no_shows
from people
where person_key not in (select over_a_limit.person_key from over_a_limit)
