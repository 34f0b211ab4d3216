"""Turns answers into tables. The head of a query says which columns are shown, with their labels and formats."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from pipelines.ask.forecast import when_full
from pipelines.report import formatting
from pipelines.report.document import Cell, ReportColumn, ReportTable, Tone
from pipelines.report.glossary import Glossary
from pipelines.report.links import Links
from pipelines.report.questions import Answer, ShownColumn
from pipelines.warehouse import Row

CellFormat = Callable[..., Cell]
"""Makes a cell from a row, the key of the column, and the arguments of the format in the query's head."""


@dataclass(frozen=True, slots=True)
class View:
    """How answers are shown: the report's glossary, links to Rally, and whether tables show the names of people."""

    glossary: Glossary
    links: Links
    names: bool


def table(view: View, answer: Answer, caption: str, empty: str = "None.") -> ReportTable:
    """The answer as a table. Columns with names of people are left out unless `view.names`."""
    shown = [column for column in answer.shown if view.names or column.format[0] != "person"]
    columns = [
        ReportColumn(
            column.label,
            view.glossary.term(answer, column.key, column.label, caption),
            column.format[0] not in TEXT_FORMATS,
        )
        for column in shown
    ]
    rows = [[_cell(view, row, column) for column in shown] for row in answer.rows]
    return ReportTable(caption, columns, rows, answer, answer.total_rows - len(answer.rows), empty)


def _cell(view: View, row: Row, column: ShownColumn) -> Cell:
    name, *arguments = column.format
    cell = (TEXT_FORMATS | NUMBER_FORMATS)[name](row, column.key, *arguments)
    link = {"participant": view.links.participant, "of_study": view.links.study}.get(name)
    return replace(cell, href=link(row)) if link else cell


def _name(row: Row, key: str, field: str = "") -> Cell:
    """Text from users, cut to one line, with all of it in the tooltip."""
    text = row[field or key]
    if text is None:
        return Cell(formatting.NONE)
    short = formatting.cut(text)
    return Cell(short, tooltip="" if short == text else formatting.one_line(text))


def _study(row: Row, _: str) -> Cell:
    """The name of a study, linked to its section if it has one."""
    href = f"#{row['anchor']}" if row["anchor"] else ""
    return Cell(formatting.cut(row["study"]), tooltip=formatting.one_line(row["study_id"]), href=href)


def _code(row: Row, key: str) -> Cell:
    """An id."""
    return Cell(formatting.cut(row[key]), is_code=True)


def _words(row: Row, key: str) -> Cell:
    """A name of the reference tables, in words."""
    return Cell(formatting.one_line(formatting.words(row[key])))


def _text(row: Row, key: str) -> Cell:
    """Text from users, not cut."""
    return Cell(formatting.one_line(row[key]))


def _flag(row: Row, key: str, label: str, tone: Tone) -> Cell:
    """The label, with ~ for spaces, if the value is true; else empty."""
    return Cell(label.replace("~", formatting.SPACE), tone=tone) if row[key] else Cell("")


def _number(row: Row, key: str, tone: Tone = "") -> Cell:
    """A count in this tone, or muted if it is 0."""
    return Cell(formatting.count(row[key]), tone=tone if row[key] else "muted")


def _of(row: Row, _: str, part: str, whole: str) -> Cell:
    return Cell(f"{row[part]:,} of {row[whole]:,}")


def _completed(row: Row, key: str) -> Cell:
    """How many completed a study, and its limit if it has one."""
    return Cell(formatting.completed(row[key], row["participation_limit"], row["over_limit"]), bar=row["filled"])


def _money(row: Row, key: str, currency: str) -> Cell:
    """An amount in its currency."""
    return Cell(formatting.money(row[key], row[currency]))


def _measure(row: Row, _: str, share: str, days: str) -> Cell:
    """A share of people, or if that is null a duration in days."""
    return Cell(formatting.days(row[days]) if row[share] is None else formatting.percent(row[share]))


def _times(row: Row, key: str) -> Cell:
    """How many times as bad as usual, with one decimal."""
    value = row[key]
    return Cell(formatting.NONE if value is None else f"{value:,.1f}")


def _share(row: Row, _: str, *fields: str) -> Cell:
    """A share. `fields` are the columns of its part, whole, value, and the ends of its interval."""
    part, whole, value, low, high = (row[field] for field in fields)
    return Cell(formatting.share(part, whole, value, low, high), tooltip=formatting.interval(part, whole, low, high))


def _bar(row: Row, key: str, *fields: str) -> Cell:
    """A share with a bar behind it, unless it is of few people."""
    _, whole, value, *_ = (row[field] for field in fields)
    return replace(_share(row, key, *fields), bar=value if whole and whole >= formatting.FEW else None)


def _band(row: Row, _: str, share: str, low: str, high: str) -> Cell:
    """A share with its interval, also for few people."""
    return Cell(formatting.band(row[share], row[low], row[high]))


def forecast_line(row: Row) -> str:
    """`full by 14 Aug (80%: 10 Aug to 21 Aug); invite 35 more today`, or `too little known`.

    Empty if the study is closed or full, or has no target: other columns of the study show that. The row has columns of
    marts.study_forecast, `invite_by` and `invite_80`, and optionally those of forecast_record.sql.
    """
    when = when_full(row)
    if when in {"closed", "full", "no target"}:
        return ""
    parts = [f"full {when}" if when.startswith("by ") else when]
    if row["invite_80"]:
        parts.append(f"invite {row['invite_80']:,} more today")
    elif row["invite_by"] and row["invite_80"] is None:
        parts.append("too little known to say how many to invite")
    if row.get("is_unreliable"):
        parts.append(f"only {row['came_true_80']:,} of {row['judged_80']:,} past forecasts like this came true")
    return "; ".join(parts)


def _forecast(row: Row, _: str) -> Cell:
    """When a study will be full, and how many people to invite."""
    line = forecast_line(row)
    return Cell(line or when_full(row), tone="warn" if line and row.get("is_unreliable") else "")


def _formatted(function: Callable[[Any], str]) -> CellFormat:
    """The format that applies a function of `formatting` to the value."""
    return lambda row, key: Cell(function(row[key]))


TEXT_FORMATS: dict[str, CellFormat] = {
    "code": _code,
    "day": _formatted(formatting.day),
    "flag": _flag,
    "forecast": _forecast,
    "name": _name,
    "of_study": _name,
    "participant": _code,
    "person": _name,
    "study": _study,
    "text": _text,
    "words": _words,
}
NUMBER_FORMATS: dict[str, CellFormat] = {
    "age": _formatted(formatting.age),
    "band": _band,
    "bar": _bar,
    "completed": _completed,
    "measure": _measure,
    "money": _money,
    "number": _number,
    "of": _of,
    "share": _share,
    "times": _times,
    "count": _formatted(formatting.count),
    "days": _formatted(formatting.days),
    "hours": _formatted(formatting.hours),
    "moment": _formatted(formatting.moment),
}
