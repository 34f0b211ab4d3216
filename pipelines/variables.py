"""The vars of dbt_project.yml, looked at before anything is done with them: a misspelt one would fail in the middle of SQL."""

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import yaml  # type: ignore[import-untyped]

from pipelines.errors import StudyflowError
from pipelines.settings import PROJECT, parse_as_of

DAYS = "a whole number of days, 0 or more, like 5"
NUMBER = "a number, 0 or more, like 1.5"
MOST = 1_000_000


def check_vars(project: Path = PROJECT) -> None:
    """See that each var says what models can compute with.

    Raises:
        StudyflowError: one does not; the message names all that do not, and what they should say.
    """
    file = project / "dbt_project.yml"
    said = yaml.safe_load(file.read_text(encoding="utf-8"))["vars"]
    wrong = [
        f"{file.name}: the var {name} is {said[name]!r}. Write {wanted}."
        for name, (is_right, wanted) in VARS.items()
        if name in said and not is_right(said[name])
    ]
    if wrong:
        raise StudyflowError("\n".join(wrong))


def _is_days(value: Any) -> bool:  # noqa: ANN401 - whatever YAML holds
    return type(value) is int and 0 <= value <= MOST


def _is_number(value: Any) -> bool:  # noqa: ANN401
    return type(value) in {int, float} and 0 <= value <= MOST


def _is_count(value: Any) -> bool:  # noqa: ANN401
    return type(value) is int and 1 <= value <= MOST


def _is_date(value: Any) -> bool:  # noqa: ANN401
    try:
        date.fromisoformat(str(value))
    except ValueError:
        return False
    return True


def _is_time_zone(value: Any) -> bool:  # noqa: ANN401
    try:
        duckdb.execute("select timestamptz '2000-01-01 00:00:00+00' at time zone $1", [str(value)])
    except duckdb.Error:
        return False
    return True


def _is_as_of(value: Any) -> bool:  # noqa: ANN401
    try:
        return not value or bool(parse_as_of(str(value)))
    except StudyflowError:
        return False


def _is_prefix(value: Any) -> bool:  # noqa: ANN401
    return isinstance(value, str) and re.fullmatch(r"[\w.:-]*", value) is not None


VARS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "as_of": (_is_as_of, "nothing, or a time with an offset and at most ten years ahead, like '2026-07-31T18:00:00Z'"),
    "report_timezone": (_is_time_zone, "the name of a time zone, like UTC or Europe/Berlin"),
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
}
"""Each var that can be wrong: how that is seen, and what it should be. Files are looked at where they are read."""
