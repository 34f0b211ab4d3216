"""The charts of a report: Vega-Lite templates (templates/*.chart.json), rendered as SVG by vl-convert.

Colours are CSS variables of the page, which has light, dark and print colours.
"""

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import vl_convert
from markupsafe import Markup, escape

from pipelines.warehouse import Row

TEMPLATES = Path(__file__).parent / "templates"
STAGES = 9
"""How many stage colours the page has."""
MARGIN_PER_LETTER = 2.2
"""Extra margin per letter, because text is wider in browsers than vl-convert measures."""

# What is cut from the SVG that vl-convert writes.
_EMPTY = re.compile(r'<path class="(?:background|foreground)"[^>]*/>')
_BACKDROP = re.compile(r'<rect width="[\d.]+" height="[\d.]+" fill="white"/>')
_HIDDEN = re.compile(r'<text [^>]*(?<!-)opacity="0"[^>]*>[^<]*</text>')
"""Labels that Vega made invisible because they overlap others."""
_USELESS = re.compile(
    r' (?:role|aria-[a-z]+|pointer-events|font-family|class|opacity|stroke-miterlimit|xmlns:xlink|version)="[^"]*"'
)
_HEAD = re.compile(r'<svg [^>]*viewBox="([^"]+)"[^>]*>')
_LONG = re.compile(r"-?\d+\.\d{2,}(?:e-?\d+)?")


def stage_colour(stage_order: int) -> str:
    """The CSS colour of a stage. Colours repeat after `STAGES` stages."""
    return f"var(--stage-{(stage_order - 1) % STAGES + 1})"


def funnel(rows: Sequence[Row], name: str, title: str) -> Markup:
    """A bar for each row of label, reached, may_still_come and will_not_come. Its length is what the previous step reached."""
    margins = (_margin(row["label"] for row in rows), max(14, _margin(f"{row['reached']:,} " for row in rows)))
    return _inline(_draw("funnel", rows, 21 * len(rows) + 6, margins), name, title)


def flow(rows: Sequence[Row], name: str, title: str) -> Markup:
    """Stacked areas from rows of day, stage, stage_order and participants, the last stage at the bottom."""
    areas = [_area(row, int(row["stage_order"]), stage_colour(row["stage_order"]), row["participants"]) for row in rows]
    return _inline(_draw("areas", areas, 190), name, title)


def fan(rows: Sequence[Row], name: str, title: str) -> Markup:
    """A line of completions so far and ranges of expected ones.

    Rows have day, is_ahead, completed, low_50 to high_95 and target.
    """
    days = [{**row, "day": row["day"].isoformat()} for row in rows]
    return _inline(_draw("forecast", days, 190), name, title)


def backlog(rows: Sequence[Row], name: str, title: str) -> Markup:
    """Two stacked areas from rows of day, overdue and not_yet_overdue."""
    kinds = ((2, "var(--bad-fill)", "overdue"), (1, "var(--warn-fill)", "not_yet_overdue"))
    areas = [_area(row, order, colour, row[kind]) for row in rows for order, colour, kind in kinds]
    return _inline(_draw("areas", areas, 150), name, title)


def time_in_stage(rows: Sequence[Row], name: str, title: str) -> Markup:
    """A bar from 0 to p90_days with a mark at median_days, from rows that also have stage and label."""
    margins = (_margin(row["stage"] for row in rows), _margin(row["label"] for row in rows))
    return _inline(_draw("time_in_stage", rows, 24 * len(rows) + 6, margins), name, title)


def _area(row: Row, order: int, colour: str, people: float) -> Row:
    return {"day": row["day"].isoformat(), "order": order, "colour": colour, "people": int(people)}


def _margin(texts: Iterable[str]) -> float:
    return 2 + MARGIN_PER_LETTER * min(20, max((len(text) for text in texts), default=0))


def _draw(name: str, rows: Sequence[Row], height: int, margins: tuple[float, float] = (8, 14)) -> str:
    """A chart template filled with rows, as SVG. `margins`: left and right, in pixels."""
    specification: dict[str, Any] = {}
    for file in ("chart.json", f"{name}.chart.json"):
        specification |= json.loads((TEMPLATES / file).read_text(encoding="utf-8"))
    specification["height"] = height
    specification["padding"] = {"left": margins[0], "right": margins[1], "top": 4, "bottom": 4}
    specification["datasets"] = {"rows": [{key: row[key] for key in row if key != "of_all"} for row in rows]}
    return vl_convert.vegalite_to_svg(specification)


def _inline(drawn: str, name: str, title: str) -> Markup:
    """A chart for use within a page, with a title for screen readers. `name` must be unique in the page."""
    short = _HIDDEN.sub("", _BACKDROP.sub("", _EMPTY.sub("", drawn)))
    box = _HEAD.search(short)
    short = _USELESS.sub("", _HEAD.sub("", short)).replace("</svg>", "")
    short = _LONG.sub(lambda match: f"{float(match[0]):.1f}".removesuffix(".0"), short)
    head = (
        f'<svg role="img" aria-labelledby="{name}-title" viewBox="{box[1] if box else "0 0 360 200"}">'
        f'<title id="{name}-title">{escape(title)}</title>'
    )
    return Markup(f"{head}{short}</svg>")  # noqa: S704 - Vega escapes what it draws; the title is escaped here
