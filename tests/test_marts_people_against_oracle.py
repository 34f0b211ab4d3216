"""The marts on moves, incentives and people, row by row as the oracle has them. `test_any_history` does so for any history."""

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from math import isclose

import duckdb
import pytest
from hypothesis import strategies as st
from oracle import marts
from oracle.history import Change, History, histories
from oracle.lines import Delivery
from oracle.marts import Limit, Workspace
from oracle.reference import COMPLETIONS, DEFAULT_STATUSES, INVITATIONS
from oracle.tables import study_types
from product import Product, Row, rows
from strategies import PERSONS, START

from pipelines.settings import REFERENCE

KEYS = {
    "marts.transitions": ("study_id", "from_status", "to_status"),
    "marts.incentive_backlog": ("participant_id",),
    "marts.incentive_backlog_daily": ("day", "study_id", "backlog_state"),
    "marts.people": ("person_id",),
    "marts.contact_limits": ("person_id", "rule_id"),
    "marts.activity_daily": ("day", "study_id", "activity"),
    "marts.time_to_recruit": ("participant_id",),
    "audit.unexpected_changes": ("participant_id", "sequence_number"),
}
MODELS = tuple(relation.partition(".")[2] for relation in KEYS)
LATER = START + timedelta(days=9)
BULK = 5  # the var bulk_edit_min
ACTIVITIES = frozenset(COMPLETIONS.values())


def contact_flags() -> st.SearchStrategy[dict[str, str]]:
    """What people.csv says, of some people and of one never seen."""
    flags = st.sampled_from(["In Blocklist", "Do Not Contact", "Opted Out", "Free to Contact"])
    return st.dictionaries(st.sampled_from([*PERSONS, "person-unseen"]), flags)


def opt_outs(changes: Sequence[Delivery]) -> st.SearchStrategy[dict[str, list[tuple[datetime, bool]]]]:
    """Events of some people and of one never seen: at a change, just after one, or at any other time."""
    instants = sorted({change.updated_at for change in changes} | {START})
    when = st.sampled_from([one + step for one in instants for step in (timedelta(), timedelta(microseconds=1))])
    return st.dictionaries(
        st.sampled_from([*PERSONS, "person-unseen"]), st.lists(st.tuples(when, st.booleans()), max_size=3)
    )


def limits() -> st.SearchStrategy[list[Limit]]:
    """Rules of every kind: limits on emails, studies and activities, and cooldowns."""
    invited, completed = frozenset(INVITATIONS), frozenset(COMPLETIONS)
    number, days = st.integers(0, 3), st.sampled_from([1, 3, 8, 30])
    return st.tuples(
        st.builds(Limit, st.just("invitation"), st.just(invited), number, days),
        st.builds(Limit, st.just("study_invitation"), st.just(invited), number, days, st.just(True)),  # noqa: FBT003
        st.builds(Limit, st.just("participation"), st.just(completed), number, days, st.just(True)),  # noqa: FBT003
        st.builds(Limit, st.just("survey"), st.just(frozenset({"SURVEY_COMPLETED"})), number, days, st.just(True)),  # noqa: FBT003
        st.builds(Limit, st.just("after"), st.just(invited), st.just(0), days, st.just(True), st.just(completed)),  # noqa: FBT003
    ).map(list)


def as_rule(limit: Limit) -> Row:
    """A limit as the product reads it; its name says what it counts."""
    kinds = {"judged_kind": limit.name, "counted_kind": limit.name}
    if limit.after:
        kinds = {"judged_kind": "study_invitation", "counted_kind": "participation"}
    named = {"rule_id": f"{limit.name} drawn", "rule_name": limit.name}
    return {**named, **kinds, "at_most": limit.at_most, "within_days": limit.days}


