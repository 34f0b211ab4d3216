"""The section of one study: progress, charts and tables."""

from dataclasses import replace
from itertools import groupby
from operator import itemgetter

import duckdb

from pipelines.plain import several
from pipelines.report import charts, formatting
from pipelines.report.document import Cell, Chart, ReportColumn, ReportedStudy, ReportTable
from pipelines.report.questions import Answer, Answers, Scope, ask
from pipelines.report.tables import View, table
from pipelines.warehouse import Row

KEYS = ("rates", "funnel", "paths", "drop_off", "flow", "forecast", "incidence", "time_in_stage", "cohorts", "peers")
"""The queries of a section, without the prefix `study_`."""
Stages = list[tuple[str, str, int]]
"""For each stage: its name, its CSS colour, and how many participants are in it."""


def study_section(
    connection: duckdb.DuckDBPyConnection, scope: Scope, view: View, row: Row, stages: Stages
) -> ReportedStudy:
    """The section of a study. `row` is a row of studies.sql with `anchor` and `forecast` added."""
    of_study = replace(scope, study=row["study_id"])
    title = formatting.cut(row["study"])
    answers = {key: ask(connection, f"study_{key}", of_study, rows=8) for key in KEYS}
    limit, over = row["participation_limit"], row["over_limit"]
    progress = None
    if limit is not None and row["filled"] is not None:
        left = f"{over:,} over the limit" if over else f"{several(row['remaining'], 'place')} left"
        progress = (f"{row['completed']:,} of {limit:,} completed, {left}", row["filled"])
    facts = [
        formatting.words(row["study_type"]),
        row["state"],
        *([row["forecast"]] if row["forecast"] else []),
        several(row["participants"], "participant"),
        *([] if progress else [f"{row['completed']:,} completed, no limit known"]),
        f"{several(row['changes'], 'change')} since {formatting.day(scope.local(scope.since).date())}",
        f"last change {formatting.moment(row['last_change_at'])}",
    ]

    def of(name: str, caption: str, empty: str = "None.") -> ReportTable:
        return table(view, answers[name], caption, empty)

    return ReportedStudy(
        anchor=row["anchor"],
        name=title,
        study_id=formatting.cut(row["study_id"]) if row["is_named"] or view.links.study(row) else "",
        href=view.links.study(row),
        facts=facts,
        progress=progress,
        stages=[stage for stage in stages if stage[2]],
        charts=_charts(view, answers, row["anchor"], title, stages),
        shares=of("rates", "Rates"),
        tables=[
            of("funnel", "Funnel and drop-off"),
            of("time_in_stage", "Time in stage", "Nobody has been in a stage yet."),
            of(
                "incidence",
                "Completed or lost after the invitation",
                "Nobody was invited, or fewer than ten people can be observed.",
            ),
            of(
                "cohorts",
                "Completed, by the week in which participants were first seen",
                "Nobody has completed an activity yet.",
            ),
            of("peers", "Compared with studies of the same type", "There are too few people or studies to compare."),
            of("paths", "Most frequent paths of participants", "There are no participants yet."),
            of("drop_off", "Current status of people who have not reached a step", "Everyone has reached every step."),
        ],
    )


def _charts(view: View, answers: Answers, anchor: str, title: str, stages: Stages) -> list[Chart]:
    drawn = []
    funnel = [{**row, "label": formatting.one_line(formatting.words(row["step"]))} for row in answers["funnel"].rows]
    if funnel:
        legend = [
            ("reached", "var(--good)"),
            ("may still reach it", "var(--maybe)"),
            ("will not reach it", "var(--lost)"),
        ]
        svg = charts.funnel(funnel, f"{anchor}-funnel", f"Funnel of {title}; the table below has its numbers")
        drawn.append(Chart("funnel", "Funnel", svg, legend, answers["funnel"]))
    flow = answers["flow"].rows
    if len({row["day"] for row in flow}) > 1:
        seen = {row["stage"] for row in flow}
        legend = [(stage, colour) for stage, colour, _ in stages if stage in seen]
        svg = charts.flow(flow, f"{anchor}-flow", f"Participants of {title} by stage and day")
        numbers = _flow_by_day(answers["flow"], [stage for stage, _ in legend])
        drawn.append(Chart("flow", "Cumulative flow", svg, legend, answers["flow"], numbers))
    fan = answers["forecast"].rows
    if any(row["is_ahead"] for row in fan):
        ranges = [("50% range", "var(--good)"), ("80 and 95% ranges", "var(--maybe)")]
        legend = [("completed", "var(--ink)"), *ranges, *([("target", "var(--bad-fill)")] if fan[0]["target"] else [])]
        svg = charts.fan(
            fan, f"{anchor}-forecast", f"Completions of {title}, so far and expected if nobody else is invited"
        )
        numbers = table(view, answers["forecast"], "Completions so far, and expected (chart)")
        drawn.append(Chart("forecast", "Completions so far, and expected", svg, legend, answers["forecast"], numbers))
    timed = [
        {**row, "label": f"{formatting.days(row['median_days'])} · {formatting.days(row['p90_days'])}"}
        for row in answers["time_in_stage"].rows
        if row["median_days"] is not None
    ]
    if timed:
        legend = [("90th percentile", "var(--maybe)"), ("median", "var(--ink)")]
        svg = charts.time_in_stage(timed, f"{anchor}-time", f"Time in stage in {title}; the table has its numbers")
        drawn.append(
            Chart("time_in_stage", "Time until participants leave a stage", svg, legend, answers["time_in_stage"])
        )
    return drawn


def _flow_by_day(answer: Answer, stages: list[str]) -> ReportTable:
    """The participants by day and stage as a table, with a row for each day and a column for each stage."""
    columns = [
        ReportColumn("Day", None, is_number=False),
        *(ReportColumn(stage, None, is_number=True) for stage in stages),
    ]
    rows = [
        [Cell(formatting.day(day)), *(Cell(formatting.count(row["participants"])) for row in of_day)]
        for day, of_day in groupby(answer.rows, itemgetter("day"))
    ]
    return ReportTable("Participants by stage when each day ended", columns, rows, answer)
