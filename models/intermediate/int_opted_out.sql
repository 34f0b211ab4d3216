with

participations as (
    select
        person_key,
        last_invited_at,
        -- In the same study the order of changes tells what came later, also at one instant.
        case when contact_ended_number > coalesce(last_invitation_number, 0) then contact_ended_at end as opted_out_at
    from {{ ref('int_participations') }}
),

addresses as (
    select
        {{ id_key('person_id') }} as person_key,
        email
    from {{ ref('stg_people') }}
    where email is not null
),

-- Such an event has an address and no id. Rally sends it as it is, others in an envelope.
other_events as (
    select
        lower(trim(coalesce({{ json_text('line', 'email') }}, {{ json_text('line', 'payload.email') }}))) as email,
        coalesce({{ json_text('line', 'optedOut') }}, {{ json_text('line', 'payload.optedOut') }}) as opted_out,
        coalesce({{ json_text('line', 'updatedAt') }}, {{ json_text('line', 'payload.updatedAt') }}) as updated_at
    from {{ source('raw', 'deliveries') }}
    where event_type = 'person.opted_out'
),

events as (
    select
        email,
        opted_out,
        try_cast(updated_at as {{ instant_type() }}) as occurred_at
    from other_events
    where updated_at like '____-__-__T%'
),

said as (
    select
        person_key,
        opted_out_at,
        last_invited_at as ended_at
    from participations
    union all
    select
        addresses.person_key,
        case when events.opted_out = 'true' then events.occurred_at end as opted_out_at,
        case when events.opted_out = 'false' then events.occurred_at end as ended_at
    from events
    inner join addresses
        on events.email = addresses.email
    where events.occurred_at <= {{ as_of() }}
)

select
    person_key,
    max(opted_out_at) as opted_out_at
from said
group by person_key
having max(opted_out_at) >= coalesce(max(ended_at), max(opted_out_at))
