with

addresses as (
    select
        {{ id_key('person_id') }} as person_key,
        email
    from {{ ref('stg_people') }}
    where email is not null
),

-- These events name an email address, not a person id. Rally sends them bare; other senders use an envelope.
raw_events as (
    select
        coalesce({{ json_text('line', 'email') }}, {{ json_text('line', 'payload.email') }}) as address,
        coalesce({{ json_text('line', 'optedOut') }}, {{ json_text('line', 'payload.optedOut') }}) as opted_out,
        coalesce({{ json_text('line', 'updatedAt') }}, {{ json_text('line', 'payload.updatedAt') }}) as updated_at
    from {{ source('raw', 'deliveries') }}
    where event_type = 'person.opted_out'
),

opt_out_events as (
    select
        opted_out = 'true' as is_opt_out,
        trim(both ' ' from {{ lower_case('address') }}) as email,
        {{ instant_of_text('updated_at') }} as occurred_at
    from raw_events
    where opted_out in ('true', 'false')
)

select distinct
    addresses.person_key,
    opt_out_events.occurred_at,
    opt_out_events.is_opt_out
from opt_out_events
inner join addresses
    on opt_out_events.email = addresses.email
where opt_out_events.occurred_at is not null
