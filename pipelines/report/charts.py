"""The pictures of a report: templates/*.chart.json say in Vega-Lite what they look like, vl-convert draws them as SVG.

Colours are variables of the page's CSS, so that it decides in light, dark and print.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import vl_convert
from markupsafe import Markup

from pipelines.report.svg import inline
from pipelines.warehouse import Row

TEMPLATES = Path(__file__).parent / "templates"
STAGES = 9
"""How many colours of stages the page has."""
MARGIN_PER_LETTER = 2.2
"""Browsers set text wider than vl-convert measures it."""


def stage_colour(stage_order: int) -> str:
    """The CSS colour of a stage; when there are no more, they come again."""
    return f"var(--stage-{(stage_order - 1) % STAGES + 1})"


def funnel(rows: Sequence[Row], name: str, title: str) -> Markup:
    """Rows of label, reached, may_still_come, lost: a bar each, which is as long as the step before reached."""
    margins = (_margin(row["label"] for row in rows), max(14, _margin(f"{row['reached']:,} " for row in rows)))
    return inline(_draw("funnel", rows, 21 * len(rows) + 6, margins), name, title)


def flow(rows: Sequence[Row], name: str, title: str) -> Markup:
    """Rows of day, stage, stage_order, participants: areas on top of each other, the last stage at the bottom."""
    areas = [_area(row, int(row["stage_order"]), stage_colour(row["stage_order"]), row["participants"]) for row in rows]
    return inline(_draw("areas", areas, 190), name, title)


def fan(rows: Sequence[Row], name: str, title: str) -> Markup:
    """Rows of day, is_ahead, completed, low_50 to high_95, target: a line so far, and ranges of what is to come."""
    days = [{**row, "day": row["day"].isoformat()} for row in rows]
    return inline(_draw("forecast", days, 190), name, title)


def backlog(rows: Sequence[Row], name: str, title: str) -> Markup:
    """Rows of day, overdue, not_yet_overdue: two areas."""
    kinds = ((2, "var(--bad-fill)", "overdue"), (1, "var(--warn-fill)", "not_yet_overdue"))
    areas = [_area(row, order, colour, row[kind]) for row in rows for order, colour, kind in kinds]
    return inline(_draw("areas", areas, 150), name, title)


def time_in_stage(rows: Sequence[Row], name: str, title: str) -> Markup:
    """Rows of stage, median_days, p90_days, told: from nothing to the time of nine in ten, with a mark at the median."""
    margins = (_margin(row["stage"] for row in rows), _margin(row["told"] for row in rows))
    return inline(_draw("time_in_stage", rows, 24 * len(rows) + 6, margins), name, title)


def _area(row: Row, order: int, colour: str, people: float) -> Row:
    return {"day": row["day"].isoformat(), "order": order, "colour": colour, "people": int(people)}


def _margin(texts: Iterable[str]) -> float:
    return 2 + MARGIN_PER_LETTER * min(20, max((len(text) for text in texts), default=0))


def _draw(name: str, rows: Sequence[Row], height: int, margins: tuple[float, float] = (8, 14)) -> str:
    """The chart of that name as SVG, with margins on the left and the right."""
    specification: dict[str, Any] = {}
    for file in ("chart.json", f"{name}.chart.json"):
        specification |= json.loads((TEMPLATES / file).read_text(encoding="utf-8"))
    specification["height"] = height
    specification["padding"] = {"left": margins[0], "right": margins[1], "top": 4, "bottom": 4}
    specification["datasets"] = {"rows": [{key: row[key] for key in row if key != "of_all"} for row in rows]}
    return vl_convert.vegalite_to_svg(specification)
