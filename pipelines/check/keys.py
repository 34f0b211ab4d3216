"""What must be there once only."""

from pipelines.check.marts import MARTS
from pipelines.check.meanings import REPEATED, TAMPERED
from pipelines.check.scan import Rule, Scan


def _unique(table: str, *columns: str, meaning: str = REPEATED) -> Scan:
    """One row per key that several rows share. Rows are found by a hash first: keys are long, and few repeat."""
    key = ", ".join(columns)
    repeated = f"select hash({key}) as key from {table} group by all having count(*) > 1"  # noqa: S608
    query = f"""
select {key}, count(*) as rows
from {table}
where hash({key}) in ({repeated})
group by all
having count(*) > 1
"""  # noqa: S608
    return Scan(query, (Rule(table, f"{' + '.join(columns)} is unique", "true", "*", meaning),))


KEYS = (
    _unique("staging.stg_statuses", "status"),
    _unique("staging.stg_changes", "participant_id", "person_id", "study_id", "status", "prior_status", "occurred_at"),
    _unique("marts.status_changes", "participant_id", "sequence_number"),
    _unique("marts.participants", "participant_id"),
    _unique("audit.load_files", "file_id"),
    _unique("raw.files", "file_id", meaning=TAMPERED),
    _unique("raw.deliveries", "file_id", "line_number", meaning=TAMPERED),
)

MART_KEYS = tuple(_unique(table, *mart.key) for table, mart in MARTS.items())
