with

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
        opted_out = 'true' as is_opt_out,
        try_cast(updated_at as {{ instant_type() }}) as occurred_at
    from other_events
    where opted_out in ('true', 'false') and updated_at like '____-__-__T%'
)

select distinct
    addresses.person_key,
    events.occurred_at,
    events.is_opt_out
from events
inner join addresses
    on events.email = addresses.email
where events.occurred_at is not null
