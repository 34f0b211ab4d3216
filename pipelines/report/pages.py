"""A report as HTML and as Markdown, from the templates."""

import re
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import jinja2

from pipelines.report import formatting
from pipelines.report.archived import ArchivedReport
from pipelines.report.document import Document
from pipelines.report.previous import tags

TEMPLATES = Path(__file__).parent / "templates"
_MARKDOWN = re.compile(r"([\\`*\[\]<>|~#&]|\b_|_\b|(?<!\w)_)")


def html(document: Document) -> str:
    """One file that needs nothing else."""
    return _render(_html_environment(), "report.html.j2", document)


def index(entries: Sequence[ArchivedReport]) -> str:
    """A page that leads to reports, in the order given."""
    return (
        _html_environment().get_template("index.html.j2").render(entries=entries, formatting=formatting).strip() + "\n"
    )


def markdown(document: Document) -> str:
    """The same for a chat or a ticket, without the pictures."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=False,  # noqa: S701 - Markdown, escaped by `md`
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["md"] = escaped
    environment.filters["fenced"] = fenced
    return _render(environment, "report.md.j2", document)


def escaped(text: str) -> str:
    """Text that others wrote as Markdown shows it, in a table too."""
    return _MARKDOWN.sub(r"\\\1", formatting.shown(text)) if text else ""


def fenced(sql: str) -> str:
    """A block of SQL, whatever it holds."""
    longest = max((len(ticks) for ticks in re.findall(r"`+", sql)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}sql\n{sql}\n{fence}"


def _html_environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _render(environment: jinja2.Environment, template: str, document: Document) -> str:
    scope = document.scope
    rendered = environment.get_template(template).render(
        document=document,
        formatting=formatting,
        tags=tags(scope.as_of, scope.study),
        weekday=scope.as_of.strftime("%A"),
        version=version("studyflow"),
    )
    return re.sub(r"\n{3,}", "\n\n", rendered).strip() + "\n"
