"""The quick proofs say of right tables that they are right, and of no others."""

import random
from itertools import chain

import duckdb
import pytest
from check_warehouse import AS_OF, broken_sample, warehouse
from product import Product

from pipelines.check.histories import AGREEMENT, HISTORIES, ORDER
from pipelines.check.keys import KEYS, MART_KEYS, no_key_repeats
from pipelines.check.known import EARLIEST, read_known
from pipelines.check.rows import check_rows
from pipelines.check.scan import is_proved, run
from pipelines.check.schemas import TABLES
from pipelines.check.scope import EVERYTHING

COLUMNS = {
    "marts.status_changes": (
        *("participant_id", "person_id", "study_id", "sequence_number", "prior_status", "status", "stage"),
        *("occurred_at", "ended_at", "is_current", "is_inferred", "follows_gap", "deliveries"),
    ),
    "marts.participants": (
        *("participant_id", "person_id", "study_id", "current_status", "current_stage", "first_seen_at"),
        *("last_changed_at", "furthest_step", "status_changes", "missing_changes"),
    ),
    "staging.stg_changes": ("participant_id", "occurred_at", "deliveries"),
    "audit.gaps": ("participant_id", "sequence_number", "status_before", "prior_status"),
}


def test_what_is_right_is_proved(product: Product) -> None:
    """Else the check is right, too, but takes five times as long."""
    with broken_sample(product) as connection:
        for scan in chain(KEYS, MART_KEYS, HISTORIES):
            assert is_proved(connection, scan, AS_OF, EVERYTHING), scan.rules[0].rule


def presumption_holds(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether rows and keys are right, which the proofs presume."""
    known = read_known(connection, AS_OF, EARLIEST)
    tables = ("staging.stg_changes", "marts.status_changes", "marts.participants")
    return not any(check_rows(connection, TABLES[table](known), 500_000).findings for table in tables) and not any(
        run(connection, scan, AS_OF) for scan in KEYS
    )


@pytest.mark.parametrize(
    ("table", "column"), [(table, column) for table, columns in COLUMNS.items() for column in columns]
)
def test_what_is_wrong_is_never_proved(product: Product, table: str, column: str) -> None:
    """Two rows swap a value, one takes another's, and one goes: as the rules one by one say, so say the proofs."""
    rows = random.Random(f"{table} {column}")
    with broken_sample(product) as connection:
        [(height,)] = connection.execute(f"select count(*) from {table}").fetchall()
    for _ in range(2):
        this, other = rows.sample(range(height), 2)
        value = f"(select {column} from {table} where rowid = {{}})"
        swapped = (
            f"update {table} set {column} = case rowid when {this} then {value.format(other)} "
            f"else {value.format(this)} end where rowid in ({this}, {other})"
        )
        taken = f"update {table} set {column} = {value.format(other)} where rowid = {this}"
        for statement in (swapped, taken, f"delete from {table} where rowid = {this}"):
            with broken_sample(product, statement) as connection:
                if not presumption_holds(connection):
                    continue
                proved = is_proved(connection, ORDER, AS_OF, EVERYTHING)
                assert not (proved and run(connection, ORDER, AS_OF)), statement
                proved = proved and is_proved(connection, AGREEMENT, AS_OF, EVERYTHING)
                assert not (proved and run(connection, AGREEMENT, AS_OF)), statement


@pytest.mark.parametrize("rows_at_once", [1, 7, 1_000])
def test_keys_that_do_not_fit_into_memory_are_compared_in_parts(rows_at_once: int) -> None:
    """Equal keys come into the same part, whichever it is."""
    with warehouse() as connection:
        connection.execute("create table numbers as select range as number, range % 3 as other from range(20)")
        assert no_key_repeats(connection, EVERYTHING, "numbers", "number, other", rows_at_once)
        connection.execute("insert into numbers from numbers where number = 11")
        assert not no_key_repeats(connection, EVERYTHING, "numbers", "number, other", rows_at_once)


def test_keys_with_nulls_are_compared() -> None:
    """Two changes whose prior status is null are the same change, if the rest is."""
    with warehouse() as connection:
        connection.execute("create table statuses as from (values ('a', null), ('a', 'b')) as statuses (this, prior)")
        assert no_key_repeats(connection, EVERYTHING, "statuses", "this, prior")
        connection.execute("insert into statuses values ('a', null)")
        assert not no_key_repeats(connection, EVERYTHING, "statuses", "this, prior")
