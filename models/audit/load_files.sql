with

files as (
    select * from {{ source('raw', 'files') }}
),

deliveries as (
    select * from {{ source('raw', 'deliveries') }}
),

participant_files as (
    select * from {{ ref('int_participant_files') }}
),

rejected as (
    select * from {{ ref('rejected_lines') }}
),

forgotten_lines as (
    select * from {{ source('raw', 'forgotten_lines') }}
),

accepted_by_file as (
    select
        file_id,
        sum(accepted) as accepted,
        sum(distinct_changes) as distinct_changes
    from participant_files
    group by file_id
),

other_events_by_file as (
    select
        file_id,
        count(*) as other_events
    from deliveries
    where reason is null and participant_id is null
    group by file_id
),

rejected_by_file as (
    select
        file_id,
        count(*) as rejected
    from rejected
    group by file_id
),

forgotten_by_file as (
    select
        file_id,
        count(*) as forgotten_lines
    from forgotten_lines
    group by file_id
)

select
    files.source_file,
    files.file_id,
    files.is_superseded,

    files.lines,
    files.blank_lines as blank,
    cast(coalesce(accepted_by_file.accepted, 0) as bigint) as accepted,
    coalesce(other_events_by_file.other_events, 0) as other_events,
    coalesce(rejected_by_file.rejected, 0) as rejected,

    cast(coalesce(accepted_by_file.distinct_changes, 0) as bigint) as distinct_changes,
    cast(coalesce(accepted_by_file.accepted - accepted_by_file.distinct_changes, 0) as bigint) as repeated_deliveries,
    coalesce(forgotten_by_file.forgotten_lines, 0) as forgotten_lines,
    files.pending_bytes
from files
left join accepted_by_file
    on files.file_id = accepted_by_file.file_id
left join other_events_by_file
    on files.file_id = other_events_by_file.file_id
left join rejected_by_file
    on files.file_id = rejected_by_file.file_id
left join forgotten_by_file
    on files.file_id = forgotten_by_file.file_id
where not files.is_superseded or files.lines > 0
