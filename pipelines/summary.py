"""The summary of a warehouse: lines by outcome, participants by stage, gaps, and how complete the data are."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

import duckdb
from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from pipelines.load.judge import Reason
from pipelines.plain import instant, plural, several
from pipelines.reference import known_statuses
from pipelines.state import built_as_of, includes_all_loads
from pipelines.trust import Trust, read_trust, sentences
from pipelines.warehouse import Row, has_table, only_row, rows_of

ACCOUNTING = (Path(__file__).parent / "accounting.sql").read_text(encoding="utf-8")
ACCOUNTING_OF_TABLES = (Path(__file__).parent / "accounting_of_tables.sql").read_text(encoding="utf-8")
SHAPES = """
select
    shape,
    count(distinct file_id) as files,
    count(*) filter (position = 0) + count(distinct case when position > 0 then (file_id, line_number) end) as lines,
    count(*) as deliveries
from raw.deliveries
where shape is not null
group by shape
order by deliveries desc, shape
"""
"""Delivery shapes: forms other than one webhook a line, bare or in the receiver's envelope."""
FRAME_WIDTH = 8
"""The width of the frame, its padding and the space between the two tables."""
LONGEST_BAR = 12
REASONS = (*get_args(Reason), "unknown_status", "unknown_prior_status")


@dataclass(slots=True, kw_only=True)
class Summary:
    """The summary. Before a build, `as_of` and `trust` are None, and there are no participants. JSON has this order.

    `shapes` has the rows of the query SHAPES.
    """

    database: Path
    as_of: datetime | None = None
    files: int = 0
    unfinished_files: int = 0
    accounting: dict[str, Any]
    shapes: list[Row] = field(default_factory=list)
    studies: int = 0
    participants: int = 0
    participants_by_stage: dict[str, int] = field(default_factory=dict)
    gaps: int = 0
    participants_with_gaps: int = 0
    trust: Trust | None = None

    def as_dict(self) -> dict[str, Any]:
        """The summary for JSON."""
        return {
            **asdict(self),
            "database": str(self.database),
            "as_of": instant(self.as_of) if self.as_of else None,
            "trust": self.trust.as_dict() if self.trust else None,
        }


def summarise(connection: duckdb.DuckDBPyConnection, database: Path) -> Summary:
    """Summarise what is loaded now and the marts of the last build.

    Raises:
        StudyflowError: the reference table of statuses is missing or invalid.
    """
    if not has_table(connection, "raw", "files"):
        return Summary(database=database, accounting=_accounting({}))
    summary = Summary(
        database=database, accounting=_accounting(_counts(connection)), shapes=rows_of(connection, SHAPES)
    )
    summary.files, summary.unfinished_files = only_row(
        connection, "select count(*), count(*) filter (pending_bytes > 0) from raw.files where not is_superseded"
    )
    as_of = built_as_of(connection)
    if as_of and has_table(connection, "marts", "participants"):
        summary.as_of = as_of
        summary.participants, summary.studies = only_row(
            connection, "select count(*), count(distinct study_id) from marts.participants"
        )
        summary.participants_by_stage = dict(
            connection.execute(
                "select stage, count(participant_id) from reference.stages "
                "left join marts.participants on stage = current_stage group by stage, stage_order order by stage_order"
            ).fetchall()
        )
        summary.gaps, summary.participants_with_gaps = only_row(
            connection, "select count(*), count(distinct participant_id) from audit.gaps"
        )
        summary.trust = read_trust(connection)
    return summary


