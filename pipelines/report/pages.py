"""A report as HTML and as Markdown, from the templates."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from importlib.metadata import version
from pathlib import Path

import jinja2

from pipelines.plain import several
from pipelines.report import formatting
from pipelines.report.archived import ArchivedReport
from pipelines.report.document import Cell, Document
from pipelines.report.previous import tags
from pipelines.report.questions import Scope

TEMPLATES = Path(__file__).parent / "templates"
UNKNOWN = (
    "Webhooks do not say through which channel somebody was recruited, or for what time a session is booked. "
    "Rally shows both."
)
"""What webhooks do not say, where readers look for it."""
ELSEWHERE = (
    (
        "Lists to work from (in the exports folder):",
        ("to_pay.csv", "to_remind.csv", "to_nudge.csv", "may_be_invited.csv"),
    ),
    ("When each study will be full, and how many people to invite:", ("studyflow forecast",)),
    ("Who may be invited now:", ("studyflow invitable",)),
    ("One person's current status, and how they got there:", ("studyflow who",)),
)
"""What a reader may look for on the first page and finds in a file or by a command."""
_MARKDOWN = re.compile(r"([\\`*\[\]<>|~#&]|\b_|_\b|(?<!\w)_)")


def html(document: Document) -> str:
    """One file that needs nothing else."""
    return _report("report.html.j2", document)


def markdown(document: Document) -> str:
    """The same for a chat or a ticket, without the pictures."""
    return _report("report.md.j2", document)


def index(entries: Sequence[ArchivedReport], zone: tzinfo) -> str:
    """A page that leads to reports, in the order given, with their times in a time zone."""
    local = [replace(entry, as_of=entry.as_of.astimezone(zone)) for entry in entries]
    return _template("index.html.j2").render(entries=local, zone=zone).strip() + "\n"


def escaped(text: str) -> str:
    """Text that others wrote as Markdown shows it, in a table too."""
    return _MARKDOWN.sub(r"\\\1", formatting.shown(text)) if text else ""


def code(text: str) -> str:
    """A command between as many backticks as it needs."""
    line = formatting.shown(text)
    longest = max((len(ticks) for ticks in re.findall(r"`+", line)), default=0)
    ticks = "`" * (longest + 1)
    return f"{ticks} {line} {ticks}" if longest else f"`{line}`"


def _cell(cell: Cell) -> str:
    text = escaped(cell.text)
    return f"[{text}](<{cell.href}>)" if cell.href.startswith("http") else text


def fenced(sql: str) -> str:
    """A block of SQL between as many backticks as it needs."""
    longest = max((len(ticks) for ticks in re.findall(r"`+", sql)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}sql\n{sql}\n{fence}"


def _report(template: str, document: Document) -> str:
    scope = document.scope
    as_of, since = scope.local(scope.as_of), scope.local(scope.since)
    rendered = _template(template).render(
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
        elsewhere=ELSEWHERE,
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
        autoescape=name.endswith(".html.j2"),  # Markdown is escaped by `md`
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"md": escaped, "cell": _cell, "code": code, "fenced": fenced}
    environment.globals |= {"formatting": formatting, "several": several}
    return environment.get_template(name)
