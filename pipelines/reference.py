"""Reads and checks the reference files that users edit, and passes their rows to dbt.

Models get the rows from this module (`ReferenceFunctions`) instead of reading the files. So the rows that were
checked are the rows that are used.
"""

import json
import os
import re
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

from pipelines.errors import StudyflowError
from pipelines.load.shapes import MemberPath, Shape, sort_shapes
from pipelines.projects import package_of, reference_file
from pipelines.settings import PACKAGE, PROJECT, REFERENCE
from pipelines.sheets import RESTORE, Sheet, read_sheet
from pipelines.variables import read_vars
from pipelines.yaml_files import read_yaml

Types = dict[str, str]
"""The type of each column: varchar, integer, boolean or date."""

NEEDS_ROWS = ("participant_statuses", "stages", "funnel_steps", "incentive_effects", "contact_statuses")
STAGE_KEYS = ("not_started", "invited", "screening", "in_progress", "pending_incentive", "done", "cancelled")
ACTIVITIES = ("interview", "survey", "unmoderated_test")
SERIES = (
    *("screeners_completed", "interviews_scheduled", "interviews_cancelled", "no_shows", "opt_outs", "bounces"),
    *("interviews_completed", "surveys_completed", "tests_completed", "incentives_sent", "incentives_claimed"),
)
"""Names of stages, activities and dashboard series that models and column names use."""
COUNTED = (*ACTIVITIES, "invitation", "study_invitation", "participation")
CHOICES: dict[tuple[str, str], str | Iterable[str]] = {
    ("participant_statuses", "stage"): "stages.stage",
    ("participant_statuses", "stage_without_incentives"): "stages.stage",
    ("participant_statuses", "funnel_step"): "funnel_steps.step",
    ("participant_statuses", "incentive_effect"): "incentive_effects.incentive_effect",
    ("participant_statuses", "activity"): ACTIVITIES,
    ("participant_statuses", "stalled_action"): ("remind", "move_by_hand", "let_go"),
    ("incentive_effects", "requires_state"): "incentive_effects.backlog_state",
    ("expected_moves", "study_type"): (*ACTIVITIES, "mixed", "any"),
    ("expected_moves", "from_status"): "participant_statuses.status",
    ("expected_moves", "to_status"): "participant_statuses.status",
    ("governance_rules", "counts"): COUNTED,
    ("governance_rules", "cooldown_after"): COUNTED,
    ("studies", "study_type"): (*ACTIVITIES, "mixed", "unknown"),
    ("studies", "incentive_type"): ("tremendous", "custom", "external"),
    ("people", "contact_status"): "contact_statuses.contact_status",
}
"""The values that a column may have, or the column of another file that lists them. Blank is allowed if not required."""
REQUIRED = {
    ("participant_statuses", "stage"),
    ("expected_moves", "study_type"),
    ("expected_moves", "to_status"),
    ("governance_rules", "counts"),
}
ANY_CASE = {("people", "contact_status"), ("studies", "incentive_type")}
REMEDIES = {
    "incentive_cents": "Write cents as a whole number, e.g. 7500 for 75.00.",
    "within_days": "Write days as a whole number.",
}
MEMBERS_OF_SHAPES = ("members", "deliveries", "payload", "delivery_id", "received_at")
MOST_SHOWN = 50


def known_statuses(folder: Path = REFERENCE) -> list[str]:
    """The statuses in the reference table as webhooks spell them, in its order.

    Raises:
        StudyflowError: the table cannot be read, is empty, or repeats a status.
    """
    sheet = read_sheet(reference_file("participant_statuses", folder, PROJECT), "status", ())
    sheet.check_unique("status")
    if not sheet.rows:
        sheet.add_problem(0, "has no rows", RESTORE)
    _raise_for(sheet.problems)
    return [row.get("status") for row in sheet.rows]


