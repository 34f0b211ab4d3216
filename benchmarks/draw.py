"""docs/benchmarks.md and its charts, from what has been measured.

.venv-benchmarks/bin/python benchmarks/draw.py RESULTS.json DOCS_FOLDER
"""

import json
import sys
from collections.abc import Iterable
from math import ceil, floor, log10
from pathlib import Path
from statistics import median
from typing import Any

import altair as alt
from contestants import CONTESTANTS, FLOOR, OURS
from dataset import LINES_OF_A_STUDY

PAGE = Path(__file__).with_name("page.md")
COLOURS = {
    OURS: "#4c1d95",
    FLOOR: "#737373",
    "dlt": "#c2410c",
    "polars": "#0369a1",
    "pandas": "#15803d",
    "sqlite-utils": "#a16207",
}
OTHERS = ["#4c1d95", "#0369a1", "#737373", "#c2410c", "#15803d", "#a16207"]
GB = 1e9
HEIGHT = 320
LABEL = 14  # pixels that a name takes


def middle(runs: list[dict[str, Any]], what: str) -> float | None:
    """The median of runs; None where one was stopped or there is none."""
    return None if not runs or any(run["stopped"] for run in runs) else median(run[what] for run in runs)


def table(header: list[str], rows: Iterable[Iterable[object]]) -> str:
    """A Markdown table; numbers are right-aligned but for the first column's."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def shown(value: float | None, digits: int = 1) -> str:
    """A number for a table; empty where there is none."""
    return "" if value is None else f"{value:,.{digits}f}"


def why_not(row: dict[str, Any]) -> str:
    """What stands where a time would."""
    stopped = next((run["stopped"] for run in row["runs"] if run["stopped"]), None)
    return stopped or f"not tried: {row['left_out']} at a smaller size"


def full(results: dict[str, Any]) -> str:
    """One row per size and contestant."""
    of_floor = {row["lines"]: middle(row["runs"], "seconds") for row in results["full"] if row["contestant"] == FLOOR}
    rows = []
    for row in results["full"]:
        name = row["contestant"]
        seconds = middle(row["runs"], "seconds")
        if seconds is None:
            rows.append([f"{row['lines']:,}", name, why_not(row), "", "", "", ""])
            continue
        beside = of_floor.get(row["lines"])
        rows.append(
            [
                f"{row['lines']:,}",
                f"**{name}**" if name == OURS else name,
                shown(seconds),
                f"{row['lines'] / seconds:,.0f}",
                shown(middle(row["runs"], "cpu")),
                f"{shown((middle(row['runs'], 'peak') or 0) / GB, 2)} GB",
                f"{seconds / beside:.2f}" if beside else "",
            ]
        )
    return table(["lines", "contestant", "seconds", "lines a second", "CPU seconds", "memory", "times the floor"], rows)


def steps(results: dict[str, Any]) -> str:
    """The steps of `studyflow run`, one row per size."""
    rows = []
    for row in results["full"]:
        runs = [run for run in row["runs"] if "steps" in run]
        if runs:
            taken = {step: median(run["steps"][step] for run in runs) for step in runs[0]["steps"]}
            rest = median(run["seconds"] - sum(run["steps"].values()) for run in runs)
            rows.append(
                {"lines": f"{row['lines']:,}", **{step: shown(s) for step, s in taken.items()}, "rest": shown(rest)}
            )
    if not rows:
        return ""
    said = "Where studyflow's seconds went, as it says itself; the rest is starting, the summary and ending."
    return f"{said}\n\n" + table([*rows[0]], (row.values() for row in rows))


def growth(results: dict[str, Any]) -> str:
    """Seconds per million lines, one row per contestant and a column per size."""
    sizes = sorted({row["lines"] for row in results["full"]})
    found = {
        (row["contestant"], row["lines"]): seconds / row["lines"] * 1e6
        for row in results["full"]
        if (seconds := middle(row["runs"], "seconds")) is not None
    }
    names = [name for name in CONTESTANTS if any(name == row["contestant"] for row in results["full"])]
    return table(
        ["contestant", *(f"{size:,} lines" for size in sizes)],
        ([name, *(shown(found.get((name, size))) for size in sizes)] for name in names),
    )


def incremental(results: dict[str, Any]) -> str:
    """One row per number of old lines."""
    whole = {row["lines"]: middle(row["runs"], "seconds") for row in results["full"] if row["contestant"] == OURS}
    rows = []
    for row in results["incremental"]:
        seconds = middle(row["runs"], "seconds")
        in_full = whole.get(row["lines"])
        rows.append(
            [
                f"{row['lines']:,}",
                shown(seconds),
                shown(middle(row["runs"], "cpu")),
                f"{shown((middle(row['runs'], 'peak') or 0) / GB, 2)} GB",
                f"{seconds / in_full:.2f}" if seconds and in_full else "",
                shown(middle(row["nothing_new"], "seconds")),
                shown(middle(row["nothing_new"], "cpu")),
            ]
        )
    new = f"{results['new_lines']:,} new"
    return table(
        [
            "old lines",
            f"{new}: seconds",
            "CPU seconds",
            "memory",
            "of a full run",
            "nothing new: seconds",
            "CPU seconds",
        ],
        rows,
    )


def verified(results: dict[str, Any]) -> str:
    """One row per table, a column per contestant."""
    found = results["verified"]
    tables = list(dict.fromkeys(name for rows in found.values() for name in rows))
    short = {"participants": "participants, the columns they share", "study_funnel": "reached, of study_funnel"}
    return table(
        ["table", *found],
        (
            [short.get(name, name), *(f"{rows[name]:,}" if name in rows else "" for rows in found.values())]
            for name in tables
        ),
    )


def chart(points: list[dict[str, Any]], value: str, title: str, by: str) -> alt.LayerChart:
    """Lines on two logarithmic axes, each named at its end."""
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
    drawn = base.mark_line(point=True).properties(data=alt.Data(values=points))
    ends = {point[by]: point for point in sorted(points, key=lambda point: point["lines"])}
    apart = LABEL / HEIGHT * (len(decades) - 1)
    labels = base.mark_text(align="left", dx=8, fontSize=12).encode(text=f"{by}:N")
    named = labels.properties(data=alt.Data(values=_spread(list(ends.values()), value, apart)))
    return (
        alt.layer(drawn, named)
        .properties(
            width=560, height=HEIGHT, background="white", padding={"left": 5, "top": 5, "right": 90, "bottom": 5}
        )
        .configure_view(strokeWidth=0)
    )


def _spread(ends: list[dict[str, Any]], value: str, apart: float) -> list[dict[str, Any]]:
    """The ends of lines, moved up where their names would lie over each other; `apart` in decades."""
    placed: list[dict[str, Any]] = []
    for end in sorted(ends, key=lambda end: end[value]):
        lowest = log10(placed[-1][value]) + apart if placed else -10.0
        placed.append(end | {value: 10 ** max(log10(end[value]), lowest)})
    return placed


def charts(results: dict[str, Any]) -> dict[str, alt.LayerChart]:
    """The charts by the names of their files."""
    points = [
        {"contestant": row["contestant"], "lines": row["lines"], "seconds": seconds, "memory": peak / GB}
        for row in results["full"]
        if (seconds := middle(row["runs"], "seconds")) is not None and (peak := middle(row["runs"], "peak")) is not None
    ]
    again = [
        {"run": title, "lines": row["lines"], "seconds": seconds}
        for title, runs in ((f"{results['new_lines']:,} new lines", "runs"), ("nothing new", "nothing_new"))
        for row in results["incremental"]
        if (seconds := middle(row[runs], "seconds")) is not None
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


def page(results: dict[str, Any]) -> str:
    """The whole page."""
    most_runs = sorted({len(row["runs"]) for row in results["full"] if row["runs"]})
    return PAGE.read_text(encoding="utf-8").format(
        measured_on=results["measured_on"],
        **results["machine"],
        versions=", ".join(f"{name} {number}" for name, number in results["versions"].items()),
        lines_of_a_study=f"{LINES_OF_A_STUDY:,}",
        runs=f"{most_runs[-1]} runs" if most_runs and most_runs[-1] > 1 else "the only run",
        limit_seconds=f"{results['limits']['seconds']:,.0f}",
        limit_memory=f"{results['limits']['memory_gb']:,.0f}",
        new_lines=f"{results['new_lines']:,}",
        full=full(results),
        steps=steps(results),
        growth=growth(results),
        incremental=incremental(results),
        verified=verified(results),
    )


def main(results: str, docs: str) -> None:
    """Write the page and the charts."""
    measured = json.loads(Path(results).read_text(encoding="utf-8"))
    Path(docs, "benchmarks.md").write_text(page(measured), encoding="utf-8")
    for name, drawn in charts(measured).items():
        drawn.save(str(Path(docs, "images", f"{name}.svg")))


if __name__ == "__main__":
    main(*sys.argv[1:])
