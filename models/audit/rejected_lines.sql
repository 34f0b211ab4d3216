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

-- Few values, so that all lines need not be judged one by one.
unknown_statuses as (
    select distinct status from deliveries
    where status not in (select status from statuses)
),

unknown_prior_statuses as (
    select distinct prior_status from deliveries
    where prior_status not in (select status from statuses)
),

judged as (
    select
        *,
        reason as rejected_for
    from deliveries
    where reason is not null
    union all
    select
        *,
        'unknown_status' as rejected_for
    from deliveries
    where status in (select status from unknown_statuses)
    union all
    select
        *,
        'unknown_prior_status' as rejected_for
    from deliveries
    where
        prior_status in (select prior_status from unknown_prior_statuses)
        and status in (select status from statuses)
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