def known_shapes(folder: Path = REFERENCE) -> tuple[Shape, ...]:
    """The delivery shapes in the reference table, in the order in which a load tries them.

    Raises:
        StudyflowError: the table cannot be read or has an invalid row.
    """
    file = reference_file("delivery_shapes", folder, PROJECT)
    sheet = _table(file, _types_of_tables(PACKAGE)["delivery_shapes"], defaults=PACKAGE / "data" / "reference")
    _check_shapes(sheet)
    _raise_for(sheet.problems)
    return sort_shapes(
        Shape(
            name=row.get("shape"),
            members=tuple(map(_member_path, row.get("members").split())),
            deliveries=_member_path(row.get("deliveries")),
            payload=_member_path(row.get("payload")),
            is_base64=row.get("is_base64") == "true",
            delivery_id=_member_path(row.get("delivery_id")),
            received_at=_member_path(row.get("received_at")),
        )
        for row in sheet.rows
    )


def read_reference_files(
    studies: Path, people: Path, folder: Path = REFERENCE, project: Path = PROJECT
) -> dict[str, Sheet]:
    """All reference files by name, with normalised cells: true, 7500, 2026-07-31.

    Raises:
        StudyflowError: there are problems in them. The message lists all of them with file and line.
    """
    package = package_of(project)
    sheets = {
        name: _table(reference_file(name, folder, project), types, defaults=package / "data" / "reference")
        for name, types in _types_of_tables(package).items()
    }
    types_of = types_of_optional_files(package)
    for name, file in (("studies", studies), ("people", people)):
        types = types_of[name]
        sheets[name] = _table(file, types) if os.path.lexists(file) else Sheet(file)
    for name in NEEDS_ROWS:
        if not sheets[name].rows and not sheets[name].problems:
            sheets[name].add_problem(0, "has no rows", RESTORE)
    _check_choices(sheets)
    _check_statuses(sheets["participant_statuses"])
    _check_stages(sheets["stages"])
    _check_governance_rules(sheets["governance_rules"])
    _check_shapes(sheets["delivery_shapes"])
    for row in sheets["studies"].rows:
        row.check_currency("currency")
    _raise_for([problem for sheet in sheets.values() for problem in sheet.problems])
    return sheets


class ReferenceFunctions:
    """SQL functions through which dbt gets the reference files (`pipelines.dbt_plugin`)."""

    def __init__(self) -> None:
        self._sheets: dict[str, Sheet] = {}

    def read(self, studies: str, people: str, overrides: str) -> bool:
        """Read and check all reference files and vars of the project in the current folder, where dbt runs.

        `overrides` are vars set outside dbt_project.yml, as JSON. Always true: SQL functions must return something.

        Raises:
            StudyflowError: a file or a var has a problem.
        """
        project = Path.cwd()
        folder = project / "data" / "reference"
        read_vars(project, json.loads(overrides))
        for file, default in ((studies, folder / "studies.csv"), (people, folder / "people.csv")):
            if Path(file).absolute() != default and not Path(file).exists():
                msg = f"{file}: no such file. Correct the path, or use {default.relative_to(project)}."
                raise StudyflowError(msg)
        self._sheets = read_reference_files(Path(studies), Path(people), folder, project)
        return True

    def rows(self, name: str, columns: list[str]) -> list[list[str | None]]:
        """The rows of a file, reduced to these columns. Blank cells are None."""
        return [[row.get(column) or None for column in columns] for row in self._sheets[name].rows]


def _raise_for(problems: list[str]) -> None:
    if problems:
        shown = problems[:MOST_SHOWN]
        if len(problems) > len(shown):
            shown.append(f"… and {len(problems) - len(shown)} more")
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        msg = "\n  ".join([f"{count} in the reference files:", *shown])
        raise StudyflowError(msg)


def _types_of_tables(project: Path) -> dict[str, Types]:
    seeds = read_yaml(project / "dbt_project.yml")["seeds"]["studyflow"].items()
    return {name: seed["+column_types"] for name, seed in seeds if isinstance(seed, dict) and "+column_types" in seed}


def types_of_optional_files(package: Path) -> dict[str, Types]:
    """The columns of studies.csv and people.csv: those of the raw tables that are made from them."""
    sources = read_yaml(package / "models" / "staging" / "sources.yml")["sources"]
    return {
        table["name"].removesuffix("_file"): {column["name"]: column["data_type"] for column in table["columns"]}
        for source in sources
        for table in source["tables"]
        if table["name"].endswith("_file")
    }


