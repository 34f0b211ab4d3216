-- audit.load_files counts each delivery in the raw tables exactly once, by file and outcome.
-- Why: the load promises that every line is accounted for. A line in no count, or in two, would be lost or counted
-- twice, unnoticed.
-- Remedy: The table was not built from the lines that are loaded now. Build it again: studyflow build
-- Key: file_id
-- Rules of audit.load_files:
--   is_wrongly_listed: every file in raw.files with lines is listed, and no other (source_file, is_read, is_counted)
--   lines_differ: lines and blank are as in raw.files (source_file, lines, lines_read, blank, blank_read)
--   forgotten_differ: forgotten_lines is the count in raw.forgotten_lines
--     (source_file, forgotten_lines, forgotten_kept)
--   outcomes_differ: accepted, other_events and rejected are the counts in raw.deliveries (source_file, accepted,
--     accepted_kept, other_events, other_events_kept, rejected, rejected_kept)
--   batches_differ: batch_lines and batch_deliveries are the counts in raw.deliveries (source_file, batch_lines,
--     batch_lines_kept, batch_deliveries, batch_deliveries_kept)
--   lines_do_not_add_up: lines - batch_lines + batch_deliveries = blank + accepted + other_events + rejected
--     (source_file, lines, batch_lines, batch_deliveries, blank, accepted, other_events, rejected)
--   accepted_do_not_add_up: accepted = distinct_changes + repeated_deliveries (source_file, accepted,
--     distinct_changes, repeated_deliveries)
-- Rules of audit.rejected_lines:
--   rejected_differ: one row per rejected line of raw.deliveries (source_file, rejected_listed, rejected_kept)
with

statuses as (
    select distinct status from {{ ref('stg_statuses') }}
),

kinds as (
    select
        file_id,
        reason is not null as is_refused,
        participant_id is null as is_of_nobody,
        status,
        prior_status,
        count(*) as lines
    from {{ source('raw', 'deliveries') }}
    group by file_id, reason is not null, participant_id is null, status, prior_status
),

outcomes as (
    select
        kinds.file_id,
        kinds.lines,
        case
            when kinds.is_refused then 'rejected'
            when kinds.is_of_nobody then 'other'
            when statuses.status is null then 'rejected'
            when kinds.prior_status is not null and prior_statuses.status is null then 'rejected'
            else 'accepted'
        end as outcome
    from kinds
    left join statuses
        on kinds.status = statuses.status
    left join statuses as prior_statuses
        on kinds.prior_status = prior_statuses.status
),

kept as (
    select
        file_id,
        cast(coalesce(sum(lines) filter (where outcome = 'accepted'), 0) as bigint) as accepted,
        cast(coalesce(sum(lines) filter (where outcome = 'other'), 0) as bigint) as other_events,
        cast(coalesce(sum(lines) filter (where outcome = 'rejected'), 0) as bigint) as rejected
    from outcomes
    group by file_id
),

batches as (
    select
        file_id,
        count(distinct line_number) as batch_lines,
        count(*) as batch_deliveries
    from {{ source('raw', 'deliveries') }}
    where position > 0
    group by file_id
),

listed as (
    select
        file_id,
        count(*) as rejected
    from {{ ref('rejected_lines') }}
    group by file_id
),

forgotten as (
    select
        file_id,
        count(*) as forgotten_lines
    from {{ source('raw', 'forgotten_lines') }}
    group by file_id
),

compared as (
    select
        coalesce(files.file_id, kept.file_id, counted.file_id, listed.file_id) as file_id,
        coalesce(files.source_file, counted.source_file) as source_file,
        files.file_id is not null as is_read,
        counted.file_id is not null as is_counted,

        files.lines as lines_read,
        files.blank_lines as blank_read,
        coalesce(kept.accepted, 0) as accepted_kept,
        coalesce(kept.other_events, 0) as other_events_kept,
        coalesce(kept.rejected, 0) as rejected_kept,
        coalesce(listed.rejected, 0) as rejected_listed,
        coalesce(forgotten.forgotten_lines, 0) as forgotten_kept,
        coalesce(batches.batch_lines, 0) as batch_lines_kept,
        coalesce(batches.batch_deliveries, 0) as batch_deliveries_kept,

        counted.lines,
        counted.blank,
        counted.accepted,
        counted.other_events,
        counted.rejected,
        counted.distinct_changes,
        counted.repeated_deliveries,
        counted.forgotten_lines,
        counted.batch_lines,
        counted.batch_deliveries
    from {{ source('raw', 'files') }} as files
    full outer join kept
        on files.file_id = kept.file_id
    full outer join {{ ref('load_files') }} as counted
        on coalesce(files.file_id, kept.file_id) = counted.file_id
    full outer join listed
        on coalesce(files.file_id, kept.file_id, counted.file_id) = listed.file_id
    left join forgotten
        on files.file_id = forgotten.file_id
    left join batches
        on files.file_id = batches.file_id
),

judged as (
    select
        *,
        (is_read and not is_counted and lines_read > 0) or (is_counted and not is_read) as is_wrongly_listed,
        lines <> lines_read or blank <> blank_read as lines_differ,
        forgotten_lines <> forgotten_kept as forgotten_differ,
        accepted <> accepted_kept or other_events <> other_events_kept or rejected <> rejected_kept as outcomes_differ,
        batch_lines <> batch_lines_kept or batch_deliveries <> batch_deliveries_kept as batches_differ,
        lines - batch_lines + batch_deliveries <> blank + accepted + other_events + rejected as lines_do_not_add_up,
        accepted <> distinct_changes + repeated_deliveries as accepted_do_not_add_up,
        rejected_listed <> rejected_kept as rejected_differ
    from compared
)

select * from judged
where
    is_wrongly_listed
    or lines_differ
    or forgotten_differ
    or outcomes_differ
    or batches_differ
    or lines_do_not_add_up
    or accepted_do_not_add_up
    or rejected_differ
