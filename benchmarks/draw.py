"""Writes docs/benchmarks.md and its charts from the measured results.

.venv-benchmarks/bin/python benchmarks/draw.py RESULTS.json DOCS_FOLDER
"""

import json
import sys
from math import ceil, floor, log10
from pathlib import Path
from typing import Any

import altair as alt
from contestants import FLOOR, OURS
from measure import GB
from page import NOTHING, median_of, page

COLOURS = {
    OURS: "#4c1d95",
    FLOOR: "#737373",
    "dlt": "#c2410c",
    "polars": "#0369a1",
    "pandas": "#15803d",
    "sqlite-utils": "#a16207",
}
OTHERS = ["#4c1d95", "#0369a1", "#737373", "#c2410c", "#15803d", "#a16207"]
HEIGHT = 320
LABEL = 14  # the height of a label, in pixels


def chart(points: list[dict[str, Any]], value: str, title: str, by: str) -> alt.LayerChart:
    """A line for each value of `by`, on two logarithmic axes, with labels at the ends of the lines."""
    names = list(dict.fromkeys(point[by] for point in points))
    colours = alt.Scale(
        domain=names, range=[COLOURS.get(name, other) for name, other in zip(names, OTHERS, strict=False)]
    )
    sizes = sorted({point["lines"] for point in points})
    decades = range(
        floor(log10(min(point[value] for point in points))), ceil(log10(max(point[value] for point in points))) + 1
    )
    base = alt.Chart().encode(
        x=alt.X(
            "lines:Q", title="lines", scale=alt.Scale(type="log"), axis=alt.Axis(values=sizes, format="~s", grid=False)
        ),
        y=alt.Y(
            f"{value}:Q",
            title=title,
            scale=alt.Scale(type="log", domain=[10.0 ** decades[0], 10.0 ** decades[-1]]),
            axis=alt.Axis(values=[10.0**decade for decade in decades], format="~g"),
        ),
        color=alt.Color(f"{by}:N", scale=colours, legend=None),
    )
    lines = base.mark_line(point=True).properties(data=alt.Data(values=points))
    ends = {point[by]: point for point in sorted(points, key=lambda point: point["lines"])}
    distance = LABEL / HEIGHT * (len(decades) - 1)
    labels = base.mark_text(align="left", dx=8, fontSize=12).encode(text=f"{by}:N")
    labels = labels.properties(data=alt.Data(values=_spread(list(ends.values()), value, distance)))
    return (
        alt.layer(lines, labels)
        .properties(
            width=560, height=HEIGHT, background="white", padding={"left": 5, "top": 5, "right": 90, "bottom": 5}
        )
        .configure_view(strokeWidth=0)
    )


def _spread(ends: list[dict[str, Any]], value: str, distance: float) -> list[dict[str, Any]]:
    """The ends of lines, moved up so that labels do not overlap. `distance` is in decades."""
    placed: list[dict[str, Any]] = []
    for end in sorted(ends, key=lambda end: end[value]):
        lowest = log10(placed[-1][value]) + distance if placed else -10.0
        placed.append(end | {value: 10 ** max(log10(end[value]), lowest)})
    return placed


def charts(results: dict[str, Any]) -> dict[str, alt.LayerChart]:
    """The charts, by file name without extension."""
    points = [
        {"contestant": row["contestant"], "lines": row["lines"], "seconds": seconds, "memory": peak / GB}
        for row in results["full"]
        if (seconds := median_of(row["runs"], "seconds")) is not None
        and (peak := median_of(row["runs"], "peak")) is not None
    ]
    again = [
        {"run": "nothing new" if row["new"] == NOTHING else row["new"], "lines": row["lines"], "seconds": seconds}
        for row in results["incremental"]
        if (seconds := median_of(row["runs"], "seconds")) is not None
    ]
    again += [
        {"run": "full run", "lines": point["lines"], "seconds": point["seconds"]}
        for point in points
        if point["contestant"] == OURS
    ]
    return {
        "benchmarks-time": chart(points, "seconds", "seconds", "contestant"),
        "benchmarks-memory": chart(points, "memory", "peak memory, GB", "contestant"),
        "benchmarks-incremental": chart(again, "seconds", "seconds", "run"),
    }


def main(results: str, docs: str) -> None:
    """Write the page and the charts."""
    measured = json.loads(Path(results).read_text(encoding="utf-8"))
    Path(docs, "benchmarks.md").write_text(page(measured), encoding="utf-8")
    for name, drawn in charts(measured).items():
        drawn.save(str(Path(docs, "images", f"{name}.svg")))


if __name__ == "__main__":
    main(*sys.argv[1:])
