"""What a report is asked for: a study, an interval, links, names; what cannot be had is refused."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pytest
from product import Product
from report_warehouse import AS_OF, MONDAY, WEEK, finished, journey, warehouse
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.errors import ExitCode, StudyflowError, UsageError
from pipelines.report import ReportRequest, write
from pipelines.report.links import Links
from pipelines.report.questions import Scope


def test_a_study_that_is_not_known_names_those_that_are_near(sample: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """Ids are copied by hand, and people type names."""
    with pytest.raises(StudyflowError, match=r"Did you mean one of these\?\s+cmqp4nxbz0005hcdhexdkc30s  Churn survey"):
        write(sample, tmp_path, ReportRequest(study="churn survy"))
    assert list(tmp_path.iterdir()) == []


def test_of_one_study_everything_is_of_that_study(sample: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """A study's team gets its own report: no other study's people are in it."""
    study = "cmqf02xbz0004hcdh4bmwhk6s"
    html, _ = (file.read_text(encoding="utf-8") for file in write(sample, tmp_path, ReportRequest(study=study)).files)
    assert (tmp_path / f"studyflow-2026-08-01-{study}.html").exists()
    assert "Power user interviews" in html
    others = sample.execute(
        "select study_id, study_name from marts.study_progress where study_id <> ?", [study]
    ).fetchall()
    assert not [name for one in others for name in one if name and name in html]


def test_it_tells_what_changed_since_the_last_report_of_the_same(product: Product, tmp_path: Path) -> None:
    """A report in the folder says in a tag what it covers. One of a single study, a later one, or other files, do not count."""
    people = [
        finished("p1", "s"),
        finished("p2", "t"),
        journey("p3", "s", "NOT_STARTED", start=AS_OF - timedelta(hours=1)),
    ]
    deliveries = [one for person in people for one in person]
    for as_of, study in ((AS_OF - timedelta(days=2), None), (AS_OF - timedelta(days=1), "s"), (AS_OF + WEEK, None)):
        with warehouse(product, deliveries, as_of=as_of) as connection:
            write(connection, tmp_path, request=ReportRequest(study=study, formats=("md",) if study else ("html",)))
    (tmp_path / "broken.html").write_bytes(b'<meta name="studyflow-as-of" content="yesterday">\xff')
    with warehouse(product, deliveries, as_of=AS_OF) as connection:
        assert write(connection, tmp_path).since == AS_OF - timedelta(days=2)
        assert write(connection, tmp_path, ReportRequest(study="s")).since == AS_OF - timedelta(days=1)
        assert write(connection, tmp_path / "elsewhere").since == AS_OF - WEEK
        told = write(connection, tmp_path, ReportRequest(since=MONDAY)).numbers
    assert told["Finished"] == 2
    assert told["Added"] == 1


def test_the_days_before_are_the_same_days_of_the_week() -> None:
    """A weekend against a weekend: Saturday to Monday against Thursday to Saturday would always look like a fall."""
    zone = ZoneInfo("America/New_York")
    monday = datetime(2026, 3, 9, 9, tzinfo=zone)  # clocks went forward on the 8th
    since, until = Scope(monday, datetime(2026, 3, 6, 18, tzinfo=zone), zone).before
    assert (since, until) == (datetime(2026, 2, 27, 18, tzinfo=zone), datetime(2026, 3, 2, 9, tzinfo=zone))
    since, until = Scope(monday, monday - 2 * WEEK - timedelta(hours=1), zone).before
    assert until == monday - 3 * WEEK, "of more than two weeks, three weeks earlier: the two do not overlap"


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("rally.example/{study_id}", "must begin with https"),
        ("https://rally.example/", "must have {study_id}"),
        ("javascript:alert('{study_id}')", "must begin with https"),
        ("https://r.example/{study}", "has {study}"),
    ],
)
def test_an_address_that_leads_nowhere_is_refused(url: str, what: str) -> None:
    """A link that everybody who gets the report would find broken, or worse."""
    with pytest.raises(StudyflowError, match=re.escape(what)):
        Links(study_url=url)


def test_people_are_named_only_if_asked_for(product: Product, tmp_path: Path) -> None:
    """A report is forwarded; whoever wants names in it says so."""
    people = [{"person_id": "person of p1", "person_name": "Ada Lovelace"}]
    with warehouse(product, finished("p1", "s"), people=people) as connection:
        for names in (False, True):
            files = write(connection, tmp_path, ReportRequest(names=names)).files
            assert all(("Ada Lovelace" in file.read_text(encoding="utf-8")) is names for file in files)


@pytest.mark.parametrize(
    "option", [("--since", "yesterday"), ("--study-url", "x"), ("--participant-url", "https://r/{x}")]
)
def test_wrong_arguments_are_wrong_usage(option: tuple[str, str]) -> None:
    """A schedule tells by the exit code whether to try again."""
    assert CliRunner().invoke(app, ["report", *option]).exit_code == ExitCode.USAGE


def test_a_report_as_pdf_is_refused(sample: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """A folder called x.pdf would not be what was asked for."""
    with pytest.raises(UsageError, match="written as"):
        write(sample, tmp_path / "x.pdf")
    assert list(tmp_path.iterdir()) == []


def test_nothing_to_tell_since_later(sample: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """An interval that ends before it begins is a mistake of whoever typed it."""
    with pytest.raises(StudyflowError, match="Choose an earlier --since"):
        write(sample, tmp_path, ReportRequest(since=datetime(2026, 9, 1, tzinfo=UTC)))


def test_another_moment_is_refused_with_the_command_to_run(sample: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """The tables are as of one time; a report of another would be wrong."""
    with pytest.raises(StudyflowError, match="studyflow run --as-of 2026-07-01T00:00:00Z"):
        write(sample, tmp_path, ReportRequest(as_of=datetime(2026, 7, 1, tzinfo=UTC)))


def test_before_the_first_build_it_says_what_to_run(tmp_path: Path) -> None:
    """Whoever types the command first of all."""
    with pytest.raises(StudyflowError, match="studyflow run"):
        write(duckdb.connect(":memory:"), tmp_path)


def test_a_place_that_cannot_be_written_is_named(sample: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """A folder that is a file; nothing unfinished is left."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(StudyflowError, match="Choose another --out"):
        write(sample, tmp_path / "file", ReportRequest(formats=("md",)))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
