"""What breaks each rule about several rows or tables, and what a check must then find: for test_check_across.py."""

from dataclasses import dataclass

STATUSES, STAGED = "staging.stg_statuses", "staging.stg_changes"
CHANGES, PARTICIPANTS, GAPS = "marts.status_changes", "marts.participants", "audit.gaps"
LEDGER, DELIVERIES, FILES, REJECTED = "raw.files", "raw.deliveries", "audit.load_files", "audit.rejected_lines"

KEPT = (CHANGES, "every staged change up to the as-of time is in the mart exactly once, with its deliveries")
TOTAL = (STAGED, "the deliveries of all changes = the accepted lines of all files")
RUNS = (CHANGES, "sequence_number runs 1, 2, 3, …")
HIDDEN = (CHANGES, "follows_gap is true where prior_status is not the status before")
NEXT = (CHANGES, "ended_at is the next change's occurred_at")
ONE_CURRENT = (CHANGES, "one change per participant is current")
GAP_ROWS = (GAPS, "one row per change that follows a gap")
MISSING = (PARTICIPANTS, "missing_changes counts the gaps")
ONLY_GAPS = (CHANGES, "follows_gap is true only where a change is missing")
COUNTED = (FILES, "accepted, other_events and rejected are the counts in raw.deliveries")
LEDGER_KEPT = (LEDGER, "lines - blank_lines = lines in raw.deliveries")
LEDGER_LINES = (FILES, "lines and blank are as in raw.files")

OF_PERSON = ("marts.people", "every person who is a participant has a row, and nobody else")
OF_STUDY_ROW = ("marts.study_progress", "every study with a participant has a row, and no other")
TIMES, OF_STUDY = "marts.time_to_recruit", "study_type is that of the study's row in study_progress"

VICTIM = "participant_id = getvariable('victim')"
VICTIM_OF_GAP = "participant_id = getvariable('victim_of_gap')"
INFERRED = f"{VICTIM_OF_GAP} and is_inferred and sequence_number > 1"
STAGED_VICTIM = "participant_key = hash(getvariable('victim'))"
FIRST = f"{STAGED_VICTIM} and occurred_at = (select min(occurred_at) from {STAGED} where {STAGED_VICTIM})"
LAST = f"{STAGED_VICTIM} and occurred_at = (select max(occurred_at) from {STAGED} where {STAGED_VICTIM})"
STATES = "marts.incentive_states"
FIRST_STATE = """(
    select min(sequence_number) from marts.incentive_states
    where participant_id = getvariable('victim_of_state') and ended_at > began_at
)"""
A_STATE = f"participant_id = getvariable('victim_of_state') and sequence_number = {FIRST_STATE}"
A_DELIVERY = "rowid = (select min(rowid) from raw.deliveries where file_id = 1 and participant_id is not null)"
VICTIMS_OF_ALL = "select getvariable('victim'), getvariable('victim_of_gap'), getvariable('victim_of_state'), 'new'"
TWICE = "select 'new' as {0} union all select 'new' as {0}"
SECOND = "interval 1 second"
LOAD = "1 as load_id, now() as loaded_at"
NO_LINES = (
    *("0 as lines", "0 as blank", "0 as accepted", "0 as other_events", "0 as rejected"),
    *("0 as distinct_changes", "0 as repeated_deliveries", "0 as forgotten_lines"),
    *("0 as batch_lines", "0 as batch_deliveries"),
)


@dataclass(frozen=True)
class Break:
    """What is done to the sample, and all that must be found then, by table and rule with the number of rows."""

    statements: tuple[str, ...]
    failures: dict[tuple[str, str], int]


