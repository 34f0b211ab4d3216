"""The vars of dbt_project.yml, looked at before anything is done with them: a misspelt one would fail in the middle of SQL."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from difflib import get_close_matches
from functools import cache
from math import inf
from pathlib import Path
from types import MappingProxyType
from typing import Any

import duckdb

from pipelines.errors import StudyflowError
from pipelines.projects import package_of
from pipelines.settings import PROJECT, parse_as_of
from pipelines.yaml_files import lines_of_keys, read_yaml

Check = Callable[[Any], bool]

DAYS = "a whole number of days, 0 or more, e.g. 5"
NUMBER = "a number, 0 or more, e.g. 1.5"
FILE = "the path of a file: absolute, or from the project folder"
FILE_OF_VARS = "dbt_project.yml"
MOST = 1_000_000
AREAS = frozenset(
    ("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
)
"""Etc is none: its Etc/GMT+5 is five hours behind UTC."""


def read_vars(project: Path = PROJECT, asked: Mapping[str, Any] = MappingProxyType({})) -> Mapping[str, Any]:
    """The vars, each of which says something that models can compute with. `asked` are those that dbt is given otherwise.

    A project that has studyflow as a package sets them under `vars: studyflow:`, or beside vars of its own; what it leaves
    out is as studyflow has it.

    Raises:
        StudyflowError: one does not, is missing, or is not known. The message names them all, and what they should say.
    """
    package = package_of(project)
    said = _own_vars(package)
    wrong = [
        f"{package / FILE_OF_VARS}: lacks the var {name}. Write {VARS[name][1]}." for name in VARS if name not in said
    ]
    if package == project:
        wrong += _problems(project, ("vars",), said)
    else:
        beside = read_yaml(project / FILE_OF_VARS).get("vars") or {}
        given = {name: value for name, value in beside.items() if name in VARS}
        own = beside.get("studyflow") or {}
        wrong += [*_problems(project, ("vars",), given), *_problems(project, ("vars", "studyflow"), own)]
        said = {**said, **given, **own}
    wrong += [problem for name in asked if (problem := _wrong("dbt's --vars, or the environment", name, asked[name]))]
    if wrong:
        raise StudyflowError("\n".join(wrong))
    return said


def _own_vars(package: Path) -> dict[str, Any]:
    said = read_yaml(package / FILE_OF_VARS).get("vars")
    if not isinstance(said, dict):
        msg = f"{package / FILE_OF_VARS}: has no vars. Restore it from version control."
        raise StudyflowError(msg)
    return said


def _problems(project: Path, keys: tuple[str, ...], said: Mapping[str, Any]) -> list[str]:
    file = project / FILE_OF_VARS
    lines = lines_of_keys(file, *keys)
    found = (_wrong(f"{file}, line {lines.get(str(name), 1)}", name, said[name]) for name in said)
    return [problem for problem in found if problem]


def _wrong(place: str, name: str, value: object) -> str | None:
    if name not in VARS:
        meant = get_close_matches(str(name), VARS, n=1, cutoff=0.8)
        return f"{place}: has a var {name}, which is unknown. {f'Rename it to {meant[0]}' if meant else 'Remove it'}."
    is_right, wanted = VARS[name]
    return None if is_right(value) else f"{place}: the var {name} is {value!r}. Write {wanted}."


def _number(*kinds: type, least: float = 0, most: float = MOST) -> Check:
    return lambda value: type(value) in kinds and least <= value <= most


def _text(pattern: str) -> Check:
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None


def _is_readable(value: Any, read: Callable[[str], object]) -> bool:  # noqa: ANN401 - any value of YAML
    try:
        read(str(value))
    except (ValueError, StudyflowError):
        return False
    return True


def _is_date(value: Any) -> bool:  # noqa: ANN401
    return bool(re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", str(value))) and _is_readable(value, date.fromisoformat)


@cache
def time_zones() -> frozenset[str]:
    """UTC and the time zones of places, as the IANA names them: no abbreviations, no offsets whose sign can be misread."""
    known = {name for (name,) in duckdb.execute("select name from pg_timezone_names()").fetchall()}
    return frozenset({"UTC"} | {name for name in known if "/" in name and name.partition("/")[0] in AREAS})


def _is_as_of(value: Any) -> bool:  # noqa: ANN401
    return value in {None, ""} or _is_readable(value, parse_as_of)


VARS: dict[str, tuple[Check, str]] = {
    "as_of": (_is_as_of, "nothing, or a time with an offset at most ten years ahead, e.g. '2026-07-31T18:00:00Z'"),
    "report_timezone": (
        lambda value: isinstance(value, str) and value in time_zones(),
        "UTC, or a time zone by area and city, e.g. Europe/Berlin",
    ),
    "daily_tables_from": (_is_date, "a date, e.g. '2000-01-01'"),
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
    "incremental_from_lines": (_number(int, most=inf), "a whole number of lines, 0 or more, e.g. 300000"),
    "incremental_up_to_share": (_number(int, float, most=1), "a share from 0 to 1, e.g. 0.1"),
    "studies_file": (_text(r"(?s).*\S.*"), f"{FILE}, e.g. data/reference/studies.csv"),
    "people_file": (_text(r"(?s).*\S.*"), f"{FILE}, e.g. data/reference/people.csv"),
}
"""Each var: how it is seen whether it can be followed, and what it should say."""
