{%- set before = previous_build() %}
with

-- New deliveries, and earlier ones that were later than the as-of of the last build but count now.
new_deliveries as (
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

withdrawn_deliveries as (
    select participant_id
    from {{ source('raw', 'withdrawals') }}
    where participant_id <> '' and {{ 'load_id > ' ~ before.load_id if before else '1 = 0' }}
),

touched as (
    select participant_id from new_deliveries
    union
    select participant_id from withdrawn_deliveries
)

select
    participant_id,
    {{ id_key('participant_id') }} as participant_key
from touched
