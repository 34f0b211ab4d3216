"""Makes docs/benchmarks.md: page.md, filled in with the measured results."""

from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import Any

from contestants import CONTESTANTS, FLOOR, OURS
from dataset import LINES_OF_A_STUDY, LIVING_DAYS
from measure import GB

PAGE = Path(__file__).with_name("page.md")
AS_THEY_ARRIVE, SPREAD, NOTHING = NEW = ("as they arrive", "spread over all active studies", "nothing")


def median_of(runs: list[dict[str, Any]], what: str) -> float | None:
    """The median of a number over the runs; None if there are none, or one was stopped."""
    return None if not runs or any(run["stopped"] for run in runs) else median(run[what] for run in runs)


def table(header: list[str], rows: Iterable[Iterable[object]]) -> str:
    """A Markdown table. Columns are right-aligned, except the first one and `contestant`."""
    lines = [header, ["---", *("---" if name == "contestant" else "---:" for name in header[1:])], *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def shown(value: float | None, digits: int = 1) -> str:
    """A number for a table; empty for None."""
    return "" if value is None else f"{value:,.{digits}f}"


def gigabytes(runs: list[dict[str, Any]], what: str) -> str:
    """The median of bytes over the runs, in GB."""
    size = median_of(runs, what)
    return "" if size is None else f"{shown(size / GB, 2)} GB"


def why_missing(row: dict[str, Any]) -> str:
    """Why a row has no time."""
    stopped = next((run["stopped"] for run in row["runs"] if run["stopped"]), None)
    return stopped or f"not tried: {row['left_out']} at a smaller size"


def full(results: dict[str, Any]) -> str:
    """One row per size and contestant."""
    of_floor = {
        row["lines"]: median_of(row["runs"], "seconds") for row in results["full"] if row["contestant"] == FLOOR
    }
    rows = []
    for row in results["full"]:
        name = row["contestant"]
        seconds = median_of(row["runs"], "seconds")
        if seconds is None:
            rows.append([f"{row['lines']:,}", name, why_missing(row), "", "", "", "", ""])
            continue
        floor_seconds = of_floor.get(row["lines"])
        rows.append(
            [
                f"{row['lines']:,}",
                f"**{name}**" if name == OURS else name,
                shown(seconds),
                f"{row['lines'] / seconds:,.0f}",
                shown(median_of(row["runs"], "cpu")),
                gigabytes(row["runs"], "peak"),
                gigabytes(row["runs"], "disk"),
                f"{seconds / floor_seconds:.2f}" if floor_seconds else "",
            ]
        )
    header = [
        "lines",
        "contestant",
        "seconds",
        "lines per second",
        "CPU seconds",
        "memory",
        "disk",
        "time divided by the floor's",
    ]
    return table(header, rows)


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
    intro = (
        "Seconds that each step of a studyflow run took, as reported by studyflow itself. "
        "The rest is start-up, the summary and shutdown."
    )
    return f"{intro}\n\n" + table([*rows[0]], (row.values() for row in rows))


def growth(results: dict[str, Any]) -> str:
    """Seconds per million lines, with a row per contestant and a column per size."""
    sizes = sorted({row["lines"] for row in results["full"]})
    found = {
        (row["contestant"], row["lines"]): seconds / row["lines"] * 1e6
        for row in results["full"]
        if (seconds := median_of(row["runs"], "seconds")) is not None
    }
    names = [name for name in CONTESTANTS if any(name == row["contestant"] for row in results["full"])]
    return table(
        ["contestant", *(f"{size:,} lines" for size in sizes)],
        ([name, *(shown(found.get((name, size))) for size in sizes)] for name in names),
    )


def incremental(results: dict[str, Any]) -> str:
    """One row per kind of new lines and number of lines already loaded."""
    full_runs = {
        row["lines"]: median_of(row["runs"], "seconds") for row in results["full"] if row["contestant"] == OURS
    }
    before: dict[str, float | None] = {}
    rows = []
    for row in sorted(results["incremental"], key=lambda row: NEW.index(row["new"])):
        kind, seconds, in_full = row["new"], median_of(row["runs"], "seconds"), full_runs.get(row["lines"])
        smaller = before.get(kind)
        before[kind] = seconds
        rows.append(
            [
                kind,
                f"{row['lines']:,}",
                shown(seconds),
                shown(median_of(row["runs"], "cpu")),
                gigabytes(row["runs"], "peak"),
                f"{seconds / in_full:.2f}" if seconds and in_full else "",
                f"{seconds / smaller:.2f}" if seconds and smaller else "",
            ]
        )
    shares = ["time divided by a full run's", "time divided by that of the row above"]
    header = ["new lines", "lines already loaded", "seconds", "CPU seconds", "memory", *shares]
    return table(header, rows)


def verified(results: dict[str, Any]) -> str:
    """How many rows were equal: a row per table and a column per contestant. For larger sizes, a list of totals."""
    found = {name: rows for name, rows in results["verified"].items() if not name.endswith(" lines")}
    tables = list(dict.fromkeys(name for rows in found.values() for name in rows))
    short = {
        "participants": "participants (only columns that every contestant has)",
        "study_funnel": "study_funnel (only `reached`)",
    }
    text = table(
        ["table", *found],
        (
            [short.get(name, name), *(f"{rows[name]:,}" if name in rows else "" for rows in found.values())]
            for name in tables
        ),
    )
    larger = {name: rows for name, rows in results["verified"].items() if name not in found}
    if larger:
        text += "\n\nAlso found equal:\n\n" + "\n".join(
            f"- {name}: {len(rows)} tables with {sum(rows.values()):,} rows" for name, rows in larger.items()
        )
    return text


def how_often(results: dict[str, Any]) -> str:
    """A phrase on how many runs the numbers in the tables are medians of."""
    runs = {row["lines"]: len(row["runs"]) for row in results["full"] if row["runs"]}
    if set(runs.values()) == {1}:
        return "the tables show the only run"
    if len(set(runs.values())) == 1:
        return f"the tables show medians of {max(runs.values())} runs"
    sizes = {count: [f"{lines:,}" for lines in runs if runs[lines] == count] for count in runs.values()}
    each = [
        f"{'the only run' if count == 1 else f'medians of {count} runs'} at {_listed(at)} lines"
        for count, at in sizes.items()
    ]
    return f"the tables show {', and '.join(each)}"


def _listed(items: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(filter(None, (", ".join(items[:-1]), items[-1])))


def new_files(results: dict[str, Any]) -> int:
    """How many files with new lines were added to the smallest data set."""
    smallest = min(row["lines"] for row in results["full"])
    return sum(len(row["runs"]) for row in results["incremental"] if row["lines"] == smallest and row["new"] != NOTHING)


def page(results: dict[str, Any]) -> str:
    """The whole page."""
    return PAGE.read_text(encoding="utf-8").format(
        measured_on=results["measured_on"],
        **results["machine"],
        versions=", ".join(f"{name} {number}" for name, number in results["versions"].items()),
        lines_of_a_study=f"{LINES_OF_A_STUDY:,}",
        how_often=how_often(results),
        limit_seconds=f"{results['limits']['seconds']:,.0f}",
        limit_memory=f"{results['limits']['memory_gb']:,.0f}",
        new_lines=f"{results['new_lines']:,}",
        new_files=new_files(results),
        living_days=LIVING_DAYS,
        peers_up_to=f"{results['peers_up_to']:,}",
        full=full(results),
        steps=steps(results),
        growth=growth(results),
        incremental=incremental(results),
        verified=verified(results),
    )
