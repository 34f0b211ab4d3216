"""Forgetting, from one end to the other. Each part can be done again: what was killed is finished by the next try."""

import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from pipelines.errors import StudyflowError
from pipelines.export.pseudonyms import from_environment
from pipelines.export.replace import how_made
from pipelines.forget import people_file, raw_files
from pipelines.forget.known import Known, look_up
from pipelines.forget.proof import Proof
from pipelines.forget.search import is_in_file, search
from pipelines.forget.warehouse import rows_by_table, take_out
from pipelines.load.sources import find
from pipelines.report.archive import remove_reports
from pipelines.run import build_tables, check_copy, export_tables
from pipelines.settings import Forms, Settings
from pipelines.state import built_as_of
from pipelines.warehouse import connect
from pipelines.working_copy import Waiting, copied, reserved

__all__ = ["Proof", "forget"]


def forget(settings: Settings, person: str, raw: Sequence[Path], *, rewrite: bool, waiting: Waiting | None) -> Proof:
    """Take a person out of the warehouse, the exports and the reports and, with `rewrite`, out of the raw files and people.csv.

    Raw files are those that were ever loaded, and those under `raw`.

    Raises:
        StudyflowError: the warehouse is as it was before; or it is done, and something after it could not be.
    """
    with reserved(
        settings, waiting
    ):  # to the end: a run that exported, or read a file, meanwhile would bring them back
        return _forget(settings, person, raw, rewrite=rewrite)


def _forget(settings: Settings, person: str, raw: Sequence[Path], *, rewrite: bool) -> Proof:
    forms = _forms(settings.exports)
    before = rows_by_table(settings.database)
    with connect(settings.database, read_only=True) as connection:
        known = look_up(connection, person)
    is_needed = known.lines > 0 or known.forgotten_at is None
    checks_passed = True
    if is_needed:
        with copied(settings) as copy:
            with connect(copy.database, read_only=True) as connection:
                known = look_up(connection, person)
            checks_passed = _make_without(copy, known)
    proof = Proof(
        when=datetime.now(UTC),
        person_hash=known.person_hash,
        salt=known.hashes.salt,
        forgotten_before=known.forgotten_at,
        lines=known.lines,
        participants=len(known.hashes.participants),
        warehouse=settings.database,
        checks_passed=checks_passed,
        is_rewriting=rewrite,
    )
    if is_needed:
        after = rows_by_table(settings.database)
        proof.tables = {table: (rows, after.get(table, 0)) for table, rows in before.items()}
    if forms and _built_as_of(settings.database):
        proof.exports = settings.exports
        proof.exported = len(export_tables(settings, forms, as_of_must_match=False).files)
    proof.reports = remove_reports(settings.reports, lambda file: is_in_file(file, known.ids))
    _look_through_files(settings, known, raw, proof)
    proof.search = search(settings.database, [settings.exports, settings.reports], known)
    return proof


def _make_without(copy: Settings, known: Known) -> bool:
    """Make the working copy anew of what is left, as of the moment it spoke for; whether it passed its checks."""
    built = _built_as_of(copy.database)
    take_out(copy, known)
    if built is None:
        return True
    settings = replace(copy, as_of=built, is_as_of_asked_for=True)
    build_tables(settings)
    return check_copy(settings, strict=False).ok


def _built_as_of(database: Path) -> datetime | None:
    with connect(database, read_only=True) as connection:
        return built_as_of(connection)


def _look_through_files(settings: Settings, known: Known, raw: Sequence[Path], proof: Proof) -> None:
    found, proof.problems[:] = find(raw)
    with connect(settings.database, read_only=True) as connection:
        known_files = raw_files.known_files(connection)
    there = [file for file in known_files if os.path.isfile(file)]  # noqa: PTH113 - Path.is_file raises where it may not look
    proof.missing = [str(file) for file in known_files if file not in there]
    files = [*there, *(source.path for source in found)]
    proof.raw_files = list(raw_files.look_through(files, known, proof.problems, rewrite=proof.is_rewriting))
    proof.people_rows = people_file.rows_of(settings.people_file, known.ids.person)
    if proof.people_rows:
        proof.people_file = settings.people_file
        if proof.is_rewriting:
            people_file.take_out(settings.people_file, known.ids.person)


def _forms(exports: Path) -> Forms | None:
    """How the export that is there was made, so that it is made again alike; None where there is none.

    Raises:
        StudyflowError: it has pseudonyms, and the key that they were made with is not given.
    """
    made = how_made(exports)
    if made is None:
        return None
    files = made["files"]
    pseudonyms = from_environment() if made.get("pseudonyms") else None
    if pseudonyms and pseudonyms.fingerprint != made["pseudonyms"]:
        msg = f"{exports}: the pseudonyms there were made with another key. Give that one, or remove that export first."
        raise StudyflowError(msg)
    return Forms(
        by_study=made.get("by_study", any("/" in file for file in files)),
        parquet="parquet" in made.get("formats", ()) or any(file.endswith(".parquet") for file in files),
        workbook="xlsx" in made.get("formats", ()) or any(file.endswith(".xlsx") for file in files),
        pseudonyms=pseudonyms,
    )
