{{ config(materialized='incremental', incremental_strategy='by_person') }}

with

participations as (
    select
        person_key,
        last_invited_at,
        -- In the same study the order of changes tells what came later, also at one instant.
        case when contact_ended_number > coalesce(last_invitation_number, 0) then contact_ended_at end as opted_out_at
    from {{ touched_rows_of(ref('int_participations'), ref('int_touched_people')) }}
),

events as (
    select * from {{ touched_rows_of(ref('stg_opt_outs'), ref('int_touched_people')) }}
    where occurred_at <= {{ as_of() }}
),

said as (
    select
        person_key,
        opted_out_at,
        last_invited_at as ended_at
    from participations
    union all
    select
        person_key,
        case when is_opt_out then occurred_at end as opted_out_at,
        case when not is_opt_out then occurred_at end as ended_at
    from events
)

select
    person_key,
    max(opted_out_at) as opted_out_at
from said
group by person_key
having max(opted_out_at) >= coalesce(max(ended_at), max(opted_out_at))