def expected_moves() -> dict[str, set[tuple[str | None, str]]]:
    """The moves of expected_moves.csv, by type of study."""
    moves: dict[str, set[tuple[str | None, str]]] = {}
    with (REFERENCE / "expected_moves.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            moves.setdefault(row["study_type"], set()).add((row["from_status"] or None, row["to_status"]))
    return moves


EXPECTED = expected_moves()


def is_expected(study_type: str, from_status: str | None, to_status: str) -> bool:
    """A study of one activity moves as that activity does, any other as any of them does."""
    types = {"any", study_type} if study_type in ACTIVITIES else set(EXPECTED)
    return any((from_status, to_status) in EXPECTED.get(one, set()) for one in types)


def edit_of(history: History, change: Change) -> tuple[object, ...]:
    """What changes that were made together have in common."""
    return history.study_id, change.prior_status, change.status, change.occurred_at.replace(microsecond=0)


def unexpected_changes(past: Sequence[History], types: Mapping[str, str]) -> list[Row]:
    """Changes outside the expected moves, and those made together with others."""
    delivered = [
        (history, number, change)
        for history in past
        for number, change in enumerate(history.changes, start=1)
        if not change.is_inferred
    ]
    together = Counter(
        edit_of(history, change)
        for history, _, change in delivered
        if change.prior_status is not None and not DEFAULT_STATUSES[change.status].is_contact
    )
    found: list[Row] = []
    for history, number, change in delivered:
        size = together[edit_of(history, change)]
        is_usual = is_expected(types[history.study_id], change.prior_status, change.status)
        if not is_usual or size >= BULK:
            found.append(
                {
                    "participant_id": history.participant_id,
                    "sequence_number": number,
                    "reason": "bulk_edit" if is_usual else "unexpected_move",
                    "is_bulk": size >= BULK,
                    "bulk_size": size if size >= BULK else None,
                },
            )
    return found


def expected(workspace: Workspace, drawn: Sequence[Limit]) -> Iterator[tuple[str, list[Row]]]:
    """The oracle's tables, with the product's names."""
    types = study_types(workspace.histories, workspace.studies)
    transitions = [
        row | {"is_expected": is_expected(types[row["study_id"]], row["from_status"], row["to_status"])}
        for row in marts.transitions(workspace)
    ]
    people = [{key.replace("unmoderated_", ""): value for key, value in row.items()} for row in marts.people(workspace)]
    broken = [row | {"rule_id": f"{row['rule_id']} drawn"} for row in marts.contact_limits(workspace, drawn)]
    yield "marts.transitions", transitions
    yield "marts.incentive_backlog", marts.incentive_backlog(workspace)
    yield "marts.incentive_backlog_daily", marts.incentive_backlog_daily(workspace)
    yield "marts.people", people
    yield "marts.contact_limits", broken
    yield "marts.activity_daily", marts.activity_daily(workspace)
    yield "marts.time_to_recruit", marts.time_to_recruit(workspace)
    yield "audit.unexpected_changes", unexpected_changes(workspace.histories, types)


def agree(got: object, wanted: object) -> bool:
    """Durations and shares are computed in another order, so their last digit may differ."""
    if isinstance(got, float) and isinstance(wanted, float | int):
        return isclose(got, wanted, rel_tol=1e-12, abs_tol=1e-12)
    return got == wanted


def check(got: Iterable[Row], wanted: Iterable[Row], keys: tuple[str, ...], relation: str) -> None:
    """The same rows; of their columns all that the oracle has."""

    def by_key(table: Iterable[Row]) -> dict[tuple[object, ...], Row]:
        return {tuple(row[key] for key in keys): row for row in table}

    product, oracle = by_key(got), by_key(wanted)
    assert product.keys() == oracle.keys(), relation
    for key, row in oracle.items():
        differing = {
            name: (product[key][name], value) for name, value in row.items() if not agree(product[key][name], value)
        }
        assert not differing, (relation, key)


def optional(workspace: Workspace, drawn: Sequence[Limit] = ()) -> dict[str, list[Row]]:
    """What the files on studies and people say, and the rules, as the product reads them."""
    return {
        "stg_studies": [{"study_id": study_id} | asdict(study) for study_id, study in workspace.studies.items()],
        "stg_people": [
            {
                "person_id": person,
                "contact_status": workspace.contact_flags.get(person),
                "email": f"{person}@example.org",
            }
            for person in workspace.contact_flags.keys() | workspace.opt_outs.keys()
        ],
        "stg_governance_rules": [as_rule(limit) for limit in drawn],
    }


def opt_out_events(workspace: Workspace) -> list[Row]:
    """The lines that say who opted out or in again, as the loader keeps them."""
    lines = [
        json.dumps({"email": f"{person}@example.org", "optedOut": is_out, "updatedAt": at.isoformat()})
        for person, events in workspace.opt_outs.items()
        for at, is_out in events
    ]
    return [{"event_type": "person.opted_out", "line": line} for line in lines]


def compare(connection: duckdb.DuckDBPyConnection, workspace: Workspace, drawn: Sequence[Limit] = ()) -> None:
    """Compare the tables of a built warehouse with the oracle's."""
    for relation, table in expected(workspace, drawn):
        got = rows(connection, relation)
        if relation == "marts.contact_limits":
            got = [row for row in got if row["rule_id"].endswith(" drawn")]
        check(got, table, KEYS[relation], relation)


def build_and_compare(product: Product, deliveries: Sequence[Delivery], workspace: Workspace) -> None:
    """Build the product's tables and compare them all."""
    how = {"as_of": workspace.as_of, "optional": optional(workspace)}
    with product.warehouse(deliveries, *MODELS, **how) as connection:
        compare(connection, workspace)


@pytest.mark.parametrize("size", [BULK - 1, BULK])
def test_bulk_edits(product: Product, size: int) -> None:
    """One fewer than the minimum is chance. The strategies above rarely draw as many in one second."""
    deliveries = [
        Delivery(f"participant-{number}", "person-1", "study-1", status, prior, START.replace(microsecond=number))
        for number in range(size)
        for status, prior in (("SURVEY_STARTED", None), ("SURVEY_COMPLETED", "SURVEY_STARTED"))
    ]
    workspace = Workspace(histories(deliveries, LATER, DEFAULT_STATUSES), LATER)
    assert len(unexpected_changes(workspace.histories, {"study-1": "survey"})) == (size if size == BULK else 0)
    build_and_compare(product, deliveries, workspace)


def test_an_empty_warehouse(product: Product) -> None:
    """Every table is there and has no rows."""
    build_and_compare(product, [], Workspace([], START))
