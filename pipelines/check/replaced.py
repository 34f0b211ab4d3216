"""Whether a build really put the new rows of touched keys in place of the old ones."""

from collections.abc import Iterator

import duckdb

from pipelines.check.meanings import REBUILD
from pipelines.check.scan import Rule, Scan
from pipelines.check.scope import TOUCHED, Scope


def replacements(connection: duckdb.DuckDBPyConnection, scope: Scope) -> Iterator[Scan]:
    """One scan per table that the build changed in part: of each touched key it has as many rows as were put there."""
    for table, changed in scope.changed.items():
        columns = set(connection.table(changed).columns)
        key = next(column for column in TOUCHED if column in columns)
        yield _replaced(table, changed, key)


def _replaced(table: str, changed: str, key: str) -> Scan:
    touched = TOUCHED[key]
    query = f"""
with

had as (
    select {key}, count(*) as rows_there
    from {table}
    where {key} in (select {key} from {touched})
    group by all
),

put as (
    select {key}, count(*) as rows_put_there
    from {changed}
    group by all
)

select
    coalesce(had.{key}, put.{key}) as {key},
    coalesce(rows_there, 0) as rows_there,
    coalesce(rows_put_there, 0) as rows_put_there
from had
full join put
    on had.{key} = put.{key}
"""  # noqa: S608
    rule = "the rows of each touched key are those that the last build put there"
    shown = f"{key}, rows_there, rows_put_there"
    return Scan(query, (Rule(table, rule, "rows_there <> rows_put_there", shown, REBUILD),))
