{{ config(materialized='view') }}

with

deliveries as (
    select * from {{ source('raw', 'deliveries') }}
),

statuses as (
    select * from {{ ref('stg_statuses') }}
)

select
    deliveries.file_id,
    deliveries.line_number,
    deliveries.position,
    deliveries.load_id,

    deliveries.participant_id,
    deliveries.person_id,
    deliveries.study_id,
    {{ id_key('deliveries.participant_id') }} as participant_key,
    {{ id_key('deliveries.person_id') }} as person_key,
    {{ id_key('deliveries.study_id') }} as study_key,

    deliveries.status,
    deliveries.prior_status,
    statuses.status_rank,
    cast(coalesce(prior_statuses.status_rank, 0) as smallint) as prior_rank,
    deliveries.updated_at as occurred_at
from deliveries
inner join statuses
    on deliveries.status = statuses.status
left join statuses as prior_statuses
    on deliveries.prior_status = prior_statuses.status
where
    deliveries.reason is null
    and (deliveries.prior_status is null or prior_statuses.status is not null)
