"""Warehouses that earlier versions made, kept in tests/warehouses as they made them, in the hands of this one.

Each was made of webhooks.jsonl there, whose last line has no newline, by `studyflow run` of a version with that format.
"""

import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from product import Product

from pipelines.build import build
from pipelines.errors import StudyflowError
from pipelines.load.loader import load
from pipelines.migrations import migrate
from pipelines.settings import Settings
from pipelines.spark.loading import prepare_tables
from pipelines.warehouse import connect, warehouse_format
from pipelines.working_copy import working_copy

pytestmark = pytest.mark.usefixtures("parsed_project")

KEPT = Path(__file__).parent / "warehouses"
FORMATS = [1, 2, 3, 4, 5]
DELIVERED = "select * exclude (file_id, load_id, loaded_at) from raw.deliveries"
CHANGES = "select * from marts.status_changes"


def settings_of(folder: Path) -> Settings:
    """The settings of runs in this folder, as of when the kept warehouses were made."""
    return Settings(
        raw=(folder / "webhooks.jsonl",),
        database=folder / "w.duckdb",
        exports=folder / "exports",
        as_of=datetime(2026, 8, 1, tzinfo=UTC),
    )


BUILT_BY_DBT = pytest.mark.slow(reason="dbt builds each; the oldest, which takes every step, is tried always")


@pytest.fixture(params=FORMATS)
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """A warehouse of that format, its file of webhooks, and a line that has been added to that since."""
    settings = settings_of(tmp_path)
    with pa.CompressedInputStream(str(KEPT / f"format-{request.param}.duckdb.zst"), "zstd") as packed:
        settings.database.write_bytes(packed.read())
    shutil.copy(KEPT / "webhooks.jsonl", tmp_path)
    with duckdb.connect(str(settings.database)) as connection:
        connection.execute("update raw.files set source_file = ?", [str(tmp_path / "webhooks.jsonl")])
    add_a_line(settings)
    return settings


def add_a_line(settings: Settings) -> None:
    """One more webhook, after the newline that the last one lacked."""
    file = Path(str(settings.raw[0]))
    last = json.loads(file.read_text().splitlines()[-1])
    more = {**last, "priorStatus": last["status"], "status": "SCREENER_STARTED", "updatedAt": "2026-07-02T00:00:00Z"}
    with file.open("a") as opened:
        opened.write(f"\n{json.dumps(more)}\n")


def run(settings: Settings, product: Product | None = None) -> tuple[list[Any], list[Any]]:
    """Load and build, by dbt unless a product is given; what was delivered, and the changes."""
    with working_copy(settings) as copy:
        with connect(copy.database) as connection:
            assert load(connection, copy.raw).problems == ()
            for schema in ("staging", "intermediate", "marts") if product else ():
                connection.execute(f"drop schema if exists {schema} cascade")
        if product:
            product.run(copy, "status_changes")
        else:
            build(copy)
    with connect(settings.database, read_only=True) as connection:
        found = [connection.execute(f"{query} order by all").fetchall() for query in (DELIVERED, CHANGES)]
        assert connection.execute("select format from raw.format").fetchall() == [(warehouse_format(),)]
    return found[0], found[1]


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory, product: Product) -> tuple[list[Any], list[Any]]:
    """What a new warehouse of the same files has."""
    settings = settings_of(tmp_path_factory.mktemp("anew"))
    shutil.copy(KEPT / "webhooks.jsonl", str(settings.raw[0]))
    add_a_line(settings)
    return run(settings, product)


def test_a_run_brings_it_to_this_format_and_loses_nothing(
    kept: Settings, expected: tuple[list[Any], list[Any]], product: Product
) -> None:
    """It goes on from what was loaded, and ends in what a new warehouse of the same files would have."""
    assert run(kept, product) == expected


@pytest.mark.parametrize(
    "kept", [FORMATS[0], *(pytest.param(one, marks=BUILT_BY_DBT) for one in FORMATS[1:])], indirect=True
)
def test_dbt_makes_its_tables_anew(kept: Settings, expected: tuple[list[Any], list[Any]]) -> None:
    """Over those that it has, whatever columns these have."""
    assert run(kept) == expected


def test_every_format_there_was_is_kept() -> None:
    """Whoever changes the raw tables keeps a warehouse of before, so that the way from it is tested."""
    assert FORMATS[-1] >= warehouse_format() - 1
    assert [path.name for path in sorted(KEPT.glob("*.zst"))] == [f"format-{number}.duckdb.zst" for number in FORMATS]


def test_a_later_format_is_refused_and_left_alone(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    with working_copy(settings) as copy, connect(copy.database) as connection:
        connection.execute("update raw.format set format = format + 1")
    before = settings.database.read_bytes()
    with pytest.raises(StudyflowError, match=r"w.duckdb: a later version of studyflow made this warehouse"):
        run(settings)
    assert settings.database.read_bytes() == before


def test_dbt_alone_refuses_other_formats_and_says_what_to_do(tmp_path: Path) -> None:
    """It would fail somewhere in the middle, over a column that is not there."""
    settings = settings_of(tmp_path)
    with working_copy(settings) as copy, connect(copy.database) as connection:
        connection.execute("update raw.format set format = 1")
    with pytest.raises(StudyflowError, match=r"an earlier version of studyflow made this warehouse.*studyflow run"):
        build(settings)


def test_looking_at_tables_of_an_earlier_version_says_what_to_do(tmp_path: Path) -> None:
    """Columns that it does not have are no reason for a traceback."""
    settings = settings_of(tmp_path)
    with working_copy(settings) as copy, connect(copy.database) as connection:
        for statement in (
            "create schema audit",
            "create schema marts",
            "create schema reference",
            "create table audit.built_as_of as select timestamptz '2026-08-01' as as_of",
            "create table marts.participants as select 1 as nothing_else",
        ):
            connection.execute(statement)
    said = subprocess.run(
        [sys.executable, "-m", "pipelines", "status", "--database", str(settings.database)],
        capture_output=True,
        text=True,
        check=False,
        cwd=KEPT.parents[1],
    )
    assert said.returncode == 1
    assert "Build them again: studyflow build" in said.stderr
    assert "Traceback" not in said.stderr


def test_parquet_files_of_spark_are_brought_to_this_format(tmp_path: Path) -> None:
    """Their lines were one delivery each. The files of before stay for those who still read them."""
    folder = tmp_path / "part-1"
    folder.mkdir()
    with connect(tmp_path / "w.duckdb") as connection:
        prepare_tables(connection)
        for statement in (
            "alter table parquet.no_deliveries drop column position",
            "alter table parquet.no_deliveries drop column shape",
            "alter table parquet.taken_back drop column position",
            "alter table raw.forgotten_lines drop column position",
            "alter table raw.loads drop column shapes",
            "update raw.format set format = 5",
            "create table one as from parquet.no_deliveries",
            "insert into one by name select 1 as file_id, 7 as line_number, 1 as load_id, now() as loaded_at, 'x' as line",
            f"copy (select *, 1 as part_id from one) to '{folder}/lines.parquet' (format parquet)",
            f"insert into parquet.parts values (1, 1, 1, '{folder}')",
            "create or replace view raw.deliveries as from one",
            "drop table one",
        ):
            connection.execute(statement)
        migrate(connection, tmp_path)
        found = connection.execute("select line_number, line, position, shape from raw.deliveries").fetchall()
        assert found == [(7, "x", 0, None)]
        assert connection.execute("select folder from parquet.parts").fetchall() == [(str(tmp_path / "part-2"),)]
        assert folder.exists()
