"""The tables of issue 2, row by row as the oracle has them: any history, any moment, any studies."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st
from oracle import tables
from oracle.history import History, histories
from oracle.lines import Delivery
from oracle.reference import DEFAULT_STATUSES, Study
from product import END_OF_TIME, Product, Row, rows
from strategies import as_ofs, study_infos, tangles, workspaces

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


def check(product: Product, deliveries: Sequence[Delivery], as_of: datetime, studies: Mapping[str, Study]) -> None:
    """Build the product's tables and compare all of them, every column."""
    past = histories(deliveries, as_of, DEFAULT_STATUSES)
    with product.warehouse(deliveries, *names_of(TABLES), as_of=as_of, optional=described(studies)) as connection:
        for relation, table in expected(past, studies).items():
            assert by_grain(rows(connection, relation)) == by_grain(table), relation


@given(st.data())
def test_any_history_as_of_any_moment(product: Product, data: st.DataObject) -> None:
    """Deliveries in any order, some of them repeated; as of a change, just beside one, or long after."""
    changes = data.draw(workspaces())
    repeated = data.draw(st.lists(st.sampled_from(changes), max_size=4)) if changes else []
    deliveries = data.draw(st.permutations([*changes, *repeated]))
    check(product, deliveries, data.draw(as_ofs(changes)), data.draw(study_infos()))


@given(changes=tangles("participant-0", largest=10))
def test_ties_that_make_no_sense(product: Product, changes: list[Delivery]) -> None:
    """Up to ten changes at one or two instants, whose links can be put right in many ways or none."""
    check(product, list(dict.fromkeys(changes)), END_OF_TIME, {})
