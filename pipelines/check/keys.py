"""What must be there once only."""

from functools import partial

import duckdb

from pipelines.check.marts import MARTS
from pipelines.check.meanings import REPEATED
from pipelines.check.scan import Rule, Scan
from pipelines.check.scope import Scope

ROWS_AT_ONCE = 20_000_000
"""As many keys are compared in a pass: eight bytes each, twice."""


def no_key_repeats(
    connection: duckdb.DuckDBPyConnection, scope: Scope, source: str, key: str, rows_at_once: int = ROWS_AT_ONCE
) -> bool:
    """Whether no two rows share a key, by a hash of it: sorting numbers is much quicker than grouping long keys."""
    import numpy as np  # noqa: PLC0415 - importing the checks has to be quick

    source = scope.of(source)
    values = scope.values(source)
    [(rows,)] = connection.execute(f"select count(*) from {source}", values).fetchall()  # noqa: S608
    passes = rows // rows_at_once + 1
    for number in range(passes):
        part = f"where hash({key}) % {passes} = {number}" if passes > 1 else ""
        query = f"select hash({key}) as hash from {source} {part}"  # noqa: S608
        hashes = connection.execute(query, values).fetchnumpy()["hash"]
        hashes.sort()
        if np.any(hashes[1:] == hashes[:-1]):
            return False
    return True


def unique(table: str, *columns: str, rows_of: str | None = None, meaning: str = REPEATED) -> Scan:
    """One row per key that several rows share, of the table or of the query `rows_of`.

    Rows are found by a hash first: keys are long, and few repeat.
    """
    source = f"({rows_of})" if rows_of else table
    key = ", ".join(columns)
    repeated = f"select hash({key}) as key from {source} group by all having count(*) > 1"  # noqa: S608
    query = f"""
select {key}, count(*) as rows
from {source}
where hash({key}) in ({repeated})
group by all
having count(*) > 1
"""  # noqa: S608
    rule = Rule(table, f"{' + '.join(columns)} is unique", "true", "*", meaning)
    return Scan(query, (rule,), partial(no_key_repeats, source=source, key=key))


KEYS = (
    unique("staging.stg_statuses", "status"),
    unique("staging.stg_changes", "participant_id", "person_id", "study_id", "status", "prior_status", "occurred_at"),
    unique("marts.status_changes", "participant_id", "sequence_number"),
    unique("marts.participants", "participant_id"),
)

MART_KEYS = tuple(unique(table, *mart.key) for table, mart in MARTS.items())