def _table(file: Path, types: Types, *, defaults: Path | None = None) -> Sheet:
    """Read and check a reference file. Its first column in `types` is the key.

    A seed has its original in the folder `defaults`. Its columns are fixed, and a blank boolean in it is false.
    """
    key = next(iter(types))
    restore = f"Take it from {defaults / file.name}." if defaults and file.parent != defaults else RESTORE
    sheet = read_sheet(file, key, types, restore=restore if defaults else None)
    if not defaults or file.stem != "expected_moves":
        sheet.check_unique(key)
    for row in sheet.rows:
        for column, kind in types.items():
            if kind == "integer":
                row.check_whole_number(column, REMEDIES.get(column, "Write a whole number."))
            elif kind == "boolean":
                row.check_boolean(column, blank="false" if defaults else "")
            elif kind == "date":
                row.check_day(column)
    for column in types:
        if column.endswith(("_order", "_rank")):
            sheet.check_unique(column)
    return sheet


def _values(sheet: Sheet, column: str) -> set[str]:
    return {row.get(column) for row in sheet.rows} - {""}


def _check_choices(sheets: dict[str, Sheet]) -> None:
    """Record a problem for each cell whose value its column may not have."""
    for (file, column), source in CHOICES.items():
        table, _, key = source.partition(".") if isinstance(source, str) else ("", "", "")
        choices = _values(sheets[table], key) if table else source
        is_required, ignore_case = (file, column) in REQUIRED, (file, column) in ANY_CASE
        for row in sheets[file].rows:
            row.check_choice(column, choices, required=is_required, ignore_case=ignore_case)


def _check_statuses(sheet: Sheet) -> None:
    for row in sheet.rows:
        series = row.get("dashboard_series")
        for known in get_close_matches(series, SERIES, n=1, cutoff=0.8):
            if series != known:
                row.add_problem(
                    f"has dashboard_series {series!r}", f"Write {known}, or a name that cannot be mistaken for it."
                )


def _check_stages(sheet: Sheet) -> None:
    sheet.check_unique("stage_key")
    missing = [key for key in STAGE_KEYS if sheet.rows and key not in _values(sheet, "stage_key")]
    if missing:
        problem = f"has no row with stage_key {', '.join(missing)}"
        sheet.add_problem(0, problem, "Restore the row: columns are named after it.")


def _check_governance_rules(sheet: Sheet) -> None:
    for row in sheet.rows:
        is_cooldown = row.get("cooldown_after")
        if is_cooldown and row.get("at_most"):
            row.add_problem("has both at_most and cooldown_after", "Leave one of them blank.")
        if not is_cooldown and not (row.get("at_most") and row.get("within_days")):
            row.add_problem("has no at_most or no within_days", "A limit needs both.")


def _member_path(written: str) -> MemberPath:
    return tuple(written.split(".")) if written else ()


def _check_shapes(sheet: Sheet) -> None:
    seen: dict[frozenset[str], int] = {}
    for row in sheet.rows:
        name, deliveries, payload = row.get("shape"), row.get("deliveries"), row.get("payload")
        if name and not re.fullmatch(r"[\w-]+", name):
            row.add_problem(f"has shape {name!r}", "Use letters, digits, hyphens and underscores.")
        if not (deliveries or payload):
            row.add_problem("has no deliveries and no payload", "Write the member that has the list or the payload.")
        for column in ("is_base64", "delivery_id", "received_at"):
            if row.get(column) not in {"", "false"} and not payload:
                row.add_problem(f"has {column}, but no payload", "Write the member that has the payload.")
        for column in MEMBERS_OF_SHAPES:
            for written in row.get(column).split() if column == "members" else [row.get(column)]:
                if written and not re.fullmatch(r"[^\s.]+(\.[^\s.]+)*", written):
                    remedy = "Write the name of a member, and a dot before that of a member within it: detail.time."
                    row.add_problem(f"has {column} {written!r}", remedy)
        needs = frozenset({*row.get("members").split(), deliveries or payload})
        if needs in seen:
            row.add_problem(
                f"needs the same members as line {seen[needs]}", "Keep one of the two, or name another member."
            )
        seen.setdefault(needs, row.line)
