"""Assembles a report: runs all queries and turns the answers into tiles, actions, tables and charts."""

import duckdb

from pipelines.ask.forecast import records
from pipelines.plain import several
from pipelines.report import actions, charts, formatting, sections
from pipelines.report.document import Document, Tile
from pipelines.report.glossary import Glossary
from pipelines.report.links import Links
from pipelines.report.questions import Answer, Answers, Scope, ask
from pipelines.report.study import Stages, study_section
from pipelines.report.tables import View, forecast_line, table

QUERY_NAMES = (
    "overview",
    "changed",
    "changed_by_study",
    "incentives",
    "incentives_money",
    "incentives_owed",
    "incentives_hidden",
    "incentives_returned",
    "incentives_unclaimed",
    "incentives_daily",
    "stalled",
    "stalled_by_action",
    "stalled_participants",
    "contacted",
    "contact_rules",
    "silence",
    "gaps",
    "feed",
    "rejected",
    "notes",
    "by_hand",
    "full_studies",
    "invited_too_many",
    "steps_below_usual",
    "peers",
    "stages",
)
MAX_STUDY_SECTIONS = 25
"""How many studies get a section of their own."""
MAX_ROWS_OF_STUDIES = 300
MAX_ROWS = {"peers": 8, "full_studies": 8}
"""The row limits of tables on the first page. The other tables have 12 rows."""


def compose(
    connection: duckdb.DuckDBPyConnection, scope: Scope, links: Links, *, names: bool, is_since_report: bool
) -> Document:
    """The report of a scope. The marts must be as of `scope.as_of`.

    `names`: tables show the names of people. `is_since_report`: the scope begins at the last report.

    Raises:
        StudyflowError: the tables were built by another version of studyflow.
    """
    answers = {name: ask(connection, name, scope, rows=MAX_ROWS.get(name, 12)) for name in QUERY_NAMES}
    answers["studies"] = ask(connection, "studies", scope, rows=MAX_ROWS_OF_STUDIES)
    answers["forecasts"] = ask(connection, "forecasts", scope, rows=MAX_ROWS_OF_STUDIES)
    record = records(connection)
    for row in answers["forecasts"].rows:
        row.update(record.get(row["study_id"], {}))
    view = View(Glossary(connection), links, names)
    tiles = [
        Tile(term, row["participants"], row["before"])
        for row in answers["changed"].rows
        if (term := view.glossary.term(answers["changed"], row["what"], row["what"], "What changed"))
    ]
    span = "since the last report" if is_since_report else f"in the last {formatting.span(scope.span)}"
    needed, not_needed = actions.actions(answers, span)
    listed = [row for row in answers["studies"].rows if row["has_section"]][:MAX_STUDY_SECTIONS]
    anchors = {row["study_id"]: f"study-{place}" for place, row in enumerate(listed, start=1)}
    forecast_lines = {row["study_id"]: forecast_line(row) for row in answers["forecasts"].rows}
    for row in (*answers["studies"].rows, *answers["forecasts"].rows):
        row["anchor"] = anchors.get(row["study_id"], "")
        row["forecast"] = forecast_lines.get(row["study_id"], "")
    overview = table(view, answers["studies"], "All studies, busiest first", "No study has participants yet.")
    stages = _stages(answers["stages"])
    studies = [study_section(connection, scope, view, row, stages[row["study_id"]]) for row in listed]
    used = [*answers.values(), *(answer for first in studies[:1] for answer in first.answers)]
    return Document(
        scope=scope,
        title="Research operations" if scope.study is None else formatting.cut(answers["studies"].rows[0]["study"]),
        is_since_report=is_since_report,
        facts=_facts(answers),
        changed=answers["changed"],
        tiles=tiles,
        changes=sections.changes(answers, view),
        actions=needed,
        not_needed=not_needed,
        summary=sections.summary(answers, view),
        sections=sections.sections(answers, view),
        overview=overview,
        studies=studies,
        other_studies=answers["studies"].total_rows - len(listed),
        terms=view.glossary.by_table(),
        queries=list({answer.name: answer for answer in used}.values()),
        numbers={tile.term.label: tile.number for tile in tiles} | {action.key: action.number for action in needed},
    )


def _facts(answers: Answers) -> list[str]:
    [row] = answers["overview"].rows
    if not row["studies"]:
        return ["No participants yet"]
    return [
        f"{several(row['studies'], 'study', 'studies')}, {several(row['participants'], 'participant')}",
        f"last change {formatting.hours(row['silent_hours'])} earlier",
    ]


def _stages(answer: Answer) -> dict[str, Stages]:
    stages: dict[str, Stages] = {}
    for row in answer.rows:
        stage = (formatting.one_line(row["stage"]), charts.stage_colour(row["stage_order"]), row["participants"])
        stages.setdefault(row["study_id"], []).append(stage)
    return stages
