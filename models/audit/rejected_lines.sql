with

deliveries as (
    select * from {{ source('raw', 'deliveries') }}
),

files as (
    select * from {{ source('raw', 'files') }}
),

statuses as (
    select * from {{ ref('stg_statuses') }}
),

judged as (
    select
        deliveries.*,
        case
            when deliveries.reason is not null then deliveries.reason
            when deliveries.participant_id is null then null
            when statuses.status is null then 'unknown_status'
            when deliveries.prior_status is not null and prior_statuses.status is null then 'unknown_prior_status'
        end as rejected_for
    from deliveries
    left join statuses
        on deliveries.status = statuses.status
    left join statuses as prior_statuses
        on deliveries.prior_status = prior_statuses.status
)

select
    files.source_file,
    judged.line_number,
    judged.position,
    judged.rejected_for as reason,
    coalesce(judged.line, {{ escaped_bytes('judged.line_bytes') }}, {{ delivery_as_json() }}) as line,
    judged.file_id
from judged
inner join files
    on judged.file_id = files.file_id
where judged.rejected_for is not null
