{{ config(materialized='view') }}

with

changes as (
    select * from {{ ref('stg_changes') }}
),

statuses as (
    select * from {{ ref('stg_statuses') }}
),

known_by_then as (
    select * from changes
    where occurred_at <= {{ as_of() }}
)

select
    known_by_then.participant_id,
    known_by_then.person_id,
    known_by_then.study_id,
    known_by_then.status,
    known_by_then.prior_status,
    known_by_then.occurred_at,
    known_by_then.deliveries,
    statuses.status_rank,
    coalesce(prior_statuses.status_rank, 0) as prior_rank
from known_by_then
inner join statuses
    on known_by_then.status = statuses.status
left join statuses as prior_statuses
    on known_by_then.prior_status = prior_statuses.status
