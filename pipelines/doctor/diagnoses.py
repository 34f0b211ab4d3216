"""The results of checks: printed as a table, or as JSON."""

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
    """The result of one check: what it found, and what to do about it."""

    check: str
    level: Level
    found: str
    remedy: str = ""


def has_problem(diagnoses: Sequence[Diagnosis]) -> bool:
    """Whether any check found a problem."""
    return any(diagnosis.level == "problem" for diagnosis in diagnoses)


def as_dict(diagnoses: Sequence[Diagnosis]) -> dict[str, Any]:
    """The diagnoses for JSON."""
    return {"ok": not has_problem(diagnoses), "diagnoses": [asdict(diagnosis) for diagnosis in diagnoses]}


def render(diagnoses: Sequence[Diagnosis], output: Console) -> None:
    """Print the diagnoses as a table, and the numbers of problems and warnings."""
    table = Table.grid(padding=(0, 2))
    for diagnosis in diagnoses:
        remedy = f"\n{plain(diagnosis.remedy)}" if diagnosis.remedy else ""
        table.add_row(Text(diagnosis.level, STYLES[diagnosis.level]), diagnosis.check, plain(diagnosis.found) + remedy)
    output.print(table, highlight=False)
    counts = {level: sum(diagnosis.level == level for diagnosis in diagnoses) for level in ("problem", "warning")}
    found = [several(count, level) for level, count in counts.items() if count]
    output.print(f"\n{' and '.join(found)}." if found else "\nNothing is wrong.", highlight=False)
