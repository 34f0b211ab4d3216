"""Whether every line is accounted for: what the tables count, counted again from the lines that are kept."""

from pipelines.check.keys import unique
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

kinds as (
    select
        file_id,
        reason is not null as is_refused,
        participant_id is null as is_of_nobody,
        status,
        prior_status,
        count(*) as lines
    from raw.deliveries
    group by all
),

judged as (
    select
        file_id,
        lines,
        case
            when is_refused then 'rejected'
            when is_of_nobody then 'other'
            when status not in (select status from staging.stg_statuses) then 'rejected'
            when prior_status not in (select status from staging.stg_statuses) then 'rejected'
            else 'accepted'
        end as outcome
    from kinds
),

kept as (
    select
        file_id,
        cast(sum(lines) as bigint) as kept_lines,
        cast(coalesce(sum(lines) filter (where outcome = 'accepted'), 0) as bigint) as kept_accepted,
        cast(coalesce(sum(lines) filter (where outcome = 'other'), 0) as bigint) as kept_other_events,
        cast(coalesce(sum(lines) filter (where outcome = 'rejected'), 0) as bigint) as kept_rejected
    from judged
    group by file_id
),

listed as (
    select file_id, count(*) as listed_rejected
    from audit.rejected_lines
    group by file_id
),

withheld as (
    select file_id, count(*) as withheld_lines
    from raw.forgotten_lines
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
    case
        when not ledger.is_superseded then ledger.next_line - 1 + (ledger.open_line_bytes > 0)::int
    end as physical_lines,
    coalesce(withheld.withheld_lines, 0) as withheld_lines,
    coalesce(kept.kept_lines, 0) as kept_lines,
    coalesce(kept.kept_accepted, 0) as kept_accepted,
    coalesce(kept.kept_other_events, 0) as kept_other_events,
    coalesce(kept.kept_rejected, 0) as kept_rejected,

    counted.lines,
    counted.blank,
    counted.accepted,
    counted.other_events,
    counted.rejected,
    counted.forgotten_lines,
    coalesce(listed.listed_rejected, 0) as listed_rejected
from raw.files as ledger
full join kept
    on ledger.file_id = kept.file_id
full join audit.load_files as counted
    on coalesce(ledger.file_id, kept.file_id) = counted.file_id
full join listed
    on coalesce(ledger.file_id, kept.file_id, counted.file_id) = listed.file_id
left join withheld
    on ledger.file_id = withheld.file_id
"""

IN_LEDGER = Rule(
    DELIVERIES,
    "every delivery is of a file in raw.files",
    "kept_lines > 0 and not is_in_ledger",
    "file_id, kept_lines",
    TAMPERED,
)
ALL_KEPT = Rule(
    LEDGER,
    "lines - blank_lines = rows in raw.deliveries",
    "ledger_kept <> kept_lines",
    "file_id, source_file, ledger_lines, ledger_blank, kept_lines",
    TAMPERED,
)
ALL_THERE = Rule(
    LEDGER,
    "lines and forgotten lines are all lines that the file had when it was read",
    "physical_lines <> ledger_lines + withheld_lines",
    "file_id, source_file, physical_lines, ledger_lines, withheld_lines",
    TAMPERED,
)
ALL_COUNTED = Rule(
    LOAD_FILES,
    "every file in raw.files with lines is there, and no other",
    "is_in_ledger and not is_counted and ledger_lines > 0 or is_counted and not is_in_ledger",
    "file_id, source_file, is_in_ledger, ledger_lines",
    STALE,
)
LINES_AGREE = Rule(
    LOAD_FILES,
    "lines and blank are those of raw.files",
    "lines <> ledger_lines or blank <> ledger_blank",
    "file_id, source_file, lines, ledger_lines, blank, ledger_blank",
    STALE,
)
FORGOTTEN_AGREE = Rule(
    LOAD_FILES,
    "forgotten_lines is what raw.forgotten_lines has",
    "forgotten_lines <> withheld_lines",
    "file_id, source_file, forgotten_lines, withheld_lines",
    STALE,
)
OUTCOMES_AGREE = Rule(
    LOAD_FILES,
    "accepted, other_events and rejected are what raw.deliveries has",
    "accepted <> kept_accepted or other_events <> kept_other_events or rejected <> kept_rejected",
    "file_id, source_file, accepted, kept_accepted, other_events, kept_other_events, rejected, kept_rejected",
    STALE,
)
ALL_LISTED = Rule(
    REJECTED,
    "one row per rejected line of raw.deliveries",
    "listed_rejected <> kept_rejected",
    "file_id, source_file, listed_rejected, kept_rejected",
    STALE,
)

BY_FILE = Scan(
    FILES,
    (IN_LEDGER, ALL_KEPT, ALL_THERE, ALL_COUNTED, LINES_AGREE, FORGOTTEN_AGREE, OUTCOMES_AGREE, ALL_LISTED),
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

LINE = ("file_id", "line_number")

ACCOUNTING = (
    unique(LEDGER, "file_id", meaning=TAMPERED),
    unique(LOAD_FILES, "file_id"),
    unique(DELIVERIES, *LINE, meaning=TAMPERED),
    BY_FILE,
    TOTAL,
)
