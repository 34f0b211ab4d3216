{%- set before = previous_build() if builds_on_the_last() else none -%}
{%- if before -%}
with

deliveries as (
    select * from {{ source('raw', 'deliveries') }}
),

withdrawals as (
    select * from {{ source('raw', 'withdrawals') }}
),

-- As the last build left it.
participants as (
    select * from {{ api.Relation.create(this.database, 'marts', 'participants') }}
),

touched as (
    select participant_id from deliveries
    where load_id > {{ before.previous_load_id }}
    union
    select participant_id from withdrawals
    where load_id > {{ before.previous_load_id }}
    union
    -- what was later than the as-of of the last build
    select participant_id from deliveries
    where updated_at > {{ instant(before.previous_as_of) }} and updated_at <= {{ as_of() }}
)

select
    touched.participant_id,
    participants.study_id,
    participants.person_id
from touched
left join participants
    on touched.participant_id = participants.participant_id
where touched.participant_id is not null
{%- else -%}
    select
        cast(null as {{ dbt.type_string() }}) as participant_id,
        cast(null as {{ dbt.type_string() }}) as study_id,
        cast(null as {{ dbt.type_string() }}) as person_id
    from {{ source('raw', 'deliveries') }}
    cross join {{ source('raw', 'withdrawals') }}
    where 1 = 0
{%- endif %}
