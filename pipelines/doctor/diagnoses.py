"""What a check found: for a person, as JSON, and whether it is a problem."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipelines.plain import plain, several

Level = Literal["ok", "warning", "problem", "skipped"]
STYLES: dict[Level, str] = {"ok": "green", "warning": "yellow", "problem": "red", "skipped": "dim"}


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What one check found, and what to do about it."""

    check: str
    level: Level
    found: str
    remedy: str = ""


def has_problem(diagnoses: Sequence[Diagnosis]) -> bool:
    """Whether anything must be put right."""
    return any(diagnosis.level == "problem" for diagnosis in diagnoses)


def as_dict(diagnoses: Sequence[Diagnosis]) -> dict[str, Any]:
    """The diagnoses as JSON has them."""
    return {"ok": not has_problem(diagnoses), "diagnoses": [asdict(diagnosis) for diagnosis in diagnoses]}


def render(diagnoses: Sequence[Diagnosis], output: Console) -> None:
    """Print the diagnoses as a table, and how many of them want attention."""
    table = Table.grid(padding=(0, 2))
    for diagnosis in diagnoses:
        remedy = f"\n{plain(diagnosis.remedy)}" if diagnosis.remedy else ""
        table.add_row(Text(diagnosis.level, STYLES[diagnosis.level]), diagnosis.check, plain(diagnosis.found) + remedy)
    output.print(table, highlight=False)
    counts = {level: sum(diagnosis.level == level for diagnosis in diagnoses) for level in ("problem", "warning")}
    said = [several(count, level) for level, count in counts.items() if count]
    output.print(f"\n{' and '.join(said)}." if said else "\nNothing is wrong.", highlight=False)
