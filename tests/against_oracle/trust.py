"""How far the history can be trusted, row by row as the oracle has it."""

from collections.abc import Iterable, Mapping, Sequence
from math import isclose

import duckdb
from oracle import trust
from oracle.workspace import Workspace
from product import Row, rows

KEYS: Mapping[str, tuple[str, ...]] = {
    "feed_coverage": ("study_id",),
    "feed_totals": (),
    "feed_silence": ("scope", "study_id", "silent_since"),
    "gaps_weekly": ("study_id", "week"),
}


def agree(got: object, wanted: object) -> bool:
    """Rates are computed in another order, so their last digits may differ."""
    if isinstance(got, float) and isinstance(wanted, float | int):
        return isclose(got, wanted, rel_tol=1e-9, abs_tol=1e-12)
    return got == wanted


def by_key(table: Iterable[Row], keys: Sequence[str]) -> dict[tuple[object, ...], Row]:
    """Rows by their key, which no two share."""
    listed = list(table)
    keyed = {tuple(row[key] for key in keys): row for row in listed}
    assert len(keyed) == len(listed)
    return keyed


def compare(connection: duckdb.DuckDBPyConnection, workspace: Workspace) -> None:
    """Compare every row and column with the oracle's."""
    for table, keys in KEYS.items():
        ours = by_key(rows(connection, f"audit.{table}"), keys)
        theirs = by_key(getattr(trust, table)(workspace), keys)
        assert ours.keys() == theirs.keys(), table
        for key, row in theirs.items():
            assert ours[key].keys() == row.keys(), table
            differing = {
                name: (ours[key][name], value) for name, value in row.items() if not agree(ours[key][name], value)
            }
            assert not differing, (table, key)
