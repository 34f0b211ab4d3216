"""The marts on moves, incentives and people, row by row as the oracle has them."""

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import isclose

import duckdb
from oracle import marts
from oracle.history import Change, History
from oracle.marts import Limit, Workspace
from oracle.reference import COMPLETIONS, DEFAULT_STATUSES
from oracle.tables import study_types
from product import Row, rows

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
BULK = 5  # the var bulk_edit_min
ACTIVITIES = frozenset(COMPLETIONS.values())


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


def people_csv(workspace: Workspace) -> list[Row]:
    """What people.csv says, as the product reads it."""
    return [
        {"person_id": person, "contact_status": workspace.contact_flags.get(person), "email": address(person)}
        for person in workspace.contact_flags.keys() | workspace.opt_outs.keys()
    ]


def opt_out_lines(workspace: Workspace) -> bytes:
    """Webhooks of people who opted out, or in again."""
    events = [
        {"_eventType": "person.opted_out", "email": address(person), "optedOut": is_out, "updatedAt": at.isoformat()}
        for person, events in workspace.opt_outs.items()
        for at, is_out in events
    ]
    return "".join(f"{json.dumps(event)}\n" for event in events).encode()


def address(person: str) -> str:
    """Who opted out is known by it."""
    return f"{person}@example.org"


def compare(connection: duckdb.DuckDBPyConnection, workspace: Workspace, drawn: Sequence[Limit] = ()) -> None:
    """Compare every row of these tables with the oracle's, and all columns that the oracle has."""
    for relation, table in expected(workspace, drawn):
        got = rows(connection, relation)
        if relation == "marts.contact_limits":
            got = [row for row in got if row["rule_id"].endswith(" drawn")]
        check(got, table, KEYS[relation], relation)
