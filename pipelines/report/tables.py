"""Answers as tables: which columns are shown, what they are called, how their numbers are written."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.report import formatting
from pipelines.report.document import Cell, ReportColumn, ReportTable, Tone
from pipelines.report.glossary import Glossary
from pipelines.report.questions import Answer, Row


@dataclass(frozen=True, slots=True)
class Shown:
    """A column to show: where its meaning stands, its head, and how a row's cell is made."""

    key: str
    label: str
    cell: Callable[[Row], Cell]
    is_number: bool = True


def table(
    glossary: Glossary, answer: Answer, caption: str, shown: Sequence[Shown], empty: str = "None."
) -> ReportTable:
    """The answer as a table."""
    return ReportTable(
        name=answer.name,
        caption=caption,
        columns=[ReportColumn(one.label, glossary.term(answer, one.key, one.label), one.is_number) for one in shown],
        rows=[[one.cell(row) for one in shown] for row in answer.rows],
        answer=answer,
        rest=answer.of_all - len(answer.rows),
        empty=empty,
    )


def name(key: str, label: str) -> Shown:
    """Text that others wrote, cut to a line; all of it on hover."""

    def cell(row: Row) -> Cell:
        text = row[key]
        if text is None:
            return Cell(formatting.NONE)
        short = formatting.cut(text)
        return Cell(short, more="" if short == text else formatting.shown(text))

    return Shown(key, label, cell, is_number=False)


def code(key: str, label: str) -> Shown:
    """An id."""
    return Shown(key, label, lambda row: Cell(formatting.cut(row[key]), is_code=True), is_number=False)


def words(key: str, label: str) -> Shown:
    """A name of the reference tables."""
    return Shown(key, label, lambda row: Cell(formatting.shown(formatting.words(row[key]))), is_number=False)


def number(key: str, label: str, tone: Tone = "") -> Shown:
    """A count, which is toned where it is not 0 and pale where it is."""
    return Shown(key, label, lambda row: Cell(formatting.count(row[key]), tone=tone if row[key] else "muted"))


def written(key: str, label: str, how: Callable[[Any], str]) -> Shown:
    """A value as one of `formatting` writes it."""
    return Shown(key, label, lambda row: Cell(how(row[key])))


def flag(key: str, label: str, says: str, tone: Tone = "bad") -> Shown:
    """A word where something holds, else nothing."""
    return Shown(key, label, lambda row: Cell(says, tone=tone) if row[key] else Cell(""), is_number=False)


def share(key: str, label: str, *fields: str, has_bar: bool = False) -> Shown:
    """A share; `fields` are its part, whole, value and the ends of its interval."""

    def cell(row: Row) -> Cell:
        part, whole, value, low, high = (row[field] for field in fields)
        bar = value if has_bar and whole and whole >= formatting.FEW else None
        return Cell(
            formatting.share(part, whole, value, low, high), more=formatting.interval(part, whole, low, high), bar=bar
        )

    return Shown(key, label, cell)
