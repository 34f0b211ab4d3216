"""The pictures of a report: Altair says what they look like, vl-convert draws them as SVG.

Colours are names: what is drawn in `STAGES[0]` becomes `var(--stage-1)`, so that the page decides in light, dark and print.
"""

import json
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import altair as alt
import vl_convert
from markupsafe import Markup

from pipelines.report.questions import Row
from pipelines.report.svg import inline

WIDTH = 380
MARGIN_PER_LETTER = 2.2
"""Browsers set text wider than vl-convert measures it."""
STAGES = [f"#5a00{number:02x}" for number in range(1, 10)]
INK, FAINT, GRID, GOOD, MAYBE, LOST, BAD, WARN = (f"#5b00{number:02x}" for number in range(1, 9))
_ROWS = alt.NamedData(name="rows")
_FUNNEL_KINDS: list[str | alt.FieldName] = ["reached", "dropped_active", "dropped_lost"]
COLOURS = {colour: f"var(--stage-{number})" for number, colour in enumerate(STAGES, start=1)} | {
    INK: "var(--ink)",
    FAINT: "var(--faint)",
    GRID: "var(--line)",
    GOOD: "var(--good)",
    MAYBE: "var(--maybe)",
    LOST: "var(--lost)",
    BAD: "var(--bad-fill)",
    WARN: "var(--warn-fill)",
}


def stage_colour(stage_order: int) -> str:
    """The CSS colour of a stage; there are nine, then they come again."""
    return COLOURS[_stage(stage_order)]


def _stage(stage_order: int) -> str:
    return STAGES[(stage_order - 1) % len(STAGES)]


def funnel(rows: Sequence[Row], name: str, title: str) -> Markup:
    """Rows of label, reached, dropped_active, dropped_lost: a bar each, which is as long as the step before reached."""
    return _draw(_funnel(len(rows)), rows, name, title, (_margin(row["label"] for row in rows), 14))


def flow(rows: Sequence[Row], name: str, title: str) -> Markup:
    """Rows of day, stage, stage_order, participants: areas on top of each other, the last stage at the bottom."""
    orders = tuple(sorted({int(row["stage_order"]) for row in rows}))
    return _draw(_flow(orders), [{**row, "day": row["day"].isoformat()} for row in rows], name, title)


def backlog(rows: Sequence[Row], name: str, title: str) -> Markup:
    """Rows of day, overdue, not_yet_overdue: two areas."""
    long = [
        {"day": row["day"].isoformat(), "kind": kind, "people": int(row[kind])}
        for row in rows
        for kind in ("overdue", "not_yet_overdue")
    ]
    return _draw(_backlog(), long, name, title)


def time_in_stage(rows: Sequence[Row], name: str, title: str) -> Markup:
    """Rows of stage, median_days, p90_days, told: from nothing to the time of nine in ten, with a mark at the median."""
    sides = (_margin(row["stage"] for row in rows), _margin(row["told"] for row in rows))
    return _draw(_time_in_stage(len(rows)), rows, name, title, sides)


@lru_cache
def _funnel(steps: int) -> str:
    source = alt.Chart(_ROWS)
    place = alt.Y("label:N", sort=None, title=None, axis=alt.Axis(ticks=False, domain=False, labelPadding=6))
    bars = (
        source.transform_fold(_FUNNEL_KINDS, as_=["kind", "people"])
        .transform_calculate(place=f"indexof({json.dumps(_FUNNEL_KINDS)}, datum.kind)")
        .mark_bar(height=14)
        .encode(
            y=place,
            x=alt.X("people:Q", title=None, axis=None),
            color=alt.Color("kind:N", scale=alt.Scale(domain=_FUNNEL_KINDS, range=[GOOD, MAYBE, LOST]), legend=None),
            order="place:O",
        )
    )
    numbers = (
        source.transform_calculate(end="datum.reached + datum.dropped_active + datum.dropped_lost")
        .mark_text(align="left", dx=4, color=INK, fontSize=11.5)
        .encode(y=place, x="end:Q", text=alt.Text("reached:Q", format=","))
    )
    return _specification(bars + numbers, height=21 * steps + 6)


@lru_cache
def _flow(orders: tuple[int, ...]) -> str:
    chart = (
        alt.Chart(_ROWS)
        .mark_area(interpolate="step-after")
        .encode(
            x=_days(),
            y=alt.Y("sum(participants):Q", stack="zero", title=None, axis=_people()),
            color=alt.Color(
                "stage_order:O",
                scale=alt.Scale(domain=list(orders), range=[_stage(order) for order in orders]),
                legend=None,
            ),
            order=alt.Order("stage_order:Q", sort="descending"),
        )
    )
    return _specification(chart, height=190)


@lru_cache
def _backlog() -> str:
    kinds = ["overdue", "not_yet_overdue"]
    chart = (
        alt.Chart(_ROWS)
        .mark_area(interpolate="step-after")
        .encode(
            x=_days(),
            y=alt.Y("people:Q", stack="zero", title=None, axis=_people()),
            color=alt.Color("kind:N", scale=alt.Scale(domain=kinds, range=[BAD, WARN]), legend=None),
            order=alt.Order("kind:N", sort="descending"),
        )
    )
    return _specification(chart, height=150)


@lru_cache
def _time_in_stage(stages: int) -> str:
    source = alt.Chart(_ROWS)
    place = alt.Y("stage:N", sort=None, title=None, axis=alt.Axis(ticks=False, domain=False, labelPadding=6))
    most = source.mark_bar(height=10, color=MAYBE).encode(y=place, x=alt.X("p90_days:Q", title=None, axis=None))
    middle = source.mark_tick(thickness=3, height=18, color=INK).encode(y=place, x="median_days:Q")
    numbers = source.mark_text(align="left", dx=5, color=INK, fontSize=11.5).encode(
        y=place, x="p90_days:Q", text="told:N"
    )
    return _specification(most + middle + numbers, height=24 * stages + 6)


def _people() -> alt.Axis:
    return alt.Axis(tickCount=4, tickMinStep=1, format=",.0f", labelPadding=4, domain=False, ticks=False)


def _days() -> alt.X:
    axis = alt.Axis(format="%-d %b", tickCount=5, grid=False, labelFlush=True, labelOverlap=True)
    return alt.X("day:T", title=None, axis=axis, scale=alt.Scale(type="utc"))


def _margin(texts: Iterable[str]) -> float:
    return 2 + MARGIN_PER_LETTER * min(20, max((len(text) for text in texts), default=0))


def _specification(chart: alt.Chart | alt.LayerChart, height: int) -> str:
    """The chart as Vega-Lite, without its rows."""
    labels = {"labelColor": FAINT, "labelFontSize": 11.5, "labelFont": "sans-serif", "labelLimit": 130}
    sized = chart.properties(width=WIDTH, height=height, autosize=alt.AutoSizeParams(type="fit", contains="padding"))
    quiet = sized.configure(font="sans-serif").configure_view(stroke=None)
    return str(
        quiet.configure_axis(
            **labels, gridColor=GRID, domainColor=GRID, tickColor=GRID, gridOpacity=1, tickSize=3
        ).to_json()
    )


def _draw(
    specification: str, rows: Sequence[Row], name: str, title: str, sides: tuple[float, float] = (8, 14)
) -> Markup:
    given: dict[str, Any] = json.loads(specification)
    given["padding"] = {"left": sides[0], "right": sides[1], "top": 4, "bottom": 4}
    given["datasets"] = {"rows": [{key: row[key] for key in row if key != "of_all"} for row in rows]}
    return inline(vl_convert.vegalite_to_svg(given), name, title, COLOURS)