def _counts(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Lines by outcome: read from the audit tables if they are up to date, which is fast, else counted."""
    if includes_all_loads(connection):
        return dict(connection.execute(ACCOUNTING_OF_TABLES).fetchall())
    return dict(connection.execute(ACCOUNTING, {"statuses": known_statuses()}).fetchall())


def _accounting(counts: dict[str, int]) -> dict[str, Any]:
    accepted = counts.get("accepted", 0)
    distinct = counts.get("distinct_changes", 0)
    return {
        "lines": counts.get("lines", 0),
        "blank": counts.get("blank", 0),
        "accepted": accepted,
        "other_events": counts.get("other_event", 0),
        "rejected": {reason: counts[reason] for reason in REASONS if reason in counts},
        "distinct_changes": distinct,
        "repeated_deliveries": accepted - distinct,
        "batch_lines": counts.get("batch_lines", 0),
        "batch_deliveries": counts.get("batch_deliveries", 0),
        "forgotten": counts.get("forgotten", 0),
    }


def render(summary: Summary, console: Console) -> None:
    """Print the summary: lines by outcome and participants by stage, side by side if the console is wide enough."""
    lines, stages = _lines_table(summary), _stages_table(summary)
    spare = console.width - FRAME_WIDTH - sum(console.measure(table).maximum for table in (lines, stages))
    tables: Table | Group = Group(lines, stages)
    if spare >= 0:
        tables = Table.grid(padding=(0, 2))
        tables.add_row(lines, _stages_table(summary, min(LONGEST_BAR, spare)))
    notes = [Text(note) for note in _notes(summary)]
    title = f"studyflow, data as of {summary.as_of:%Y-%m-%d %H:%M} UTC" if summary.as_of else "studyflow"
    console.print(Panel(Group(tables, *notes), title=title, title_align="left", expand=False, padding=(1, 2)))


def _lines_table(summary: Summary) -> Table:
    accounting = summary.accounting
    table = Table(title="Lines", title_justify="left", box=None, show_header=False, padding=(0, 1))
    table.add_column(justify="left")
    table.add_column(justify="right")
    rows: list[tuple[str, int, str]] = [
        ("accepted", accounting["accepted"], ""),
        ("  distinct changes", accounting["distinct_changes"], "dim"),
        ("  repeated deliveries", accounting["repeated_deliveries"], "dim"),
        ("other events", accounting["other_events"], ""),
        ("blank", accounting["blank"], ""),
        ("rejected", sum(accounting["rejected"].values()), "yellow" if accounting["rejected"] else ""),
        *((f"  {reason}", count, "dim") for reason, count in accounting["rejected"].items()),
    ]
    for name, count, style in rows:
        table.add_row(name, f"{count:,}", style=style)
    table.add_section()
    if accounting["batch_lines"]:
        in_batches = accounting["batch_deliveries"] - accounting["batch_lines"]
        table.add_row("deliveries", f"{accounting['lines'] - accounting['blank'] + in_batches:,}", style="bold")
        table.add_row("  in batches", f"{accounting['batch_deliveries']:,}", style="dim")
        table.add_row("batches", f"{accounting['batch_lines']:,}", style="dim")
        table.add_row(f"lines in {several(summary.files, 'file')}", f"{accounting['lines']:,}", style="bold")
    else:
        table.add_row(f"in {several(summary.files, 'file')}", f"{accounting['lines']:,}", style="bold")
    if accounting["forgotten"]:
        table.add_row("forgotten, besides", f"{accounting['forgotten']:,}", style="dim")
    return table


def _stages_table(summary: Summary, longest_bar: int = 0) -> Table:
    """Participants by stage, each with a bar of at most `longest_bar` characters."""
    table = Table(title="Participants", title_justify="left", box=None, show_header=False, padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    most = max(summary.participants_by_stage.values(), default=0)
    for stage, count in summary.participants_by_stage.items():
        bar = "█" * round(longest_bar * count / most) if most else ""
        table.add_row(stage, f"{count:,}", Text(bar, style="cyan"))
    of_all = f"in {several(summary.studies, 'study', 'studies')}"
    table.add_row(of_all, f"{summary.participants:,}", "", style="bold")
    return table


def _notes(summary: Summary) -> list[str]:
    notes = []
    if summary.as_of is None:
        notes.append("The tables have not been built yet. Run: studyflow run")
    if summary.trust:
        notes += sentences(summary.trust)
    if summary.gaps:
        notes.append(
            f"{several(summary.gaps, 'gap')} in the histories of "
            f"{several(summary.participants_with_gaps, 'participant')} (audit.gaps); "
            "by study: audit.feed_coverage."
        )
    if summary.shapes:
        notes.append("Lines in other shapes (by file: audit.load_files):")
        notes += [
            f"  {shape['shape']}: {several(shape['deliveries'], 'delivery', 'deliveries')} in "
            f"{several(shape['lines'], 'line')} of {several(shape['files'], 'file')}"
            for shape in summary.shapes
        ]
    if summary.unfinished_files:
        end = plural(summary.unfinished_files, "ends", "end")
        notes.append(f"{several(summary.unfinished_files, 'file')} {end} in a partial last line, read once complete.")
    if summary.accounting["rejected"]:
        notes.append("Rejected lines are kept whole in audit.rejected_lines.")
    return ["", *notes] if notes else []
