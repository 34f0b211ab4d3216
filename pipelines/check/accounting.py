"""Whether every line is accounted for: what the tables count, counted again from the lines that are kept."""

from pipelines.check.meanings import STALE, TAMPERED
from pipelines.check.scan import Rule, Scan

LEDGER, DELIVERIES, LOAD_FILES, REJECTED, STAGED = (
    "raw.files",
    "raw.deliveries",
    "audit.load_files",
    "audit.rejected_lines",
    "staging.stg_changes",
)

FILES = """
with

judged as (
    select
        deliveries.file_id,
        case
            when deliveries.reason is not null then 'rejected'
            when deliveries.participant_id is null then 'other'
            when deliveries.status not in (select status from staging.stg_statuses) then 'rejected'
            when deliveries.prior_status not in (select status from staging.stg_statuses) then 'rejected'
            else 'accepted'
        end as outcome
    from raw.deliveries as deliveries
),

kept as (
    select
        file_id,
        count(*) as kept_lines,
        count(*) filter (where outcome = 'accepted') as kept_accepted,
        count(*) filter (where outcome = 'other') as kept_other_events,
        count(*) filter (where outcome = 'rejected') as kept_rejected
    from judged
    group by file_id
),

listed as (
    select file_id, count(*) as listed_rejected
    from audit.rejected_lines
    group by file_id
)

select
    coalesce(ledger.file_id, kept.file_id, counted.file_id, listed.file_id) as file_id,
    ledger.file_id is not null as is_in_ledger,
    counted.file_id is not null as is_counted,
    coalesce(ledger.source_file, counted.source_file) as source_file,

    ledger.lines as ledger_lines,
    ledger.blank_lines as ledger_blank,
    ledger.lines - ledger.blank_lines as ledger_kept,
    coalesce(kept.kept_lines, 0) as kept_lines,
    coalesce(kept.kept_accepted, 0) as kept_accepted,
    coalesce(kept.kept_other_events, 0) as kept_other_events,
    coalesce(kept.kept_rejected, 0) as kept_rejected,

    counted.lines,
    counted.blank,
    counted.accepted,
    counted.other_events,
    counted.rejected,
    coalesce(listed.listed_rejected, 0) as listed_rejected
from raw.files as ledger
full join kept
    on ledger.file_id = kept.file_id
full join audit.load_files as counted
    on coalesce(ledger.file_id, kept.file_id) = counted.file_id
full join listed
    on coalesce(ledger.file_id, kept.file_id, counted.file_id) = listed.file_id
"""

BY_FILE = Scan(
    FILES,
    (
        Rule(
            DELIVERIES,
            "every delivery is of a file in raw.files",
            "kept_lines > 0 and not is_in_ledger",
            "file_id, kept_lines",
            TAMPERED,
        ),
        Rule(
            LEDGER,
            "lines - blank_lines = rows in raw.deliveries",
            "ledger_kept <> kept_lines",
            "file_id, source_file, ledger_lines, ledger_blank, kept_lines",
            TAMPERED,
        ),
        Rule(
            LOAD_FILES,
            "every file in raw.files with lines is there, and no other",
            "is_in_ledger and not is_counted and ledger_lines > 0 or is_counted and not is_in_ledger",
            "file_id, source_file, is_in_ledger, ledger_lines",
            STALE,
        ),
        Rule(
            LOAD_FILES,
            "lines and blank are those of raw.files",
            "lines <> ledger_lines or blank <> ledger_blank",
            "file_id, source_file, lines, ledger_lines, blank, ledger_blank",
            STALE,
        ),
        Rule(
            LOAD_FILES,
            "accepted, other_events and rejected are what raw.deliveries has",
            "accepted <> kept_accepted or other_events <> kept_other_events or rejected <> kept_rejected",
            "file_id, source_file, accepted, kept_accepted, other_events, kept_other_events, rejected, kept_rejected",
            STALE,
        ),
        Rule(
            REJECTED,
            "one row per rejected line of raw.deliveries",
            "listed_rejected <> kept_rejected",
            "file_id, source_file, listed_rejected, kept_rejected",
            STALE,
        ),
    ),
)

TOTAL = Scan(
    """
select
    (select cast(coalesce(sum(accepted), 0) as bigint) from audit.load_files) as accepted,
    (select count(*) from staging.stg_changes) as distinct_changes,
    (select cast(coalesce(sum(deliveries), 0) as bigint) from staging.stg_changes) as deliveries
""",
    (
        Rule(
            STAGED,
            "the deliveries of all changes = the accepted lines of all files",
            "deliveries <> accepted",
            "accepted, distinct_changes, deliveries",
            STALE,
        ),
    ),
)

ACCOUNTING = (BY_FILE, TOTAL)
