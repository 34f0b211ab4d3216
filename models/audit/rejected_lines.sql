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
        *,
        case
            when reason is not null then reason
            when status not in (select status from statuses) then 'unknown_status'
            when prior_status not in (select status from statuses) then 'unknown_prior_status'
        end as rejected_for
    from deliveries
)

select
    files.source_file,
    judged.line_number,
    judged.rejected_for as reason,
    coalesce(judged.line, {{ escaped_bytes('judged.line_bytes') }}, {{ delivery_as_json() }}) as line,
    judged.file_id
from judged
inner join files
    on judged.file_id = files.file_id
where judged.rejected_for is not null
