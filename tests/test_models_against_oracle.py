"""Changes, participants and gaps, row by row as the oracle has them. `test_any_history` does so for any history."""

import csv
import gzip
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime

import duckdb
from hypothesis import given
from hypothesis import strategies as st
from inbox import Inbox, inbox
from oracle import tables
from oracle.history import History, histories
from oracle.lines import Delivery, read_lines
from oracle.lines import deliveries as accepted
from oracle.reference import DEFAULT_STATUSES, Study
from product import END_OF_TIME, Product, Row, rows
from strategies import as_ofs, feeds, study_infos, tangles, workspaces

from pipelines.load.loader import load
from pipelines.settings import SAMPLE, sample_as_of

TABLES = ("marts.status_changes", "marts.participants", "audit.gaps")


def names_of(relations: Iterable[str]) -> list[str]:
    """The models that make these tables."""
    return [relation.partition(".")[2] for relation in relations]


def described(studies: Mapping[str, Study]) -> dict[str, list[Row]]:
    """What studies.csv says, as the product reads it."""
    return {"stg_studies": [{"study_id": study_id} | asdict(study) for study_id, study in studies.items()]}


def expected(past: Sequence[History], studies: Mapping[str, Study]) -> dict[str, list[Row]]:
    """The oracle's tables."""
    gaps = [
        {{"after": "lost_after", "before": "lost_before"}.get(column, column): value for column, value in row.items()}
        for row in tables.gaps(past)
    ]
    return {
        "marts.status_changes": tables.status_changes(past, DEFAULT_STATUSES, studies),
        "marts.participants": tables.participants(past, DEFAULT_STATUSES, studies),
        "audit.gaps": gaps,
    }


def by_grain(table: Iterable[Row]) -> list[Row]:
    """Rows in the order of their key."""
    return sorted(table, key=lambda row: (row["participant_id"], row.get("sequence_number", 0)))


def compare(
    connection: duckdb.DuckDBPyConnection,
    deliveries: Iterable[Delivery],
    as_of: datetime,
    studies: Mapping[str, Study],
) -> None:
    """Compare the tables of a built warehouse with the oracle's, every row and column."""
    past = histories(deliveries, as_of, DEFAULT_STATUSES)
    for relation, table in expected(past, studies).items():
        assert by_grain(rows(connection, relation)) == by_grain(table), relation


def check(product: Product, deliveries: Sequence[Delivery], as_of: datetime, studies: Mapping[str, Study]) -> None:
    """Build the product's tables from deliveries, and compare."""
    with product.warehouse(deliveries, *names_of(TABLES), as_of=as_of, optional=described(studies)) as connection:
        compare(connection, deliveries, as_of, studies)


@given(changes=tangles("participant-0", largest=10))
def test_ties_that_make_no_sense(product: Product, changes: list[Delivery]) -> None:
    """Up to ten changes at one or two instants, whose links can be put right in many ways or none."""
    check(product, list(dict.fromkeys(changes)), END_OF_TIME, {})


@given(st.data())
def test_from_lines_in_batches(product: Product, data: st.DataObject) -> None:
    """From the bytes of files, loaded in batches, all the way: any batching ends in the same tables."""
    changes = data.draw(workspaces())
    states = data.draw(feeds(changes))
    as_of, studies = data.draw(as_ofs(changes)), data.draw(study_infos())
    with inbox(product) as box:
        for state in states:
            box.put(state)
            box.load()
        product.build(box.connection, *names_of(TABLES), as_of=as_of, optional=described(studies))
        compare(box.connection, accepted(read_lines(states[-1], DEFAULT_STATUSES)), as_of, studies)


def test_the_sample(box: Inbox) -> None:
    """All of it, as it lies there, with its own description of the studies and as of its own moment."""
    files = {path.name: path.read_bytes() for path in sorted(SAMPLE.glob("*.jsonl*"))}
    files = {name: gzip.decompress(held) if name.endswith(".gz") else held for name, held in files.items()}
    with SAMPLE.joinpath("studies.csv").open(encoding="utf-8", newline="") as file:
        studies = {row["study_id"]: as_study(row) for row in csv.DictReader(file)}
    as_of = sample_as_of()

    assert load(box.connection, [SAMPLE]).problems == ()
    box.check(files)
    box.product.build(box.connection, *names_of(TABLES), as_of=as_of, optional=described(studies))
    compare(box.connection, accepted(read_lines(files, DEFAULT_STATUSES)), as_of, studies)


def as_study(row: Mapping[str, str]) -> Study:
    """A row of studies.csv as the oracle wants it."""
    return Study(
        study_type=row["study_type"] or None,
        incentives_enabled={"true": True, "false": False}.get(row["incentives_enabled"]),
        incentive_cents=int(row["incentive_cents"]) if row["incentive_cents"] else None,
        participation_limit=int(row["participation_limit"]) if row["participation_limit"] else None,
        closed_on=row["closed_on"] or None,
    )
