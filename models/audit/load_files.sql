with

files as (
    select * from {{ source('raw', 'files') }}
),

deliveries as (
    select * from {{ source('raw', 'deliveries') }}
),

changes_in_several_files as (
    select * from {{ ref('stg_changes') }}
    where first_file_id <> last_file_id
),

accepted_deliveries as (
    select * from {{ ref('stg_deliveries') }}
),

rejected as (
    select * from {{ ref('rejected_lines') }}
),

-- One row per change and file. Most changes are in a single file, and stg_changes has counted their deliveries.
changes_by_file as (
    select
        first_file_id as file_id,
        deliveries
    from {{ ref('stg_changes') }}
    where first_file_id = last_file_id
    union all
    select
        repeated.file_id,
        count(*) as deliveries
    from accepted_deliveries as repeated
    inner join changes_in_several_files as changes
        on
            repeated.participant_key = changes.participant_key
            and repeated.person_key = changes.person_key
            and repeated.study_key = changes.study_key
            and repeated.status_rank = changes.status_rank
            and repeated.prior_rank = changes.prior_rank
            and repeated.occurred_at = changes.occurred_at
    group by
        repeated.file_id,
        changes.participant_key,
        changes.person_key,
        changes.study_key,
        changes.status_rank,
        changes.prior_rank,
        changes.occurred_at
),

accepted_by_file as (
    select
        file_id,
        sum(deliveries) as accepted,
        count(*) as distinct_changes
    from changes_by_file
    group by file_id
),

others_by_file as (
    select
        file_id,
        count(*) filter (where reason is null and participant_id is null) as other_events,
        count(distinct case when position > 0 then line_number end) as batch_lines,
        count(*) filter (where position > 0) as batch_deliveries,
        {{ joined_texts('shape') }} as shapes
    from deliveries
    where (reason is null and participant_id is null) or shape is not null
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
    from {{ source('raw', 'forgotten_lines') }}
    group by file_id
)

select
    files.source_file,
    files.file_id,
    files.is_superseded,

    files.lines,
    files.blank_lines as blank,
    cast(coalesce(accepted_by_file.accepted, 0) as bigint) as accepted,
    coalesce(others_by_file.other_events, 0) as other_events,
    coalesce(rejected_by_file.rejected, 0) as rejected,

    cast(coalesce(accepted_by_file.distinct_changes, 0) as bigint) as distinct_changes,
    cast(coalesce(accepted_by_file.accepted - accepted_by_file.distinct_changes, 0) as bigint) as repeated_deliveries,
    coalesce(forgotten_by_file.forgotten_lines, 0) as forgotten_lines,
    files.pending_bytes,

    coalesce(others_by_file.batch_lines, 0) as batch_lines,
    coalesce(others_by_file.batch_deliveries, 0) as batch_deliveries,
    others_by_file.shapes
from files
left join accepted_by_file
    on files.file_id = accepted_by_file.file_id
left join others_by_file
    on files.file_id = others_by_file.file_id
left join rejected_by_file
    on files.file_id = rejected_by_file.file_id
left join forgotten_by_file
    on files.file_id = forgotten_by_file.file_id
where not files.is_superseded or files.lines > 0
