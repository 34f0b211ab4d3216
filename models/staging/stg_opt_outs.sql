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
        coalesce({{ json_text('line', 'email') }}, {{ json_text('line', 'payload.email') }}) as address,
        coalesce({{ json_text('line', 'optedOut') }}, {{ json_text('line', 'payload.optedOut') }}) as opted_out,
        coalesce({{ json_text('line', 'updatedAt') }}, {{ json_text('line', 'payload.updatedAt') }}) as updated_at
    from {{ source('raw', 'deliveries') }}
    where event_type = 'person.opted_out'
),

events as (
    select
        opted_out = 'true' as is_opt_out,
        trim(both ' ' from {{ lower_case('address') }}) as email,
        {{ instant_of_text('updated_at') }} as occurred_at
    from other_events
    where opted_out in ('true', 'false')
)

select distinct
    addresses.person_key,
    events.occurred_at,
    events.is_opt_out
from events
inner join addresses
    on events.email = addresses.email
where events.occurred_at is not null