BREAKS = {
    "a status twice": Break(
        (f"insert into {STATUSES} from {STATUSES} where status = 'CANCELLED'",),
        {(STATUSES, "status is unique"): 1, (STATUSES, "status_rank is unique"): 1},
    ),
    "a staged change twice": Break(
        (f"insert into {STAGED} from {STAGED} where {FIRST}",),
        {
            (STAGED, "participant_key + person_key + study_key + status_rank + prior_rank + occurred_at is unique"): 1,
            KEPT: 1,
            TOTAL: 1,
        },
    ),
    "a sequence number twice": Break(
        (f"update {CHANGES} set sequence_number = 2 where sequence_number = 3 and {VICTIM}",),
        {(CHANGES, "participant_id + sequence_number is unique"): 1, RUNS: 1, NEXT: 1, HIDDEN: 1},
    ),
    "a participant twice": Break(
        (f"insert into {PARTICIPANTS} from {PARTICIPANTS} where {VICTIM}",),
        {(PARTICIPANTS, "participant_id is unique"): 1},
    ),
    "a counted file twice": Break(
        (f"insert into {FILES} from {FILES} where file_id = 1",),
        {(FILES, "file_id is unique"): 1, TOTAL: 1},
    ),
    "a file twice": Break(
        (f"insert into {LEDGER} from {LEDGER} where file_id = 1",),
        {(LEDGER, "file_id is unique"): 1},
    ),
    "a delivery twice": Break(
        (f"insert into {DELIVERIES} from {DELIVERIES} where {A_DELIVERY}",),
        {(DELIVERIES, "file_id + line_number + position is unique"): 1, LEDGER_KEPT: 1, COUNTED: 1},
    ),
    "a number left out": Break(
        (f"update {CHANGES} set sequence_number = sequence_number + 1 where is_current and {VICTIM}",),
        {RUNS: 1},
    ),
    "a history that does not begin at 1": Break(
        (f"update {CHANGES} set sequence_number = sequence_number + 1 where {VICTIM}",),
        {RUNS: 1},
    ),
    "a change before the one before": Break(
        (
            f"""
            update {CHANGES} as third set occurred_at = second.occurred_at - {SECOND}
            from {CHANGES} as second
            where third.participant_id = second.participant_id and third.{VICTIM}
            and third.sequence_number = 3 and second.sequence_number = 2
            """,
            f"update {CHANGES} set ended_at = occurred_at - {SECOND} where sequence_number = 2 and {VICTIM}",
        ),
        {
            (CHANGES, "occurred_at is not earlier than that of the previous change"): 1,
            (CHANGES, "ended_at is not before occurred_at"): 1,
        },
    ),
    "a status that ends too early": Break(
        (f"update {CHANGES} set ended_at = ended_at - interval 1 microsecond where sequence_number = 2 and {VICTIM}",),
        {NEXT: 1},
    ),
    "a gap that is not marked": Break(
        (f"update {CHANGES} set prior_status = 'OPTED_OUT' where sequence_number = 3 and {VICTIM}",),
        {HIDDEN: 1},
    ),
    "a gap that is none": Break(
        (f"update {CHANGES} set follows_gap = true where sequence_number = 3 and {VICTIM}",),
        {ONLY_GAPS: 1, MISSING: 1, GAP_ROWS: 1},
    ),
    "an inferred change to another status than the next one tells of": Break(
        (f"update {CHANGES} set status = 'NOT_STARTED', stage = 'Not Started' where {INFERRED}",),
        {ONLY_GAPS: 1, (CHANGES, "an inferred change is just before the change that names it as its prior status"): 1},
    ),
    "an inferred change at another instant": Break(
        (f"update {CHANGES} set occurred_at = occurred_at - interval 1 microsecond where {INFERRED}",),
        {NEXT: 1, (CHANGES, "an inferred change is just before the change that names it as its prior status"): 1},
    ),
    "a stage that the status does not have": Break(
        (f"update {CHANGES} set stage = 'Done' where sequence_number = 2 and {VICTIM}",),
        {(CHANGES, "stage is a stage of the status"): 1},
    ),
    "nothing current": Break(
        (f"update {CHANGES} set is_current = false where is_current and {VICTIM}",),
        {ONE_CURRENT: 1, (CHANGES, "is_current is true exactly where ended_at is null"): 1},
    ),
    "two current": Break(
        (f"update {CHANGES} set is_current = true where sequence_number = 1 and {VICTIM}",),
        {ONE_CURRENT: 1, (CHANGES, "is_current is true exactly where ended_at is null"): 1},
    ),
    "a participant of two persons": Break(
        (f"update {CHANGES} set person_id = '0' where sequence_number = 1 and {VICTIM}",),
        {(CHANGES, "a participant has one person and one study"): 1},
    ),
    "a participant in two studies": Break(
        (f"update {CHANGES} set study_id = '0' where sequence_number = 1 and {VICTIM}",),
        {(CHANGES, "a participant has one person and one study"): 1},
    ),
    "a change in the mart that is not staged": Break(
        (f"update {STAGED} set deliveries = 2 where {LAST}", f"delete from {STAGED} where {FIRST}"),
        {KEPT: 1},
    ),
    "a change with too many deliveries": Break(
        (f"update {CHANGES} set deliveries = deliveries + 1 where sequence_number = 1 and {VICTIM}",),
        {KEPT: 1},
    ),
    "a participant left out": Break(
        (f"delete from {PARTICIPANTS} where {VICTIM}",),
        {(PARTICIPANTS, "every participant of status_changes has a row"): 1},
    ),
    "a participant from nowhere": Break(
        (f"insert into {PARTICIPANTS} select * replace ('new' as participant_id) from {PARTICIPANTS} where {VICTIM}",),
        {(PARTICIPANTS, "every participant has changes in status_changes"): 1},
    ),
    "too many status changes": Break(
        (f"update {PARTICIPANTS} set status_changes = status_changes + 1 where {VICTIM}",),
        {(PARTICIPANTS, "status_changes counts the delivered changes"): 1},
    ),
    "too many missing changes": Break(
        (f"update {PARTICIPANTS} set missing_changes = missing_changes + 1 where {VICTIM}",), {MISSING: 1}
    ),
    "another person": Break(
        (f"update {PARTICIPANTS} set person_id = 'other' where {VICTIM}",),
        {(PARTICIPANTS, "person_id is that of the changes"): 1, OF_PERSON: 1},
    ),
    "another study": Break(
        (f"update {PARTICIPANTS} set study_id = 'other' where {VICTIM}",),
        {(PARTICIPANTS, "study_id is that of the changes"): 1, OF_STUDY_ROW: 1},
    ),
    "another current status": Break(
        (f"update {PARTICIPANTS} set current_status = 'NOT_STARTED' where {VICTIM}",),
        {(PARTICIPANTS, "current_status is the status of the last change"): 1},
    ),
    "another current stage": Break(
        (f"update {PARTICIPANTS} set current_stage = 'Screening' where {VICTIM}",),
        {(PARTICIPANTS, "current_stage is the stage of the last change"): 1},
    ),
    "seen too early": Break(
        (f"update {PARTICIPANTS} set first_seen_at = first_seen_at - {SECOND} where {VICTIM}",),
        {(PARTICIPANTS, "first_seen_at is the time of the first change"): 1},
    ),
    "changed too late": Break(
        (f"update {PARTICIPANTS} set last_changed_at = last_changed_at + {SECOND} where {VICTIM}",),
        {(PARTICIPANTS, "last_changed_at is the time of the last change"): 1},
    ),
    "another furthest step": Break(
        (f"update {PARTICIPANTS} set furthest_step = 'added' where {VICTIM}",),
        {(PARTICIPANTS, "furthest_step is the latest step of the changes"): 1},
    ),
    "another type of study": Break(
        (f"update {PARTICIPANTS} set study_type = 'other' where {VICTIM}",),
        {(PARTICIPANTS, OF_STUDY): 1},
    ),
    "a time to recruit of another type of study": Break(
        (f"update {TIMES} set study_type = 'other' where participant_id = (select min(participant_id) from {TIMES})",),
        {(TIMES, OF_STUDY): 1},
    ),
    "two participants with one key": Break(
        (
            f"""
            insert into staging.stg_identities
            select * replace ('another' as participant_id, 1 as study_key)
            from staging.stg_identities
            where {STAGED_VICTIM}
            """,
        ),
        {("staging.stg_identities", "no two ids share a key"): 1},
    ),
    "a gap left out": Break((f"delete from {GAPS} where {VICTIM_OF_GAP}",), {GAP_ROWS: 1}),
    "a delivery of no file": Break(
        (
            f"insert into {DELIVERIES} by name select 99 as file_id, 1 as line_number, 'invalid_json' as reason, {LOAD}",
            f"insert into {REJECTED} by name select 99 as file_id, 1 as line_number, 'invalid_json' as reason",
        ),
        {(DELIVERIES, "every delivery belongs to a file in raw.files"): 1},
    ),
    "a delivery that is gone": Break(
        (f"delete from {DELIVERIES} where {A_DELIVERY}",),
        {LEDGER_KEPT: 1, COUNTED: 1},
    ),
    "a file that is not counted": Break(
        (f"delete from {FILES} where file_id = 1",),
        {(FILES, "every file in raw.files with lines is listed, and no other"): 1, TOTAL: 1},
    ),
    "a counted file that is not there": Break(
        (f"insert into {FILES} by name select 99 as file_id, 'x' as source_file, {', '.join(NO_LINES)}",),
        {(FILES, "every file in raw.files with lines is listed, and no other"): 1},
    ),
    "a blank line too many": Break(
        (f"update {FILES} set lines = lines + 1, blank = blank + 1 where file_id = 1",),
        {LEDGER_LINES: 1},
    ),
    "a line of a file that nobody counts": Break(
        (f"update {LEDGER} set next_line = next_line + 1 where file_id = 1",),
        {(LEDGER, "lines + forgotten lines = all lines that the file had when it was read"): 1},
    ),
    "a forgotten line that is not counted": Break(
        (
            f"update {LEDGER} set next_line = next_line + 1 where file_id = 1",
            "insert into raw.forgotten_lines values (1, 0, 1, 0)",
        ),
        {(FILES, "forgotten_lines is the count in raw.forgotten_lines"): 1},
    ),
    "a batch that is not one": Break(
        (
            f"update {FILES} set batch_lines = batch_lines + 1, batch_deliveries = batch_deliveries + 1 where file_id = 1",
        ),
        {(FILES, "batch_lines and batch_deliveries are the counts in raw.deliveries"): 1},
    ),
    "another event counted as rejected": Break(
        (f"update {FILES} set other_events = other_events - 1, rejected = rejected + 1 where file_id = 1",),
        {COUNTED: 1},
    ),
    "lines that do not add up": Break(
        (f"update {FILES} set lines = lines + 1 where file_id = 1",),
        {
            LEDGER_LINES: 1,
            (FILES, "lines - batch_lines + batch_deliveries = blank + accepted + other_events + rejected"): 1,
        },
    ),
    "a rejected line that is not listed": Break(
        (f"delete from {REJECTED} where rowid = (select min(rowid) from {REJECTED} where file_id = 1)",),
        {(REJECTED, "one row per rejected line of raw.deliveries"): 1},
    ),
    "accepted lines that do not add up": Break(
        (f"update {FILES} set repeated_deliveries = repeated_deliveries + 1 where file_id = 1",),
        {(FILES, "accepted = distinct_changes + repeated_deliveries"): 1},
    ),
    "a load twice": Break(
        ("insert into raw.loads from raw.loads",),
        {("raw.loads", "load_id is unique"): 1},
    ),
    "a study described twice": Break(
        (f"insert into raw.studies_file by name {TWICE.format('study_id')}",),
        {("raw.studies_file", "study_id is unique"): 1},
    ),
    "a person described twice": Break(
        (f"insert into raw.people_file by name {TWICE.format('person_id')}",),
        {("raw.people_file", "person_id is unique"): 1},
    ),
    "a change that was never delivered": Break(
        (f"update {CHANGES} set deliveries = 0 where sequence_number = 2 and {VICTIM}",),
        {(CHANGES, "deliveries is 0 where is_inferred, and only there"): 1, KEPT: 1},
    ),
    "an inferred change that says what was before": Break(
        (f"update {CHANGES} set prior_status = 'NOT_STARTED' where {INFERRED}",),
        {(CHANGES, "prior_status is null where is_inferred"): 1},
    ),
    "an inferred change after a gap": Break(
        (f"update {CHANGES} set follows_gap = true where {INFERRED}",),
        {(CHANGES, "follows_gap is false where is_inferred"): 1, MISSING: 1, GAP_ROWS: 1},
    ),
    "a participant who is through and is not": Break(
        (f"update {PARTICIPANTS} set is_terminal = not is_terminal where {VICTIM}",),
        {(PARTICIPANTS, "is_terminal is as in reference.stages"): 1},
    ),
    "a status since before there was anything": Break(
        (f"update {PARTICIPANTS} set status_since = first_seen_at - {SECOND} where {VICTIM}",),
        {(PARTICIPANTS, "status_since is between first_seen_at and last_changed_at"): 1},
    ),
    "an incentive state that ends too late": Break(
        (f"update {STATES} set ended_at = ended_at + {SECOND} where {A_STATE}",),
        {(STATES, "ended_at is the next state's began_at"): 1},
    ),
    "an incentive state that ends before it begins": Break(
        (f"update {STATES} set began_at = ended_at + {SECOND} where {A_STATE}",),
        {(STATES, "ended_at is not before began_at"): 1},
    ),
    "an incentive state twice in a row": Break(
        (
            f"""
            update {STATES} as this set backlog_state = after.backlog_state, incentive_status = after.incentive_status
            from {STATES} as after
            where this.participant_id = getvariable('victim_of_state') and this.sequence_number = {FIRST_STATE}
            and after.participant_id = this.participant_id and after.began_at = this.ended_at
            """,
        ),
        {(STATES, "the next state is a different one"): 1},
    ),
    "a person left out": Break(
        ("delete from marts.people where rowid = 0",),
        {OF_PERSON: 1},
    ),
    "a study from nowhere": Break(
        (
            "insert into marts.study_progress select * replace ('99' as study_id) from marts.study_progress where rowid = 0",
        ),
        {OF_STUDY_ROW: 1},
    ),
    "a delivery too many": Break(
        (f"update {STAGED} set deliveries = deliveries + 1 where {FIRST}",),
        {TOTAL: 1, KEPT: 1},
    ),
}
