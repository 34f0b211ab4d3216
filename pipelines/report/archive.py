"""A folder of dated reports: one report a day, an index of them, and a manifest. The oldest reports are removed."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime, tzinfo
from pathlib import Path

import duckdb

from pipelines.ask.warehouse import marts_as_of
from pipelines.errors import StudyflowError
from pipelines.locks import folder_lock
from pipelines.report import pages
from pipelines.report.links import Links
from pipelines.report.previous import ArchivedReport, is_report
from pipelines.report.questions import report_timezone
from pipelines.report.writer import ReportRequest, Written, write
from pipelines.settings import REPORTS_KEPT
from pipelines.system import write_atomically

INDEX = "index.html"
GENERATOR = b'<meta name="generator" content="studyflow">'
MANIFEST = ".studyflow-reports.json"
ABOUT = "The reports that `studyflow run --report` wrote here. It removes the oldest of these, and no other files."
WAIT_SECONDS = 60


def file_report(connection: duckdb.DuckDBPyConnection, folder: Path, keep: int = REPORTS_KEPT) -> Written:
    """Write the day's report into the folder, remove all but the last `keep` reports, and update the index.

    A report replaces an earlier one of the same day and also shows what changed since the day before. Days are in the
    report's time zone. Link URLs come from the environment.

    Raises:
        StudyflowError: the tables are not built, or the folder cannot be written.
    """
    check_folder(folder)
    with _locked(folder):
        built = marts_as_of(connection)
        zone = report_timezone(connection)
        today = built.astimezone(zone).date()
        others = [entry for entry in _read_manifest(folder) if entry.as_of.astimezone(zone).date() != today]
        since = max((entry.as_of for entry in others if entry.as_of < built), default=None)
        written = write(connection, folder, ReportRequest(since=since, links=Links.from_environment()))
        entries = [*others, ArchivedReport(written.as_of, tuple(path.name for path in written.files), written.actions)]
        entries.sort(key=lambda entry: entry.as_of, reverse=True)
        for entry in entries[keep:]:
            for name in entry.files:
                (folder / name).unlink(missing_ok=True)
        _write_manifest(folder, entries[:keep], zone)
        return written


def check_folder(folder: Path) -> None:
    """Check that reports can be kept in a folder, and create it if it does not exist.

    Raises:
        StudyflowError: the folder cannot be used, or the environment has invalid URLs for links.
    """
    Links.from_environment()
    with _explain_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK | os.X_OK):
        msg = f"{folder}: reports cannot be kept here, because the folder is write-protected. Choose another --reports."
        raise StudyflowError(msg)
    index = folder / INDEX
    if index.exists() and GENERATOR not in index.read_bytes():  # e.g. in the folder of a web server
        msg = (
            f"{index}: studyflow did not write this, and a folder of reports needs its name. Choose another --reports."
        )
        raise StudyflowError(msg)


def remove_reports(folder: Path, which: Callable[[Path], bool]) -> list[Path]:
    """Remove the reports in a folder for which `which` is true, also from the index; return the removed files.

    Raises:
        StudyflowError: another process is writing there, or a file cannot be removed.
    """
    if not folder.is_dir():
        return []
    with _locked(folder):
        files = sorted(
            file for file in (*folder.glob("*.html"), *folder.glob("*.md")) if is_report(file) and which(file)
        )
        before = _read_manifest(folder)
        for file in files:
            file.unlink()
        if files and before:
            _write_manifest(folder, _read_manifest(folder), UTC)
        return files


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with _explain_errors(folder), folder_lock(folder / ".studyflow", WAIT_SECONDS) as is_locked:
        if not is_locked:
            msg = f"{folder}: another process is writing reports here. Try again when it has ended."
            raise StudyflowError(msg)
        yield


@contextmanager
def _explain_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        msg = f"{folder}: reports cannot be kept here ({error.strerror}). Choose another --reports."
        raise StudyflowError(msg) from error


def _write_manifest(folder: Path, entries: list[ArchivedReport], zone: tzinfo) -> None:
    """Write the manifest and the index of a folder."""
    manifest = {"about": ABOUT, "reports": [asdict(entry) for entry in entries]}
    write_atomically(folder / MANIFEST, json.dumps(manifest, indent=1, default=datetime.isoformat) + "\n")
    write_atomically(folder / INDEX, pages.index(entries, zone))


def _read_manifest(folder: Path) -> list[ArchivedReport]:
    """The reports in the manifest, without files that no longer exist. Empty if the manifest is missing or damaged."""
    try:
        rows = json.loads((folder / MANIFEST).read_bytes())["reports"]
        entries = [ArchivedReport.of(row) for row in rows]
    except (OSError, ValueError, KeyError, TypeError, RecursionError, StudyflowError):
        return []
    existing = (
        replace(entry, files=tuple(name for name in entry.files if (folder / name).exists())) for entry in entries
    )
    return [entry for entry in existing if entry.files]
