-- raw.deliveries has the lines that raw.files says were read. A line that is a batch has several deliveries.
-- Why: every table is built from these rows, and nothing else would reveal a missing one.
-- Remedy: raw.deliveries differs from the lines that were read. Move the warehouse away and load everything again
-- with: studyflow run
-- Key: file_id
-- Rules of raw.deliveries:
--   is_of_no_file: every delivery belongs to a file in raw.files (kept_lines)
-- Rules of raw.files:
--   has_other_lines: lines - blank_lines = lines in raw.deliveries (source_file, lines, blank_lines, kept_lines)
--   was_longer: lines + forgotten lines = all lines that the file had when it was read (source_file,
--     physical_lines, lines, forgotten_lines)
with

files as (
    select * from {{ source('raw', 'files') }}
),

kept as (
    select
        file_id,
        count(*) filter (where position = 0) + count(distinct case when position > 0 then line_number end) as kept_lines
    from {{ source('raw', 'deliveries') }}
    group by file_id
),

kept_batches as (
    select distinct
        file_id,
        line_number
    from {{ source('raw', 'deliveries') }}
    where position > 0
),

forgotten as (
    select
        forgotten_deliveries.file_id,
        count(distinct forgotten_deliveries.line_number) as forgotten_lines
    from {{ source('raw', 'forgotten_lines') }} as forgotten_deliveries
    left join kept_batches
        on
            forgotten_deliveries.file_id = kept_batches.file_id
            and forgotten_deliveries.line_number = kept_batches.line_number
    where kept_batches.file_id is null
    group by forgotten_deliveries.file_id
),

compared as (
    select
        coalesce(files.file_id, kept.file_id) as file_id,
        files.source_file,
        files.lines,
        files.blank_lines,
        coalesce(kept.kept_lines, 0) as kept_lines,
        coalesce(forgotten.forgotten_lines, 0) as forgotten_lines,
        case
            when not files.is_superseded
                then files.next_line - 1 + case when files.open_line_bytes > 0 then 1 else 0 end
        end as physical_lines,
        files.file_id is null as is_of_no_file
    from files
    full outer join kept
        on files.file_id = kept.file_id
    left join forgotten
        on files.file_id = forgotten.file_id
),

judged as (
    select
        *,
        lines - blank_lines <> kept_lines as has_other_lines,
        physical_lines <> lines + forgotten_lines as was_longer
    from compared
)

select * from judged
where is_of_no_file or has_other_lines or was_longer
