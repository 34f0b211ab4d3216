{%- set before = previous_build() %}
with

touched_participants as (
    select * from {{ ref('stg_touched_participants') }}
),

changes as (
    select
        person_key,
        occurred_at
    from {{ ref('int_status_changes') }}
),

events as (
    select * from {{ ref('int_governed_events') }}
),

rules as (
    select * from {{ ref('stg_governance_rules') }}
),

opt_outs as (
    select * from {{ ref('stg_opt_outs') }}
),

identities as (
    select * from {{ ref('stg_identities') }}
),

-- Everyone whom a touched participant's deliveries name, not only their current person.
people_of_participants as (
    select identities.person_key
    from identities
    inner join touched_participants
        on identities.participant_key = touched_participants.participant_key
),

-- Since the last build, one of their changes left a window of days, or a cooldown of theirs ended.
people_with_ended_windows as (
    select person_key
    from changes
    where
        {%- for days in window_and_cooldown_days() if before %}
            {{ 'or ' if not loop.first }}{{ ends_since_last_build('occurred_at', days) }}
        {%- else %}
            1 = 0
        {%- endfor %}
    union all
    select events.person_key
    from events
    inner join rules
        on events.kind = rules.counted_kind
    where {{ ends_since_last_build('events.occurred_at', 'rules.within_days') if before else '1 = 0' }}
),

touched_people as (
    select person_key from people_of_participants
    union
    select person_key from people_with_ended_windows
    union
    -- Opt-out events name no participant, so everyone with such an event is computed again.
    select person_key from opt_outs
    where {{ '1 = 1' if before else '1 = 0' }}
)

select distinct
    touched_people.person_key,
    identities.person_id
from touched_people
left join identities
    on touched_people.person_key = identities.person_key
