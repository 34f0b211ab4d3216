"""Reads and checks the vars of dbt_project.yml before a run. Otherwise a misspelt var would fail within SQL."""

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import cache
from math import inf
from pathlib import Path
from typing import Any

import duckdb

from pipelines.errors import StudyflowError
from pipelines.projects import package_of
from pipelines.settings import PROJECT, parse_as_of
from pipelines.sheets import is_date
from pipelines.yaml_files import lines_of_keys, read_yaml

Check = Callable[[Any], bool]

DAYS = "a whole number of days, 0 or more, e.g. 5"
NUMBER = "a number, 0 or more, e.g. 1.5"
FILE = "the path of a file: absolute, or from the project folder"
FILE_OF_VARS = "dbt_project.yml"
MAX_NUMBER = 1_000_000
AREAS = frozenset(
    ("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
)
"""The areas of the IANA's time zones. Etc is left out because its signs mislead: Etc/GMT+5 is five hours behind UTC."""


def read_vars(project: Path = PROJECT, overrides: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
    """The vars of a project. `overrides` are vars set outside dbt_project.yml; they are checked, not returned.

    A project that uses studyflow as a package sets them under `vars:` or `vars: studyflow:`. Missing vars get studyflow's
    defaults.

    Raises:
        StudyflowError: a var is missing, unknown or invalid. The message names each, and what to write.
    """
    package = package_of(project)
    values = read_yaml(package / FILE_OF_VARS).get("vars")
    if not isinstance(values, dict):
        msg = f"{package / FILE_OF_VARS}: has no vars. Restore it from version control."
        raise StudyflowError(msg)
    problems = [
        f"{package / FILE_OF_VARS}: lacks the var {name}. Write {VARS[name][1]}." for name in VARS if name not in values
    ]
    if package == project:
        problems += _problems(project, ("vars",), values)
    else:
        all_vars = read_yaml(project / FILE_OF_VARS).get("vars") or {}
        top_level = {name: value for name, value in all_vars.items() if name in VARS}
        nested = all_vars.get("studyflow") or {}
        problems += [*_problems(project, ("vars",), top_level), *_problems(project, ("vars", "studyflow"), nested)]
        values = {**values, **top_level, **nested}
    overridden = (_problem("dbt's --vars, or the environment", *override) for override in (overrides or {}).items())
    problems += filter(None, overridden)
    if problems:
        raise StudyflowError("\n".join(problems))
    return values


def _problems(project: Path, keys: tuple[str, ...], values: Mapping[str, Any]) -> list[str]:
    """What is wrong with these vars, which are under `keys` in dbt_project.yml."""
    file = project / FILE_OF_VARS
    lines = lines_of_keys(file, *keys)
    found = (_problem(f"{file}, line {lines.get(str(name), 1)}", name, value) for name, value in values.items())
    return list(filter(None, found))


def _problem(place: str, name: str, value: object) -> str | None:
    if name not in VARS:
        similar = get_close_matches(str(name), VARS, n=1, cutoff=0.8)
        return (
            f"{place}: has a var {name}, which is unknown. {f'Rename it to {similar[0]}' if similar else 'Remove it'}."
        )
    is_valid, expected = VARS[name]
    return None if is_valid(value) else f"{place}: the var {name} is {value!r}. Write {expected}."


def _number(*kinds: type, least: float = 0, most: float = MAX_NUMBER) -> Check:
    return lambda value: type(value) in kinds and least <= value <= most


def _text(pattern: str) -> Check:
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None


@cache
def time_zones() -> frozenset[str]:
    """UTC and the IANA's time zones by area and city. No abbreviations and no offsets, which can be misread."""
    known = {name for (name,) in duckdb.execute("select name from pg_timezone_names()").fetchall()}
    return frozenset({"UTC"} | {name for name in known if "/" in name and name.partition("/")[0] in AREAS})


def _is_as_of(value: Any) -> bool:  # noqa: ANN401 - any value of YAML
    try:
        return value is None or value == "" or bool(parse_as_of(str(value)))
    except StudyflowError:
        return False


VARS: dict[str, tuple[Check, str]] = {
    "as_of": (_is_as_of, "nothing, or a time with an offset at most ten years ahead, e.g. '2026-07-31T18:00:00Z'"),
    "report_timezone": (
        lambda value: isinstance(value, str) and value in time_zones(),
        "UTC, or a time zone by area and city, e.g. Europe/Berlin",
    ),
    "daily_tables_from": (lambda value: is_date(str(value)), "a date, e.g. '2000-01-01'"),
    "incentive_sla_days": (_number(int), DAYS),
    "invitation_cooldown_days": (_number(int), DAYS),
    "participation_cooldown_days": (_number(int), DAYS),
    "bulk_edit_min": (_number(int, least=1), "a whole number, 1 or more"),
    "late_cancellation_hours": (_number(int, float), NUMBER),
    "silence_min_hours": (_number(int, float), NUMBER),
    "silence_times_usual": (_number(int, float), NUMBER),
    "silence_usual_days": (_number(int), DAYS),
    "silence_history_days": (_number(int), DAYS),
    "backtest_weeks": (_number(int, most=520), "a whole number of weeks, 0 to 520, e.g. 26"),
    "test_id_prefix": (
        _text(r"[\w.:-]*"),
        "the beginning of test ids, e.g. test_ (letters, digits and _ - . : only), or nothing",
    ),
    "incremental_from_lines": (_number(int, most=inf), "a whole number of lines, 0 or more, e.g. 500000"),
    "incremental_up_to_share": (_number(int, float, most=1), "a share from 0 to 1, e.g. 0.1"),
    "studies_file": (_text(r"(?s).*\S.*"), f"{FILE}, e.g. data/reference/studies.csv"),
    "people_file": (_text(r"(?s).*\S.*"), f"{FILE}, e.g. data/reference/people.csv"),
}
"""For each var: the check of its value, and a description of valid values."""
