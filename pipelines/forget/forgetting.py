"""All steps of `studyflow forget`. Each can be repeated: running a killed command again finishes the work."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from pipelines.errors import SourceError, StudyflowError
from pipelines.export import ExportOptions
from pipelines.export.pseudonyms import from_environment
from pipelines.export.replace import options_of_export, workspace
from pipelines.forget import leftovers, people_file
from pipelines.forget.file_contents import is_in_readable_file
from pipelines.forget.known_person import KnownPerson, look_up
from pipelines.forget.loaded_files import raw_files
from pipelines.forget.proof import Proof
from pipelines.forget.raw_files import look_through, look_through_objects
from pipelines.forget.search import search
from pipelines.forget.warehouse import remove_person, rows_by_table
from pipelines.object_paths import RawPath
from pipelines.report.archive import remove_reports
from pipelines.run import build_tables, check_copy, export_tables, spark_builder
from pipelines.settings import Settings
from pipelines.state import built_as_of
from pipelines.warehouse import connect
from pipelines.working_copy import OnWait, copied, reserved


def forget(settings: Settings, person: str, raw: Sequence[RawPath], *, rewrite: bool, on_wait: OnWait | None) -> Proof:
    """Remove a person from the warehouse, exports and reports and, with `rewrite`, from raw files and people.csv.

    Raw files are those that were ever loaded, and those under `raw`.

    Raises:
        StudyflowError: a step failed. The warehouse is unchanged, or the person is already removed from it.
    """
    # Reserved until the end, because another run could export the person or load a file with their lines.
    with reserved(settings, on_wait):
        if settings.engine == "spark":
            spark_builder(settings).clean_up()  # a build would read lines that a killed run left
        if settings.exports.parent.is_dir():
            # This may restore an export of a killed run, which must then be made again.
            with workspace(settings.exports):
                pass
        options = _options(settings.exports)
        before = rows_by_table(settings.database)
        with connect(settings.database, read_only=True) as connection:
            known = look_up(connection, person, settings.people_file)
        proof = Proof(
            known=known,
            when=datetime.now(UTC),
            warehouse=settings.database,
            people_file=settings.people_file,
            is_rewriting=rewrite,
        )
        if known.is_in_warehouse or known.forgotten_at is None:
            with copied(settings) as copy:
                proof.checks_passed = _rebuild_without(copy, known)
            after = rows_by_table(settings.database)
            proof.tables = {table: (rows, after.get(table, 0)) for table, rows in before.items()}
        if settings.engine == "spark":
            spark_builder(settings).clean_up(keep_one_before=False)
        if options and _built_as_of(settings.database):
            proof.exports = settings.exports
            proof.exported = len(export_tables(settings, options, as_of_must_match=False).files)
        proof.reports = remove_reports(settings.reports, partial(is_in_readable_file, known=known))
        proof.leftovers = leftovers.remove(settings, partial(is_in_readable_file, known=known))
        _look_through_raw_files(settings, raw, proof)
        if rewrite and known.people_rows:  # last: a repeated command needs the name in people.csv to search for it
            try:
                people_file.remove_rows(settings.people_file, person)
            except SourceError as problem:
                proof.problems.append(problem)
        places = leftovers.places(settings)
        if rewrite or not known.people_rows:
            places.append(settings.people_file)
        proof.search = search(settings.database, places, known)
        return proof


def _rebuild_without(copy: Settings, known: KnownPerson) -> bool:
    """Rebuild the working copy without the person, as of the same time; return whether it passed its checks."""
    built = _built_as_of(copy.database)
    settings = replace(copy, as_of=built, is_as_of_requested=True) if built else copy
    if copy.engine == "spark":
        from pipelines.spark.loading import copy_parts_without_person  # noqa: PLC0415

        with spark_builder(settings) as builder:
            remove_person(settings, known, partial(copy_parts_without_person, builder.folder / "lines"))
            builder.build()
    else:
        remove_person(copy, known)
        if built:
            build_tables(settings)
    return built is None or check_copy(settings, strict=False).ok


def _built_as_of(database: Path) -> datetime | None:
    with connect(database, read_only=True) as connection:
        return built_as_of(connection)


def _look_through_raw_files(settings: Settings, raw: Sequence[RawPath], proof: Proof) -> None:
    with connect(settings.database, read_only=True) as connection:
        found = raw_files(connection, raw)
    proof.problems += found.problems
    proof.missing = list(found.missing)
    proof.raw_files = [
        *look_through(found.loaded, proof.known, proof.problems, rewrite=proof.is_rewriting),
        *look_through(found.beside, proof.known, proof.problems, rewrite=False, were_loaded=False),
        *look_through_objects(found.objects, proof.known, proof.problems),
    ]


def _options(exports: Path) -> ExportOptions | None:
    """The options of the present export, to make it again in the same way; None if there is no export.

    Raises:
        StudyflowError: the export has pseudonyms, and the key that they were made with is not set.
    """
    recorded = options_of_export(exports)
    if recorded is None:
        return None
    pseudonyms = from_environment() if recorded.get("pseudonyms") else None
    if pseudonyms and pseudonyms.fingerprint != recorded["pseudonyms"]:
        msg = f"{exports}: its pseudonyms were made with another key. Set that key, or remove the export first."
        raise StudyflowError(msg)
    return ExportOptions(
        by_study=recorded["by_study"],
        parquet="parquet" in recorded["formats"],
        workbook="xlsx" in recorded["formats"],
        excel=recorded.get("for_excel", False),
        pseudonyms=pseudonyms,
        force=True,
    )
