"""Changes, participants and gaps, row by row as the oracle has them."""

from collections.abc import Iterable

import duckdb
from oracle import tables
from oracle.reference import DEFAULT_STATUSES
from oracle.workspace import Workspace
from product import Row, rows

MODELS = ("status_changes", "participants", "gaps")


def expected(workspace: Workspace) -> dict[str, list[Row]]:
    """The oracle's tables."""
    gaps = [
        {{"after": "lost_after", "before": "lost_before"}.get(column, column): value for column, value in row.items()}
        for row in tables.gaps(workspace.histories)
    ]
    return {
        "marts.status_changes": tables.status_changes(workspace.histories, DEFAULT_STATUSES, workspace.studies),
        "marts.participants": tables.participants(workspace.histories, DEFAULT_STATUSES, workspace.studies),
        "audit.gaps": gaps,
    }


def by_grain(table: Iterable[Row]) -> list[Row]:
    """Rows in the order of their key."""
    return sorted(table, key=lambda row: (row["participant_id"], row.get("sequence_number", 0)))


def compare(connection: duckdb.DuckDBPyConnection, workspace: Workspace) -> None:
    """Compare every row and column with the oracle's."""
    for relation, table in expected(workspace).items():
        assert by_grain(rows(connection, relation)) == by_grain(table), relation
