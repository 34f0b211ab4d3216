"""The vars of dbt_project.yml, looked at before anything is done with them: a misspelt one would fail in the middle of SQL."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import duckdb

from pipelines.errors import StudyflowError
from pipelines.settings import PROJECT, parse_as_of
from pipelines.yaml_files import lines_of_keys, read_yaml

DAYS = "a whole number of days, 0 or more, like 5"
NUMBER = "a number, 0 or more, like 1.5"
FILE = "the path of a file, absolute or from the folder of the project"
MOST = 1_000_000
AREAS = frozenset(
    ("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
)
"""Etc is none: its Etc/GMT+5 is five hours behind UTC."""


def read_vars(project: Path = PROJECT, asked: Mapping[str, Any] = MappingProxyType({})) -> Mapping[str, Any]:
    """The vars, each of which says something that models can compute with. `asked` are those that dbt is given otherwise.

    Raises:
        StudyflowError: one does not, is missing, or is not known. The message names them all, and what they should say.
    """
    file = project / "dbt_project.yml"
    said = read_yaml(file).get("vars")
    if not isinstance(said, dict):
        msg = f"{file}: has no vars. Restore it from version control."
        raise StudyflowError(msg)
    lines = lines_of_keys(file, "vars")
    wrong = [f"{file}: lacks the var {name}. Write {VARS[name][1]}." for name in VARS if name not in said]
    wrong += [
        *(problem for name in said if (problem := _wrong(f"{file}, line {lines.get(str(name), 1)}", name, said[name]))),
        *(problem for name in asked if (problem := _wrong("dbt's --vars, or the environment", name, asked[name]))),
    ]
    if wrong:
        raise StudyflowError("\n".join(wrong))
    return said


def _wrong(place: str, name: str, value: object) -> str | None:
    if name not in VARS:
        meant = get_close_matches(str(name), VARS, n=1, cutoff=0.8)
        return f"{place}: has a var {name}, which is not known. {f'Rename it to {meant[0]}' if meant else 'Remove it'}."
    is_right, wanted = VARS[name]
    return None if is_right(value) else f"{place}: the var {name} is {value!r}. Write {wanted}."


def _is_days(value: Any) -> bool:  # noqa: ANN401 - whatever YAML holds
    return type(value) is int and 0 <= value <= MOST


def _is_number(value: Any) -> bool:  # noqa: ANN401
    return type(value) in {int, float} and 0 <= value <= MOST


def _is_count(value: Any) -> bool:  # noqa: ANN401
    return type(value) is int and 1 <= value <= MOST


def _is_lines(value: Any) -> bool:  # noqa: ANN401
    return type(value) is int and value >= 0


def _is_share(value: Any) -> bool:  # noqa: ANN401
    return type(value) in {int, float} and 0 <= value <= 1


def _is_date(value: Any) -> bool:  # noqa: ANN401
    try:
        return bool(re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", str(value)) and date.fromisoformat(str(value)))
    except ValueError:
        return False


def _is_time_zone(value: Any) -> bool:  # noqa: ANN401
    return isinstance(value, str) and value in time_zones()


@cache
def time_zones() -> frozenset[str]:
    """UTC and the time zones of places, as the IANA names them: no abbreviations, no offsets whose sign can be misread."""
    known = {name for (name,) in duckdb.execute("select name from pg_timezone_names()").fetchall()}
    return frozenset({"UTC"} | {name for name in known if "/" in name and name.partition("/")[0] in AREAS})


def _is_as_of(value: Any) -> bool:  # noqa: ANN401
    try:
        return value in {None, ""} or bool(parse_as_of(str(value)))
    except StudyflowError:
        return False


def _is_prefix(value: Any) -> bool:  # noqa: ANN401
    return isinstance(value, str) and re.fullmatch(r"[\w.:-]*", value) is not None


def _is_file(value: Any) -> bool:  # noqa: ANN401
    return isinstance(value, str) and bool(value.strip())


VARS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "as_of": (_is_as_of, "nothing, or a time with an offset and at most ten years ahead, like '2026-07-31T18:00:00Z'"),
    "report_timezone": (_is_time_zone, "UTC, or a time zone by area and city, like Europe/Berlin"),
    "daily_tables_from": (_is_date, "a date, like '2000-01-01'"),
    "incentive_sla_days": (_is_days, DAYS),
    "invitation_cooldown_days": (_is_days, DAYS),
    "participation_cooldown_days": (_is_days, DAYS),
    "bulk_edit_min": (_is_count, "a whole number, 1 or more"),
    "late_cancellation_hours": (_is_number, NUMBER),
    "silence_min_hours": (_is_number, NUMBER),
    "silence_times_usual": (_is_number, NUMBER),
    "silence_usual_days": (_is_days, DAYS),
    "silence_history_days": (_is_days, DAYS),
    "test_id_prefix": (
        _is_prefix,
        "what test ids begin with, like test_ (letters, digits and _ - . : only), or nothing",
    ),
    "incremental_from_lines": (_is_lines, "a whole number of lines, 0 or more, like 300000"),
    "incremental_up_to_share": (_is_share, "a share from 0 to 1, like 0.1"),
    "studies_file": (_is_file, f"{FILE}, like data/reference/studies.csv"),
    "people_file": (_is_file, f"{FILE}, like data/reference/people.csv"),
}
"""Each var: how it is seen whether it can be followed, and what it should say."""
