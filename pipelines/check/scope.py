"""Which rows a check looks at: all, or those that the last build put in place of others."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import duckdb

from pipelines.builds import was_checked
from pipelines.check import report
from pipelines.warehouse import has_table

CHANGED_SCHEMA = "delta"
TOUCHED = {
    "participant_id": "intermediate.int_touched_participants",
    "study_id": "intermediate.int_touched_studies",
    "person_id": "intermediate.int_touched_people",
}
"""Where the touched keys are, by the column that a table is kept by."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What is looked at. `changed` has, for each table that a build changed in part, the table of the rows it put there.

    `since_load`: the load that the build before this one had; deliveries of later loads are new.
    """

    changed: Mapping[str, str] = field(default_factory=dict)
    since_load: int | None = None

    @property
    def name(self) -> report.Scope:
        """The scope in a word, as a report has it."""
        return "everything" if self.since_load is None else "changes"

    @property
    def whole(self) -> "Scope":
        """The same for queries that look at whole tables all the same."""
        return Scope(since_load=self.since_load)

    def values(self, query: str) -> dict[str, object]:
        """The scope's own of the values that the query asks for."""
        return {"since_load": self.since_load} if "$since_load" in query else {}

    def of(self, query: str) -> str:
        """The query, of those rows only, wherever it names such a table."""
        for table, changed in self.changed.items():
            query = re.sub(rf"(?<![\w.]){re.escape(table)}\b", changed, query)
        return query


EVERYTHING = Scope()


def scope_of_build(connection: duckdb.DuckDBPyConnection) -> Scope:
    """What must be checked now: the rows that the last build changed, if what it built on was checked and found right.

    Else everything: after a build that made all anew, one that did not end, or one of tables that nobody checked.
    """
    needed = ("state.this_build", "state.last_build", *TOUCHED.values())
    if not all(has_table(connection, *name.split(".")) for name in needed):
        return EVERYTHING
    builds = connection.execute(
        "select last_build.previous_build_id, this_build.previous_load_id from state.last_build "
        "inner join state.this_build on last_build.build_id = this_build.build_id "
        "where last_build.previous_build_id is not null and this_build.previous_load_id is not null"
    ).fetchall()
    if len(builds) != 1 or not was_checked(connection, builds[0][0]):
        return EVERYTHING
    return scope_of_changes(connection, since_load=builds[0][1])


def scope_of_changes(connection: duckdb.DuckDBPyConnection, since_load: int) -> Scope:
    """The rows that are in schema `delta`, and the deliveries of loads after `since_load`."""
    changed = connection.execute(
        "select kept.schema_name || '.' || kept.table_name, $delta || '.' || kept.table_name "
        "from duckdb_tables() as kept "
        "inner join duckdb_tables() as changed "
        "on kept.table_name = changed.table_name and kept.database_name = changed.database_name "
        "where kept.database_name = current_database() and changed.schema_name = $delta "
        "and kept.schema_name in ('staging', 'marts', 'audit') order by all",
        {"delta": CHANGED_SCHEMA},
    ).fetchall()
    return Scope(dict(changed), since_load)
