"""Answers as tables: the head of a query says which columns are shown, what they are called and how they are written."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from pipelines.ask.forecast import when_full
from pipelines.report import formatting
from pipelines.report.document import Cell, ReportColumn, ReportTable, Tone
from pipelines.report.forecast import forecast_line
from pipelines.report.glossary import Glossary
from pipelines.report.links import Links
from pipelines.report.questions import Answer, ShownColumn
from pipelines.warehouse import Row

Writer = Callable[..., Cell]
"""The cell of a row, given the key of the column and the words that follow the name of the writer."""


@dataclass(frozen=True, slots=True)
class View:
    """How answers are shown: the terms of the report, its links to Rally, and whether people are named."""

    glossary: Glossary
    links: Links
    names: bool


def table(view: View, answer: Answer, caption: str, empty: str = "None.") -> ReportTable:
    """The answer as a table, without the columns of names unless they were asked for."""
    shown = [one for one in answer.shown if view.names or one.how[0] != "person"]
    columns = [
        ReportColumn(one.label, view.glossary.term(answer, one.key, one.label), one.how[0] not in TEXTS)
        for one in shown
    ]
    rows = [[_cell(view, row, one) for one in shown] for row in answer.rows]
    return ReportTable(answer.name, caption, columns, rows, answer, answer.of_all - len(answer.rows), empty)


def _cell(view: View, row: Row, column: ShownColumn) -> Cell:
    how, *words = column.how
    cell = (TEXTS | NUMBERS)[how](row, column.key, *words)
    link = {"participant": view.links.participant, "of_study": view.links.study}.get(how)
    return replace(cell, href=link(row)) if link else cell


def _name(row: Row, key: str, field: str = "") -> Cell:
    """Text that others wrote, cut to a line; all of it on hover."""
    text = row[field or key]
    if text is None:
        return Cell(formatting.NONE)
    short = formatting.cut(text)
    return Cell(short, more="" if short == text else formatting.shown(text))


def _study(row: Row, _: str) -> Cell:
    """The name of a study, which leads to its section if it has one."""
    href = f"#{row['anchor']}" if row["anchor"] else ""
    return Cell(formatting.cut(row["study"]), more=formatting.shown(row["study_id"]), href=href)


def _code(row: Row, key: str) -> Cell:
    """An id."""
    return Cell(formatting.cut(row[key]), is_code=True)


def _words(row: Row, key: str) -> Cell:
    """A name of the reference tables."""
    return Cell(formatting.shown(formatting.words(row[key])))


def _text(row: Row, key: str) -> Cell:
    """Text that others wrote, all of it."""
    return Cell(formatting.shown(row[key]))


def _flag(row: Row, key: str, says: str, tone: Tone) -> Cell:
    """A word, or several with ~ between, where something holds, else nothing."""
    return Cell(says.replace("~", formatting.SPACE), tone=tone) if row[key] else Cell("")


def _number(row: Row, key: str, tone: Tone = "") -> Cell:
    """A count, which is toned where it is not 0 and pale where it is."""
    return Cell(formatting.count(row[key]), tone=tone if row[key] else "muted")


def _of(row: Row, _: str, part: str, whole: str) -> Cell:
    return Cell(f"{row[part]:,} of {row[whole]:,}")


def _completed(row: Row, key: str) -> Cell:
    """How many completed a study, of its limit if it has one."""
    return Cell(formatting.completed(row[key], row["participation_limit"], row["over_limit"]), bar=row["filled"])


def _money(row: Row, key: str, currency: str) -> Cell:
    """An amount in its currency."""
    return Cell(formatting.money(row[key], row[currency]))


def _measure(row: Row, _: str, share: str, days: str) -> Cell:
    """A share of people, or a time in days: the one that is not null."""
    return Cell(formatting.days(row[days]) if row[share] is None else formatting.percent(row[share]))


def _times(row: Row, key: str) -> Cell:
    """How many times as bad as usual."""
    value = row[key]
    return Cell(formatting.NONE if value is None else f"{value:,.1f}")


def _share(row: Row, _: str, *fields: str) -> Cell:
    """A share; `fields` are its part, whole, value and the ends of its interval."""
    part, whole, value, low, high = (row[field] for field in fields)
    return Cell(formatting.share(part, whole, value, low, high), more=formatting.interval(part, whole, low, high))


def _bar(row: Row, key: str, *fields: str) -> Cell:
    """The same with a bar behind it, unless it is of few people."""
    _, whole, value, *_ = (row[field] for field in fields)
    return replace(_share(row, key, *fields), bar=value if whole and whole >= formatting.FEW else None)


def _band(row: Row, _: str, share: str, low: str, high: str) -> Cell:
    """A share with its interval, however many people it is of."""
    return Cell(formatting.band(row[share], row[low], row[high]))


def _forecast(row: Row, _: str) -> Cell:
    """When a study is full, and how many to invite."""
    said = forecast_line(row)
    return Cell(said or when_full(row), tone="warn" if said and row.get("is_unreliable") else "")


def _written(how: Callable[[Any], str]) -> Writer:
    """A value as one of `formatting` writes it."""
    return lambda row, key: Cell(how(row[key]))


TEXTS: dict[str, Writer] = {
    "code": _code,
    "day": _written(formatting.day),
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
NUMBERS: dict[str, Writer] = {
    "age": _written(formatting.age),
    "band": _band,
    "bar": _bar,
    "completed": _completed,
    "measure": _measure,
    "money": _money,
    "number": _number,
    "of": _of,
    "share": _share,
    "times": _times,
    "count": _written(formatting.count),
    "days": _written(formatting.days),
    "hours": _written(formatting.hours),
    "moment": _written(formatting.moment),
}
