"""A report as HTML and as Markdown, from the templates."""

import re
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import jinja2

from pipelines.plain import several
from pipelines.report import formatting
from pipelines.report.archived import ArchivedReport
from pipelines.report.document import Document
from pipelines.report.previous import tags

TEMPLATES = Path(__file__).parent / "templates"
_MARKDOWN = re.compile(r"([\\`*\[\]<>|~#&]|\b_|_\b|(?<!\w)_)")


def html(document: Document) -> str:
    """One file that needs nothing else."""
    return _report("report.html.j2", document)


def markdown(document: Document) -> str:
    """The same for a chat or a ticket, without the pictures."""
    return _report("report.md.j2", document)


def index(entries: Sequence[ArchivedReport]) -> str:
    """A page that leads to reports, in the order given."""
    return _template("index.html.j2").render(entries=entries).strip() + "\n"


def escaped(text: str) -> str:
    """Text that others wrote as Markdown shows it, in a table too."""
    return _MARKDOWN.sub(r"\\\1", formatting.shown(text)) if text else ""


def fenced(sql: str) -> str:
    """A block of SQL, whatever it holds."""
    longest = max((len(ticks) for ticks in re.findall(r"`+", sql)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}sql\n{sql}\n{fence}"


def _report(template: str, document: Document) -> str:
    scope = document.scope
    rendered = _template(template).render(
        document=document,
        tags=tags(scope.as_of, scope.study),
        weekday=scope.as_of.strftime("%A"),
        version=version("studyflow"),
    )
    return re.sub(r"\n{3,}", "\n\n", rendered).strip() + "\n"


def _template(name: str) -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=name.endswith(".html.j2"),  # Markdown is escaped by `md`
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"md": escaped, "fenced": fenced}
    environment.globals |= {"formatting": formatting, "several": several}
    return environment.get_template(name)
