"""Whether participants' rows say the same of their study as the study's row: its type can change for all of them at once."""

from pipelines.check.meanings import REBUILD
from pipelines.check.scan import Rule, Scan


def _types(table: str) -> Scan:
    query = f"""
with

said as (
    select distinct study_id, study_type
    from {table}
)

select
    said.study_id,
    said.study_type,
    studies.study_type as type_of_study
from said
inner join marts.study_progress as studies
    on said.study_id = studies.study_id
"""  # noqa: S608
    rule = "study_type is that of the study's row in study_progress"
    shown = "study_id, study_type, type_of_study"
    return Scan(query, (Rule(table, rule, "study_type <> type_of_study", shown, REBUILD),))


STUDIES = tuple(map(_types, ("marts.participants", "marts.time_to_recruit")))
