"""The reference files that a user edits, checked before they are used."""

import csv
from collections.abc import Iterator
from pathlib import Path

from pipelines.errors import StudyflowError
from pipelines.settings import REFERENCE

STATUSES = "participant_statuses.csv"


def known_statuses(folder: Path = REFERENCE) -> list[str]:
    """The webhook values that the reference table has, in its order.

    Raises:
        StudyflowError: the table is missing, lacks a column, or has a row that cannot be right.
    """
    stages = {row["stage"] for _, row in _rows(folder / "stages.csv", ["stage"])}
    steps = {row["step"] for _, row in _rows(folder / "funnel_steps.csv", ["step"])} | {""}
    effects = {row["incentive_effect"] for _, row in _rows(folder / "incentive_effects.csv", ["incentive_effect"])}
    file = folder / STATUSES
    seen: dict[str, int] = {}
    for line, row in _rows(file, ["status", "stage", "funnel_step", "incentive_effect"]):
        status = row["status"]
        if not status:
            raise _wrong(file, line, "has no status", "Write the webhook's value, or remove the row.")
        if status in seen:
            raise _wrong(file, line, f"has {status} again, as line {seen[status]}", "Keep one of the two.")
        _one_of(file, line, "stage", row["stage"], stages)
        _one_of(file, line, "stage_without_incentives", row.get("stage_without_incentives") or "", stages | {""})
        _one_of(file, line, "funnel_step", row["funnel_step"], steps)
        _one_of(file, line, "incentive_effect", row["incentive_effect"], effects | {""})
        seen[status] = line
    if not seen:
        msg = f"{file}: no status is in it. Restore it from version control."
        raise StudyflowError(msg)
    return list(seen)


def _rows(file: Path, needed: list[str]) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines)
            missing = [column for column in needed if column not in (reader.fieldnames or [])]
            if missing:
                raise _wrong(file, 1, f"lacks the column {', '.join(missing)}", "Add it to the header.")
            for row in reader:
                yield reader.line_num, {name: (value or "").strip() for name, value in row.items() if name}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        msg = f"{file}: cannot be read ({error}). Restore it from version control."
        raise StudyflowError(msg) from error


def _one_of(file: Path, line: int, column: str, value: str, allowed: set[str]) -> None:
    if value not in allowed:
        choices = ", ".join(sorted(allowed - {""}))
        raise _wrong(file, line, f"has {column} {value!r}, which is not known", f"Choose one of: {choices}.")


def _wrong(file: Path, line: int, problem: str, remedy: str) -> StudyflowError:
    return StudyflowError(f"{file}, line {line}: {problem}. {remedy}")
