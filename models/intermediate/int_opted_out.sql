{{ config(materialized='incremental', incremental_strategy='by_person') }}

with

participations as (
    select
        person_key,
        last_invited_at,
        -- Within a study, sequence numbers show which came later, even at the same instant.
        case when contact_ended_number > coalesce(last_invitation_number, 0) then contact_ended_at end as opted_out_at
    from {{ touched_rows_of(ref('int_participations'), ref('int_touched_people')) }}
),

events as (
    select * from {{ touched_rows_of(ref('stg_opt_outs'), ref('int_touched_people')) }}
    where occurred_at <= {{ as_of() }}
),

opt_outs_and_returns as (
    select
        person_key,
        opted_out_at,
        last_invited_at as returned_at
    from participations
    union all
    select
        person_key,
        case when is_opt_out then occurred_at end as opted_out_at,
        case when not is_opt_out then occurred_at end as returned_at
    from events
)

select
    person_key,
    max(opted_out_at) as opted_out_at
from opt_outs_and_returns
group by person_key
-- If a person opts out in one study and is invited to another at the same instant, the opt-out holds.
having max(opted_out_at) >= coalesce(max(returned_at), max(opted_out_at))
