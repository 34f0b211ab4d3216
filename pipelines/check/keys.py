"""What must be there once only."""

from pipelines.check.marts import MARTS
from pipelines.check.meanings import REPEATED
from pipelines.check.scan import Rule, Scan


def unique(table: str, *columns: str, meaning: str = REPEATED) -> Scan:
    """One row per key that several rows share. Rows are found by a hash first: keys are long, and few repeat."""
    key = ", ".join(columns)
    query = f"""
select {key}, count(*) as rows
from {table}
where hash({key}) in (select hash({key}) as key from {table} group by all having count(*) > 1)
group by all
having count(*) > 1
"""  # noqa: S608
    return Scan(query, (Rule(table, f"{' + '.join(columns)} is unique", "true", "*", meaning),))


KEYS = (
    unique("staging.stg_statuses", "status"),
    unique("staging.stg_changes", "participant_id", "person_id", "study_id", "status", "prior_status", "occurred_at"),
    unique("marts.status_changes", "participant_id", "sequence_number"),
    unique("marts.participants", "participant_id"),
)

MART_KEYS = tuple(unique(table, *mart.key) for table, mart in MARTS.items())
