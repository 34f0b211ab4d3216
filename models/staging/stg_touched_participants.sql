{%- set before = previous_build() %}
with

-- What is new, and what was later than the as-of of the last build.
arrived as (
    select participant_id
    from {{ source('raw', 'deliveries') }}
    where
        participant_id is not null
        and {% if before -%}
            (
                load_id > {{ before.load_id }}
                or (updated_at > {{ instant(before.as_of) }} and updated_at <= {{ as_of() }})
            )
        {%- else -%} 1 = 0 {%- endif %}
),

taken_back as (
    select participant_id
    from {{ source('raw', 'withdrawals') }}
    where participant_id <> '' and {{ 'load_id > ' ~ before.load_id if before else '1 = 0' }}
),

touched as (
    select participant_id from arrived
    union
    select participant_id from taken_back
)

select
    participant_id,
    {{ id_key('participant_id') }} as participant_key
from touched
