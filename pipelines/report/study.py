"""The section of one study: how far it is, where it loses people, how they flow, how long it takes, week by week."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb

from pipelines.report import charts, formatting
from pipelines.report.document import Cell, Chart, ReportColumn, ReportedStudy, ReportTable
from pipelines.report.glossary import Glossary
from pipelines.report.questions import Answer, Row, Scope, ask
from pipelines.report.tables import Shown, name, number, share, table, words, written

if TYPE_CHECKING:
    from datetime import date

Stages = list[tuple[str, str, int]]
"""Stage, its colour, how many are in it."""


@dataclass(frozen=True, slots=True)
class StudySections:
    """What the sections of all studies share."""

    connection: duckdb.DuckDBPyConnection
    scope: Scope
    glossary: Glossary

    def study(self, row: Row, anchor: str, stages: Stages) -> ReportedStudy:
        """The section of the study of a row of studies.sql."""
        of_study = self.scope.of(row["study_id"])
        title = formatting.cut(row["study"])
        answers = {
            key: ask(self.connection, f"study_{key}", of_study, rows=8)
            for key in ("rates", "funnel", "drop_off", "flow", "time_in_stage", "cohorts")
        }
        limit = row["participation_limit"]
        progress = None
        if limit is not None and row["filled"] is not None:
            left = formatting.several(row["remaining"], "place") + " left"
            progress = (f"{row['completed']:,} of {limit:,} completed, {left}", row["filled"])
        facts = [
            formatting.words(row["study_type"]),
            formatting.several(row["participants"], "participant"),
            *([] if progress else [f"{row['completed']:,} completed, no limit known"]),
            f"{formatting.several(row['changes'], 'change')} since {formatting.day(self.scope.since.date())}",
            f"last change {formatting.moment(row['last_change_at'])}",
        ]
        return ReportedStudy(
            anchor=anchor,
            name=title,
            study_id=formatting.cut(row["study_id"]) if row["is_named"] else "",
            facts=facts,
            progress=progress,
            stages=[one for one in stages if one[2]],
            charts=_charts(answers, anchor, title, stages),
            shares=table(self.glossary, answers["rates"], "Shares", _RATES),
            tables=[
                table(self.glossary, answers["funnel"], "Funnel and drop-off", _FUNNEL),
                table(
                    self.glossary,
                    answers["time_in_stage"],
                    "Time in stage",
                    _TIME_IN_STAGE,
                    "Nobody was in a stage yet.",
                ),
                table(
                    self.glossary,
                    answers["cohorts"],
                    "Completed, by week of first seen",
                    _COHORTS,
                    "Nobody completed yet.",
                ),
                table(
                    self.glossary,
                    answers["drop_off"],
                    "Current status of people who dropped off",
                    _DROP_OFF,
                    "Nobody dropped off.",
                ),
            ],
        )


def _charts(answers: dict[str, Answer], anchor: str, title: str, stages: Stages) -> list[Chart]:
    drawn = []
    funnel = [{**row, "label": formatting.shown(formatting.words(row["step"]))} for row in answers["funnel"].rows]
    if funnel:
        legend = [("reached", "var(--good)"), ("may still come", "var(--maybe)"), ("lost", "var(--lost)")]
        picture = charts.funnel(funnel, f"{anchor}-funnel", f"Funnel of {title}; the table below has its numbers")
        drawn.append(Chart("funnel", "Funnel", picture, legend, answers["funnel"]))
    flow = answers["flow"].rows
    if len({row["day"] for row in flow}) > 1:
        seen = {row["stage"] for row in flow}
        legend = [(stage, colour) for stage, colour, _ in stages if stage in seen]
        picture = charts.flow(flow, f"{anchor}-flow", f"Participants of {title} by stage and day")
        numbers = _flow_by_day(answers["flow"], [stage for stage, _ in legend])
        drawn.append(Chart("flow", "Cumulative flow", picture, legend, answers["flow"], numbers))
    timed = [
        {**row, "told": f"{formatting.days(row['median_days'])} · {formatting.days(row['p90_days'])}"}
        for row in answers["time_in_stage"].rows
        if row["median_days"] is not None
    ]
    if timed:
        legend = [("90th percentile", "var(--maybe)"), ("half", "var(--ink)")]
        picture = charts.time_in_stage(timed, f"{anchor}-time", f"Time in stage in {title}; the table has its numbers")
        drawn.append(Chart("time_in_stage", "Time in stage, left within", picture, legend, answers["time_in_stage"]))
    return drawn


def _flow_by_day(answer: Answer, stages: list[str]) -> ReportTable:
    """The flow with a row for each day and a column for each stage."""
    days: dict[date, list[Cell]] = {}
    for row in answer.rows:
        days.setdefault(row["day"], []).append(Cell(formatting.count(row["participants"])))
    columns = [
        ReportColumn("Day", None, is_number=False),
        *(ReportColumn(stage, None, is_number=True) for stage in stages),
    ]
    rows = [[Cell(formatting.day(day)), *cells] for day, cells in days.items()]
    return ReportTable("flow-by-day", "Participants by stage when each day ended", columns, rows, answer)


def _of_participants(row: Row) -> Cell:
    return Cell(f"{row['part']:,} of {row['whole']:,}")


_FUNNEL = [
    words("step", "Step"),
    number("reached", "Reached"),
    share("from_previous", "From previous", "reached", "previous", "from_previous", "previous_low", "previous_high"),
    share("from_first", "From first", "reached", "everyone", "from_first", "first_low", "first_high", has_bar=True),
    number("dropped_active", "May still come"),
    number("dropped_lost", "Lost"),
    written("median_hours", "Median time", formatting.hours),
    written("p90_hours", "90th percentile", formatting.hours),
]
_RATES = [
    Shown("share", "Of whom", lambda row: Cell(row["what"]), is_number=False),
    Shown("of_them", "How many", _of_participants),
    share("share", "Share", "part", "whole", "share", "low", "high", has_bar=True),
]
_TIME_IN_STAGE = [
    name("stage", "Stage"),
    number("completed_visits", "Left it"),
    written("median_days", "Median", formatting.days),
    written("p90_days", "90th percentile", formatting.days),
    number("open_visits", "In it now"),
    written("oldest_open_days", "Oldest", formatting.days),
]
_COHORTS = [
    Shown("cohort_week", "Week of", lambda row: Cell(formatting.day(row["cohort_week"])), is_number=False),
    number("participants", "Participants"),
    *(
        share(
            f"within_{days}d",
            f"In {days} days",
            *(f"{field}_{days}d" for field in ("within", "of", "share", "low", "high")),
            has_bar=True,
        )
        for days in (7, 14, 30)
    ),
    number("so_far", "So far"),
]
_DROP_OFF = [
    words("step", "Did not reach"),
    name("status", "Status now"),
    number("participants", "Participants"),
    share("share", "Of those", "participants", "of_step", "share", "low", "high"),
    Shown("is_lost", "", lambda row: Cell("lost") if row["is_lost"] else Cell("may still come"), is_number=False),
]
