"""The reference files that a user edits, checked before they are used."""

import csv
from collections.abc import Iterator
from pathlib import Path

import yaml  # type: ignore[import-untyped]

from pipelines.errors import StudyflowError
from pipelines.settings import PROJECT, REFERENCE
from pipelines.sheets import read_sheet

STATUSES = "participant_statuses.csv"
STUDY_COLUMNS = (
    "study_id", "study_name", "study_type", "incentives_enabled", "incentive_cents", "participation_limit", "closed_on",
)  # fmt: skip
PEOPLE_COLUMNS = ("person_id", "person_name", "contact_status")
MOVE_COLUMNS = ("study_type", "from_status", "to_status", "basis")
RULE_COLUMNS = ("rule_id", "rule_name", "counts", "at_most", "within_days", "cooldown_after", "basis")
# With a key in the first column. Of governance rules none are needed, and moves have no key.
TABLES = ("participant_statuses", "stages", "funnel_steps", "incentive_effects", "contact_statuses")
MOST_SHOWN = 50


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


def check_reference_files(studies: Path, people: Path, folder: Path = REFERENCE) -> None:
    """Check the optional files, which need not be there, and all tables that come with the project.

    Raises:
        StudyflowError: something in them cannot be right. The message lists all of it, by file and line.
    """
    statuses = {row["status"]: row.get("activity") or "" for _, row in _rows(folder / STATUSES, ["status"])}
    activities = set(statuses.values()) - {""}
    problems = [
        *(_studies(studies, activities) if studies.exists() else []),
        *(_people(people, folder) if people.exists() else []),
        *_tables(folder),
        *_expected_moves(folder / "expected_moves.csv", set(statuses), activities),
        *_governance_rules(folder / "governance_rules.csv", activities),
    ]
    if problems:
        shown = problems[:MOST_SHOWN]
        if len(problems) > len(shown):
            shown.append(f"… and {len(problems) - len(shown)} more")
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        msg = "\n  ".join([f"{count} in the reference files:", *shown])
        raise StudyflowError(msg)


def _tables(folder: Path) -> list[str]:
    """What dbt would stop at, or take for null: cells of another type than dbt_project.yml says, columns not there."""
    project = yaml.safe_load((PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))
    seeds = {name: seed["+column_types"] for name, seed in project["seeds"]["studyflow"].items() if name in TABLES}
    return [problem for name in TABLES for problem in _table(folder / f"{name}.csv", seeds[name])]


def _table(file: Path, types: dict[str, str]) -> list[str]:
    key = next(iter(types))
    sheet = read_sheet(file, key, tuple(types))
    if sheet.problems and not sheet.rows:
        return sheet.problems
    for column in sorted(types.keys() - set(sheet.header)):
        sheet.wrong(1, f"lacks the column {column}", "Restore it from version control.")
    if not sheet.rows:
        sheet.wrong(0, "has no rows", "Restore it from version control.")
    sheet.unique(key)
    for column in (column for column in types if column.endswith("_order")):
        sheet.unique(column)
    for row in sheet.rows:
        for column in (column for column, kind in types.items() if kind == "integer"):
            row.whole_number(column, "Write a whole number.")
        for column in (column for column, kind in types.items() if kind == "boolean"):
            row.boolean(column)
    return sheet.problems


def _studies(file: Path, activities: set[str]) -> list[str]:
    sheet = read_sheet(file, "study_id", STUDY_COLUMNS)
    sheet.unique("study_id")
    for row in sheet.rows:
        row.one_of("study_type", activities | {"mixed", "unknown"})
        row.boolean("incentives_enabled")
        row.whole_number("incentive_cents", "Write cents as a whole number, like 7500 for 75.00.")
        row.whole_number("participation_limit", "Write a whole number.")
        row.day("closed_on")
    return sheet.problems


def _people(file: Path, folder: Path) -> list[str]:
    sheet = read_sheet(file, "person_id", PEOPLE_COLUMNS)
    sheet.unique("person_id")
    statuses = [row["contact_status"] for _, row in _rows(folder / "contact_statuses.csv", ["contact_status"])]
    for row in sheet.rows:
        row.one_of("contact_status", statuses, ignore_case=True)
    return sheet.problems


def _expected_moves(file: Path, statuses: set[str], activities: set[str]) -> list[str]:
    sheet = read_sheet(file, "to_status", MOVE_COLUMNS)
    for row in sheet.rows:
        row.one_of("study_type", activities | {"mixed", "any"}, needed=True)
        row.one_of("from_status", statuses)
        row.one_of("to_status", statuses, needed=True)
    return sheet.problems


def _governance_rules(file: Path, activities: set[str]) -> list[str]:
    sheet = read_sheet(file, "rule_id", RULE_COLUMNS)
    sheet.unique("rule_id")
    kinds = activities | {"invitation", "study_invitation", "participation"}
    for row in sheet.rows:
        row.one_of("counts", kinds, needed=True)
        row.one_of("cooldown_after", kinds)
        row.whole_number("at_most", "Write a whole number.")
        row.whole_number("within_days", "Write days as a whole number.")
        is_cooldown = row.get("cooldown_after")
        if is_cooldown and row.get("at_most"):
            row.wrong("has both at_most and cooldown_after", "Leave one of them blank.")
        if not is_cooldown and not (row.get("at_most") and row.get("within_days")):
            row.wrong("has no at_most or no within_days", "A limit needs both.")
    return sheet.problems


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
