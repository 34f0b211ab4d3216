"""Print the report of a check at a terminal."""

from typing import TYPE_CHECKING

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from pipelines.check.report import SAMPLE_ROWS, Finding, Report, as_text
from pipelines.plain import plain, several

if TYPE_CHECKING:
    import polars as pl

INDENT = 9
LINE = "line"
"""A column whose values may be long. They are cut to the width of the terminal."""
ROWS_OF_A_WARNING = 3


def render(report: Report, console: Console) -> None:
    """Print failures with some of their rows, then warnings, then the verdict in one line."""
    for finding in report.failures:
        _write(finding, console, "failed", "red")
    for finding in report.warnings:
        word, style = ("failed", "red") if report.strict else ("warning", "yellow")
        _write(finding, console, word, style, ROWS_OF_A_WARNING)
    console.print(_verdict(report))


def _write(finding: Finding, console: Console, word: str, style: str, rows: int = SAMPLE_ROWS) -> None:
    rule = f"  {finding.rule}: {several(finding.count, 'row')}"
    console.print(Text.assemble((f"{word:<{INDENT}}", style), (finding.table, "bold"), rule))
    console.print(_indented(Text(finding.meaning, "dim")))
    sample = finding.sample_rows.head(rows)
    if sample.height:
        console.print(_indented(_as_table(sample)))
    if 0 < sample.height < finding.count:
        console.print(_indented(Text(f"and {finding.count - sample.height:,} more", "dim")))
    console.print()


def _indented(what: RenderableType) -> Padding:
    return Padding(what, (0, 0, 0, INDENT), expand=False)


def _as_table(rows: "pl.DataFrame") -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, expand=LINE in rows.columns)
    for column in rows.columns:
        if column == LINE:
            table.add_column(column, header_style="dim", no_wrap=True, overflow="ellipsis", ratio=1, min_width=40)
        else:
            table.add_column(column, header_style="dim", overflow="fold")
    for row in as_text(rows).iter_rows():
        table.add_row(*map(_cell, row))
    return table


def _cell(value: object) -> Text:
    if value is None:
        return Text("null", "dim")
    return Text(str(value).lower() if isinstance(value, bool) else plain(str(value)))


def _verdict(report: Report) -> Text:
    rows, tables = several(sum(report.rows.values()), "row"), several(len(report.rows), "table")
    checked = f"{several(report.rules, 'rule')}, {rows} in {tables}"
    rejected = several(sum(finding.count for finding in report.warnings), "rejected line")
    if report.ok:
        return Text.assemble(
            ("Checks passed", "bold green"), f": {checked}{f', {rejected}' if report.warnings else ''}."
        )
    wrong = [f"{several(len(report.failures), 'rule')} broken"] if report.failures else []
    wrong += [f"{rejected}{' (--strict)' if report.strict else ''}"] if report.warnings else []
    return Text.assemble(("Checks failed", "bold red"), f": {', '.join(wrong)}. Checked: {checked}.")
