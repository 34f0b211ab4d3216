"""Renders reports as HTML and Markdown from the templates."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from importlib.metadata import version
from pathlib import Path

import jinja2

from pipelines.plain import several
from pipelines.report import formatting
from pipelines.report.document import Cell, Document
from pipelines.report.previous import ArchivedReport, tags
from pipelines.report.questions import Scope

TEMPLATES = Path(__file__).parent / "templates"
UNKNOWN = (
    "Webhooks do not say how somebody was recruited or when a session will take place, so this report cannot show either. "
    "Rally shows both."
)
"""A note in the report on what webhooks do not contain."""
SEE_ALSO = (
    (
        "Lists to work from (in the exports folder):",
        ("to_pay.csv", "to_remind.csv", "to_nudge.csv", "may_be_invited.csv"),
    ),
    ("When each study will be full, and how many people to invite:", ("studyflow forecast",)),
    ("Who may be invited now:", ("studyflow invitable",)),
    ("One person's current status, and how they got there:", ("studyflow who",)),
)
"""Pointers on the first page to exports and commands."""
_MARKDOWN = re.compile(r"([\\`*\[\]<>|~#&]|\b_|_\b|(?<!\w)_)")


def index(entries: Sequence[ArchivedReport], zone: tzinfo) -> str:
    """The HTML index of reports, in the given order, with times in `zone`."""
    local = [replace(entry, as_of=entry.as_of.astimezone(zone)) for entry in entries]
    return _template("index.html.j2").render(entries=local, zone=zone).strip() + "\n"


def escaped(text: str) -> str:
    """Text from users on one line, escaped for Markdown, also within tables."""
    return _MARKDOWN.sub(r"\\\1", formatting.one_line(text)) if text else ""


def code(text: str) -> str:
    """A Markdown code span, with more backticks around it than the text has in a row."""
    line = formatting.one_line(text)
    fence = _fence(line)
    return f"{fence} {line} {fence}" if "`" in line else f"`{line}`"


def _cell(cell: Cell) -> str:
    text = escaped(cell.text)
    return f"[{text}](<{cell.href}>)" if cell.href.startswith("http") else text


def fenced(sql: str) -> str:
    """A Markdown block of SQL, with more backticks around it than the SQL has in a row."""
    fence = _fence(sql, 3)
    return f"{fence}sql\n{sql}\n{fence}"


def _fence(text: str, shortest: int = 1) -> str:
    longest = max(map(len, re.findall(r"`+", text)), default=0)
    return "`" * max(shortest, longest + 1)


def report(document: Document, kind: str) -> str:
    """The report as a self-contained HTML file (`kind` html), or as Markdown without charts (md)."""
    scope = document.scope
    as_of, since = scope.local(scope.as_of), scope.local(scope.since)
    rendered = _template(f"report.{kind}.j2").render(
        document=document,
        tags=tags(scope.as_of, scope.study),
        as_of=as_of,
        data_as_of=f"{as_of:%A} {formatting.moment(as_of)} {scope.zone}",
        compared=(
            f"Since {'the last report, ' if document.is_since_report else ''}{since:%A} {formatting.moment(since)} "
            f"({formatting.span(scope.span)})"
        ),
        was=f"{_days(*scope.before)}, the same days {_weeks(scope)} earlier",
        unknown=UNKNOWN,
        see_also=SEE_ALSO,
        version=version("studyflow"),
    )
    return re.sub(r"\n{3,}", "\n\n", rendered).strip() + "\n"


def _days(first: datetime, last: datetime) -> str:
    return f"{first:%A} {formatting.day(first.date())} to {last:%A} {formatting.day(last.date())}"


def _weeks(scope: Scope) -> str:
    weeks = round((scope.local(scope.since) - scope.before[0]) / timedelta(weeks=1))
    return "a week" if weeks == 1 else f"{weeks} weeks"


def _template(name: str) -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=name.endswith(".html.j2"),  # the filter `md` escapes Markdown
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"md": escaped, "cell": _cell, "code": code, "fenced": fenced}
    environment.globals |= {"formatting": formatting, "several": several}
    return environment.get_template(name)
