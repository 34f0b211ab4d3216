"""What came of `studyflow reconcile`, for a person and as JSON."""

from typing import Any

from rich.console import Console
from rich.table import Table

from pipelines.plain import plain
from pipelines.reconcile import Reconciliation

OUTCOMES = ("to move", "already completed", "unknown")
MOST_SHOWN = 20


def as_dict(compared: Reconciliation) -> dict[str, Any]:
    """Counts by outcome, and a row for each distinct id."""
    return {
        "study_id": compared.study_id,
        "counts": {outcome: len(compared.of(outcome)) for outcome in OUTCOMES},
        "repeated": compared.repeated,
        "file": str(compared.out) if compared.out else None,
        "rows": compared.rows,
    }


def render(compared: Reconciliation, console: Console) -> None:
    """Print counts, and who is to be moved or unknown."""
    counts = ", ".join(f"{len(compared.of(outcome)):,} {outcome}" for outcome in OUTCOMES)
    console.print(f"{plain(compared.study_id)}: {counts}", highlight=False, soft_wrap=True)
    for outcome in ("to move", "unknown"):
        rows = compared.of(outcome)
        if not rows:
            continue
        table = Table(title=outcome.capitalize(), title_justify="left", box=None, padding=(0, 1))
        for name in ("id", "now", "move to", "note"):
            table.add_column(name)
        for row in rows[:MOST_SHOWN]:
            table.add_row(*(plain(row[name] or "") for name in ("id", "current_status", "move_to", "note")))
        console.print(table)
        if len(rows) > MOST_SHOWN:
            console.print(f"… and {len(rows) - MOST_SHOWN:,} more; write them all with --out FILE.csv")
    if compared.repeated:
        console.print(f"{compared.repeated:,} lines of the list said an id again.")
    if compared.out:
        console.print(f"Written to {plain(str(compared.out))}", highlight=False, soft_wrap=True)
