"""Paths and other settings, with their defaults."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from pipelines.errors import StudyflowError
from pipelines.object_paths import RawPath, raw_paths
from pipelines.projects import EMBEDDED, package_of, project_to_work_in

PROJECT = project_to_work_in()
"""The dbt project to build: a workspace, or studyflow's own."""
PACKAGE = package_of(PROJECT)
"""The folder with studyflow's models and macros."""
IS_WORKSPACE = PROJECT != PACKAGE
DATA = (Path.cwd() if PROJECT == EMBEDDED else PROJECT) / "data"
"""Never inside an installed package, because upgrades replace that."""
SAMPLE = PACKAGE / "data" / "sample"
REFERENCE = PROJECT / "data" / "reference"
RAW = DATA / "raw"
DATABASE = DATA / "studyflow.duckdb"
EXPORTS = DATA / "exports"
REPORTS = DATA / "reports"
REPORTS_KEPT = 30
"""How many dated reports a folder keeps."""
AS_OF_YEARS_AHEAD = 10
"""How far in the future as-of may be. Daily tables have rows up to then."""
ROWS_ON_A_TERMINAL = 200
"""How many rows of an answer a terminal shows without --limit."""
WAIT_SECONDS = 600.0
"""How long a run waits for another run on the same warehouse."""


Engine = Literal["duckdb", "spark"]
"""The engine that builds the tables."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one run.

    `as_of` is in UTC; by default it is the time at which the run starts. `reports_kept`: if set, the run also writes
    a report, and its folder keeps this many dated ones. `backtest_weeks`: forecasts are also made as of this many past
    weeks.
    """

    raw: tuple[RawPath, ...]
    database: Path
    exports: Path
    as_of: datetime
    is_as_of_requested: bool = True
    studies_file: Path = REFERENCE / "studies.csv"
    people_file: Path = REFERENCE / "people.csv"
    reports: Path = REPORTS
    reports_kept: int | None = None
    wait_seconds: float = WAIT_SECONDS
    working_copy_of: Path | None = None
    engine: Engine = "duckdb"
    spark_folder: Path | None = None
    backtest_weeks: int = 0

    @property
    def warehouse(self) -> Path:
        """The path of the warehouse for messages, also if `database` is a working copy."""
        return self.working_copy_of or self.database


def resolve(
    raw: list[Path] | None = None,
    database: Path | None = None,
    exports: Path | None = None,
    as_of: str | None = None,
    *,
    may_be_sample: bool = True,
) -> Settings:
    """The settings of a run with defaults filled in.

    Without `raw`, files come from data/raw of the workspace. Without a workspace they come from the sample, as of its
    last day, if `may_be_sample`.

    Raises:
        StudyflowError: `as_of` is not an instant or too far in the future, or a raw path is an unsupported address.
    """
    is_sample = may_be_sample and not raw and not IS_WORKSPACE
    default_raw = [SAMPLE] if is_sample else [RAW] if IS_WORKSPACE else []
    return Settings(
        raw=tuple(raw_paths(raw or default_raw)),
        database=(database or DATABASE).absolute(),
        exports=(exports or EXPORTS).absolute(),
        as_of=parse_as_of(as_of) if as_of else (sample_as_of() if is_sample else datetime.now(UTC)),
        is_as_of_requested=bool(as_of) or is_sample,
        studies_file=(SAMPLE if is_sample else REFERENCE) / "studies.csv",
    )


def requested_as_of(as_of: str | None, project_vars: Mapping[str, Any]) -> str:
    """As-of from the command line or environment, else from the vars, else empty. The macro `setting` does the same."""
    return as_of or str(project_vars["as_of"] or "")


def with_named_files(settings: Settings, project_vars: Mapping[str, Any]) -> Settings:
    """The settings with studies_file and people_file from the environment, else from the vars.

    Raises:
        StudyflowError: a named file does not exist.
    """
    return replace(
        settings,
        studies_file=_named_file("studies_file", project_vars) or settings.studies_file,
        people_file=_named_file("people_file", project_vars) or settings.people_file,
    )


def _named_file(name: str, project_vars: Mapping[str, Any]) -> Path | None:
    """The file that the environment or a var names; None if it is the default, which need not exist."""
    variable = f"STUDYFLOW_{name.upper()}"
    named = os.environ.get(variable)
    file = Path(named).absolute() if named else PROJECT / project_vars[name]
    if not named and file == REFERENCE / f"{name.removesuffix('_file')}.csv":
        return None
    if not file.exists():
        msg = f"{file}: no such file, but {variable if named else f'the var {name}'} names it. Correct the path."
        raise StudyflowError(msg)
    return file


def sample_as_of() -> datetime:
    """The end of the last day of the sample."""
    return parse_instant((SAMPLE / "as_of.txt").read_text(encoding="utf-8").strip())


def parse_as_of(text: str) -> datetime:
    """An as-of time as a UTC datetime.

    Raises:
        StudyflowError: it is not an instant, or so far in the future that daily tables would have needless rows.
    """
    instant = parse_instant(text)
    if instant > datetime.now(UTC) + timedelta(days=365.25 * AS_OF_YEARS_AHEAD):
        msg = f"{text!r} is more than {AS_OF_YEARS_AHEAD} years ahead. Choose an earlier time."
        raise StudyflowError(msg)
    return instant


def parse_instant(text: str) -> datetime:
    """An RFC 3339 instant as a UTC datetime.

    Raises:
        StudyflowError: it cannot be parsed, has no offset, or is outside the years 1 to 9999.
    """
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        msg = f"{text!r} needs a time zone, e.g. 2026-07-31T18:00:00Z or 2026-07-31T20:00:00+02:00."
        raise StudyflowError(msg)
    try:
        instant = instant.astimezone(UTC)
        instant + timedelta(days=1)  # must not overflow: the day ends later in other time zones
    except OverflowError as error:
        msg = f"{text!r} is outside the years 1 to 9999, or on their last day."
        raise StudyflowError(msg) from error
    return instant
