"""Whether a build really put the new rows of touched keys in place of the old ones."""

from collections.abc import Iterator

from pipelines.check.marts import MARTS
from pipelines.check.meanings import REBUILD
from pipelines.check.scan import Rule, Scan
from pipelines.check.scope import TOUCHED, Scope

STAGED, CHANGES, PARTICIPANTS, GAPS = (
    "staging.stg_changes",
    "marts.status_changes",
    "marts.participants",
    "audit.gaps",
)

KEPT_BY = {
    **dict.fromkeys((STAGED, CHANGES, PARTICIPANTS, GAPS), "participant_id"),
    **{table: key for table, mart in MARTS.items() for key in TOUCHED if key in set(mart.key) - mart.nullable},
}
"""By which column a table is kept, if it is."""

PROOFS = {
    STAGED: """
select
    (select coalesce(sum(deliveries), 0) from staging.stg_changes)
    = (select coalesce(sum(accepted), 0) from audit.load_files)
""",
    CHANGES: """
select
    (
        select (count(*) filter (where not is_inferred), count(*) filter (where is_inferred), sum(deliveries))
        from marts.status_changes
    )
    is not distinct from
    (
        select (count(*), (select count(*) from audit.gaps where prior_status is not null), sum(deliveries))
        from staging.stg_changes
        where occurred_at <= $as_of
    )
""",
    PARTICIPANTS: """
select (select count(*) from marts.participants) = (select count(*) from marts.status_changes where is_current)
""",
    GAPS: """
select (select count(*) from audit.gaps) = (select count(*) from marts.status_changes where follows_gap)
""",
}
"""Of the longest tables the totals must agree with others' that are made otherwise: rows that are left over would show."""


def replacements(scope: Scope) -> Iterator[Scan]:
    """One scan per table that the build changed in part: of each touched key it has as many rows as were put there."""
    for table, key in KEPT_BY.items():
        if table in scope.changed:
            yield _replaced(table, scope.changed[table], key)


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
    return Scan(query, (Rule(table, rule, "rows_there <> rows_put_there", shown, REBUILD),), PROOFS.get(table))
