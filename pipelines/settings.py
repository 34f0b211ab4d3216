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
"""The dbt project that is built: a workspace, or studyflow's own."""
PACKAGE = package_of(PROJECT)
"""studyflow's models and macros."""
IS_WORKSPACE = PROJECT != PACKAGE
DATA = (Path.cwd() if PROJECT == EMBEDDED else PROJECT) / "data"
"""Never in an installed package, which upgrades replace."""
SAMPLE = PACKAGE / "data" / "sample"
REFERENCE = PROJECT / "data" / "reference"
RAW = DATA / "raw"
DATABASE = DATA / "studyflow.duckdb"
EXPORTS = DATA / "exports"
REPORTS = DATA / "reports"
REPORTS_KEPT = 30
"""How many dated reports stay in a folder of them."""
AS_OF_YEARS_AHEAD = 10
"""How far in the future as-of may be. Daily tables have rows up to then."""
ROWS_ON_A_TERMINAL = 200
"""How many rows of an answer are shown there, unless --limit says otherwise."""
WAIT_SECONDS = 600.0
"""How long a run waits for another on the same warehouse."""


Engine = Literal["duckdb", "spark"]
"""What builds the tables."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What one run works on. `as_of` is one time for the whole run, in UTC; if nobody asked for it, now.

    `reports_kept`: the run also makes a report, and this many dated ones stay. `spark_folder`: where Spark's tables are.
    `backtest_weeks`: forecasts are also made as of this many past weeks.
    """

    raw: tuple[RawPath, ...]
    database: Path
    exports: Path
    as_of: datetime
    is_as_of_asked_for: bool = True
    studies_file: Path = REFERENCE / "studies.csv"
    people_file: Path = REFERENCE / "people.csv"
    reports: Path = REPORTS
    reports_kept: int | None = None
    wait_seconds: float = WAIT_SECONDS
    named: Path | None = None
    engine: Engine = "duckdb"
    spark_folder: Path | None = None
    backtest_weeks: int = 0

    @property
    def warehouse(self) -> Path:
        """The warehouse as messages call it: `database` may be a working copy of it."""
        return self.named or self.database


def resolve(
    raw: list[Path] | None = None,
    database: Path | None = None,
    exports: Path | None = None,
    as_of: str | None = None,
    *,
    may_be_sample: bool = True,
) -> Settings:
    """The settings of a run, the defaults filled in.

    Without `raw`, a workspace has its own folder of files. Elsewhere it is the sample, as of its last day, if it may be.

    Raises:
        StudyflowError: `as_of` is no instant, or too far in the future; or a raw path is an address that is not read.
    """
    is_sample = may_be_sample and not raw and not IS_WORKSPACE
    usual = [SAMPLE] if is_sample else [RAW] if IS_WORKSPACE else []
    return Settings(
        raw=tuple(raw_paths(raw or usual)),
        database=(database or DATABASE).absolute(),
        exports=(exports or EXPORTS).absolute(),
        as_of=parse_as_of(as_of) if as_of else (sample_as_of() if is_sample else datetime.now(UTC)),
        is_as_of_asked_for=bool(as_of) or is_sample,
        studies_file=(SAMPLE if is_sample else REFERENCE) / "studies.csv",
    )


def as_of_asked_for(as_of: str | None, said: Mapping[str, Any]) -> str:
    """What the command line or the environment says, else the var of dbt_project.yml; the macro `setting` agrees."""
    return as_of or str(said["as_of"] or "")


def with_named_files(settings: Settings, said: Mapping[str, Any]) -> Settings:
    """The settings with the optional files that the environment names or, where it does not, dbt_project.yml.

    Raises:
        StudyflowError: a file that is named is not there.
    """
    return replace(
        settings,
        studies_file=_named_file("studies_file", said) or settings.studies_file,
        people_file=_named_file("people_file", said) or settings.people_file,
    )


def _named_file(name: str, said: Mapping[str, Any]) -> Path | None:
    """An optional file that the environment names, or a var where it is not the one that need not be there."""
    variable = f"STUDYFLOW_{name.upper()}"
    named = os.environ.get(variable)
    file = Path(named).absolute() if named else PROJECT / said[name]
    if not named and file == REFERENCE / f"{name.removesuffix('_file')}.csv":
        return None
    if not file.exists():
        msg = f"{file}: no such file, but {variable if named else f'the var {name}'} names it. Correct the path."
        raise StudyflowError(msg)
    return file


def sample_as_of() -> datetime:
    """The end of the sample's last day, so that ages in it make sense."""
    return parse_instant((SAMPLE / "as_of.txt").read_text(encoding="utf-8").strip())


def parse_as_of(text: str) -> datetime:
    """A time that data may be as of.

    Raises:
        StudyflowError: it is no instant, or so far in the future that daily tables would grow without telling more.
    """
    moment = parse_instant(text)
    if moment > datetime.now(UTC) + timedelta(days=365.25 * AS_OF_YEARS_AHEAD):
        msg = f"{text!r} is more than {AS_OF_YEARS_AHEAD} years ahead. Choose an earlier time."
        raise StudyflowError(msg)
    return moment


def parse_instant(text: str) -> datetime:
    """An RFC 3339 instant as a UTC datetime.

    Raises:
        StudyflowError: it cannot be read, or has no offset and could mean any of 38 hours.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        msg = f"{text!r} needs a time zone, e.g. 2026-07-31T18:00:00Z or 2026-07-31T20:00:00+02:00."
        raise StudyflowError(msg)
    try:
        moment = moment.astimezone(UTC)
        moment + timedelta(days=1)  # days end later in some time zones
    except OverflowError as error:
        msg = f"{text!r} is outside the years 1 to 9999, or on their last day."
        raise StudyflowError(msg) from error
    return moment
