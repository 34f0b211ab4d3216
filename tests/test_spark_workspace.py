"""A workspace on Spark is one on DuckDB, with its own models, seeds and reference tables; and somebody can be forgotten there.

Runs on Spark are slow, and skipped where the extra `studyflow[spark]` or Java is missing.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from processes import studyflow
from product import Product
from strategies import valid_but
from test_spark import assert_same, needs_spark, tables_of

from pipelines.errors import UsageError
from pipelines.forget import look_up
from pipelines.forget.warehouse import remove_person
from pipelines.load.loader import load
from pipelines.settings import PROJECT, SAMPLE, resolve, sample_as_of
from pipelines.spark.builder import SparkBuilder
from pipelines.spark.loading import copy_parts_without_person, prepare_tables, update_deliveries_view
from pipelines.spark.views import make_view_of_files
from pipelines.warehouse import connect
from pipelines.workspace.create import create

PERSON = "somebody-who-leaves"
OWN_STATUS = "PHONE_SCREEN_DONE"
DISPATCHED = re.compile(r"adapter\.dispatch\('(\w+)'\)")
OF_SPARK = re.compile(r"{%-? (macro spark__\w+|materialization \w+, adapter='spark')")


def test_a_workspace_has_all_that_dbt_asks_a_project_for() -> None:
    """Its packages are not asked for these: without one, Spark would make tables of another kind."""
    files = (PROJECT / "macros").rglob("*.sql")
    texts = [file.read_text(encoding="utf-8") for file in files]
    ours = {f"macro spark__{name}" for text in texts for name in DISPATCHED.findall(text)}
    asked_for = {found for text in texts for found in OF_SPARK.findall(text)} - ours
    workspace = PROJECT / "pipelines" / "workspace" / "files" / "macros" / "studyflow.sql"
    assert set(OF_SPARK.findall(workspace.read_text(encoding="utf-8"))) == asked_for != set()


def lines() -> Iterator[bytes]:
    """Lines of the person, alone, in a batch and in what others say of them, and lines of others."""
    yield valid_but(participantId="p1", personId=PERSON, status="INVITE_SENT")
    yield valid_but(participantId="p2", personId="another", note=f"invited by {PERSON}")
    yield b"[%s, %s]" % (
        valid_but(participantId="p3", personId=PERSON),
        valid_but(participantId="p4", personId="third"),
    )
    yield valid_but(participantId="p5", personId="third", status=OWN_STATUS)
    yield f"no JSON, but of {PERSON}".encode()


def test_a_person_leaves_parts_as_they_leave_a_table(tmp_path: Path) -> None:
    """The same lines are left and the same are counted; parts that they were not in, and those of before, stay as they are."""
    files = [tmp_path / name for name in ("theirs.jsonl", "of others.jsonl")]
    files[0].write_bytes(b"\n".join(lines()) + b"\n")
    files[1].write_bytes(valid_but(personId="another") + b"\n")
    warehouses = {engine: tmp_path / engine / "w.duckdb" for engine in ("duckdb", "spark")}
    parts = tmp_path / "lines"
    for engine, database in warehouses.items():
        database.parent.mkdir()
        with connect(database) as connection:
            load(connection, [tmp_path])
            if engine == "spark":
                as_parts(connection, parts)
        with connect(database, read_only=True) as connection:
            known = look_up(connection, PERSON, tmp_path / "people.csv")
        assert (known.lines, known.mentions) == (3, 1)
        settings = replace(resolve(database=database), engine=engine)  # type: ignore[arg-type]
        remove_person(settings, known, partial(copy_parts_without_person, parts) if engine == "spark" else None)
    left = [rows(database) for database in warehouses.values()]
    assert left[0] == left[1]
    assert PERSON not in str(left)
    assert names(parts) == {"part-1", "part-2", "part-3"}
    with connect(warehouses["spark"], read_only=True) as connection:
        assert connection.execute("select part_id from parquet.parts order by 1").fetchall() == [(2,), (3,)]


def as_parts(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Put lines where Spark has them, a part for each file: what is in the way of the person is in part 1."""
    connection.execute("create temp table loaded as from raw.deliveries")
    prepare_tables(connection)
    query = "select file_id from raw.files order by source_file like '%of others%'"
    for part_id, (file_id,) in enumerate(connection.execute(query).fetchall(), start=1):
        place = folder / f"part-{part_id}"
        place.mkdir(parents=True)
        of_file = f"select *, {part_id} as part_id from loaded where file_id = {file_id}"
        connection.execute(f"copy ({of_file}) to '{place}/lines.parquet' (format parquet)")
        connection.execute("insert into parquet.parts values ($1, $2, 1, $3)", [part_id, file_id, str(place)])
    connection.execute("drop table loaded")
    update_deliveries_view(connection)


def rows(database: Path) -> dict[str, object]:
    """What is left of the raw tables, but times and salts."""
    queries = {
        "deliveries": "select * exclude (loaded_at) from raw.deliveries order by all",
        "files": "select file_id, lines, is_superseded from raw.files order by all",
        "forgotten_lines": "from raw.forgotten_lines order by all",
        "forgotten": "select kind, count(*) from raw.forgotten group by kind order by all",
        "withdrawals": "from raw.withdrawals",
    }
    with connect(database, read_only=True) as connection:
        return {name: connection.execute(query).fetchall() for name, query in queries.items()}


def shown(database: Path, number: int) -> SparkBuilder:
    """A builder of a warehouse that shows a build, whose lines are in the part of the same number."""
    builder = SparkBuilder(replace(resolve(database=database), engine="spark"))
    for made in range(1, number + 1):
        (builder.folder / "lines" / f"part-{made}").mkdir(parents=True, exist_ok=True)
        place = builder.folder / f"build-{made}"
        for table in ("marts.db/participants", "raw.db/parts"):
            (place / table).mkdir(parents=True, exist_ok=True)
            pq.write_table(pa.table({"part_id": [made]}), place / table / "rows.parquet")
    with connect(database) as connection:
        prepare_tables(connection)
        make_view_of_files(connection, "marts_participants", [place / "marts.db" / "participants"])
        connection.execute(f"delete from parquet.parts; insert into parquet.parts values ({number}, 1, 1, '')")
    return builder


def test_what_killed_runs_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    """A run can be killed at any moment: before its build has its name, before it is shown, before the link points to it."""
    builder = shown(tmp_path / "w.duckdb", 3)
    for left in ("new", "lines/new", "build-7", "lines/part-70"):
        (builder.folder / left).mkdir()
    (builder.folder / "tables").symlink_to("build-2")
    builder.clean_up()
    assert names(builder.folder) == {"build-2", "build-3", "lines", "tables", "warehouse"}
    assert names(builder.folder / "lines") == {"part-2", "part-3"}
    assert (builder.folder / "tables").readlink() == Path("build-3")
    builder.clean_up(keep_one_before=False)
    assert names(builder.folder) == {"build-3", "lines", "tables", "warehouse"}
    assert names(builder.folder / "lines") == {"part-3"}


def test_a_folder_is_of_one_warehouse(tmp_path: Path) -> None:
    """A variable that names it is easily set for two, and each would remove the tables of the other."""
    builder = shown(tmp_path / "w.duckdb", 1)
    builder.clean_up()
    other = replace(resolve(database=tmp_path / "other.duckdb"), engine="spark", spark_folder=builder.folder)
    with pytest.raises(UsageError, match=r"has the tables of .*w\.duckdb"):
        SparkBuilder(other)
    with pytest.raises(UsageError, match="its tables are in"):
        SparkBuilder(replace(builder.settings, spark_folder=tmp_path))
    builder.settings.database.rename(tmp_path / "other.duckdb")
    assert SparkBuilder(other).folder == builder.folder


def names(folder: Path) -> set[str]:
    """What is in a folder."""
    return {path.name for path in folder.iterdir()}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a status, a seed and models of its own, of each kind, and one with a contract."""
    made = tmp_path_factory.mktemp(
        "a workspace"
    )  # dbt-duckdb reads no seeds from a folder with an apostrophe in its name / "team"
    create(made)
    statuses = made / "data" / "reference" / "participant_statuses.csv"
    row = f"{OWN_STATUS},26,Phone Screen Done,Screening,Screening,screener_completed,,revokes,,false,false,false,false,,false,false,move_by_hand,decided"
    text = statuses.read_text(encoding="utf-8").replace(",Interview Completed,", ',"It\'s done",')
    statuses.write_text(f"{text}{row}\n", encoding="utf-8")
    of_people = "from {{ ref('participants') }} group by person_id"
    files = {
        "seeds/labels.csv": 'label,note,since\nit\'s,,2026-01-01\n"back\\slash, ""q""",7.6,\nNone,x,2026-07-31\n',
        "models/labelled.sql": "{{ config(materialized='view') }} select label, note, since from {{ ref('labels') }}",
        "models/counted.sql": "{{ config(materialized='incremental', unique_key='person_id') }}"
        f"select person_id, count(*) as n {of_people}",
        "models/agreed.sql": f"select person_id, max(last_changed_at) as latest {of_people}",
        "models/agreed.yml": "models: [{name: agreed, description: It's agreed., config: {contract: {enforced: true}}, columns: ["
        "{name: person_id, data_type: varchar}, {name: latest, data_type: timestamptz, description: The last.}]}]",
        "data/reference/people.csv": f"person_id,person_name\n{PERSON},Ada Leaving\nanother,Bo\n",
    }
    for name, content in files.items():
        (made / name).parent.mkdir(exist_ok=True)
        (made / name).write_text(content, encoding="utf-8")
    for file in SAMPLE.glob("*.jsonl"):
        shutil.copy(file, made / "data" / "raw")
    (made / "data" / "raw" / "mine.jsonl").write_bytes(b"\n".join(lines()) + b"\n")
    return made


def command(workspace: Path, made: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A command in the workspace, which ends well."""
    places = ("--database", str(made / "w.duckdb"), "--exports", str(made / "exports"))
    done = studyflow(
        *(*words, *places),
        STUDYFLOW_PROJECT=str(workspace),
        STUDYFLOW_AS_OF=sample_as_of().isoformat(),
        STUDYFLOW_REPORTS=str(made / "reports"),
        STUDYFLOW_SPARK_JAVA_OPTIONS="-XX:TieredStopAtLevel=1",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def holding_them(folder: Path) -> list[str]:
    """The files that hold the person, by another way than `forget` looks for them."""
    found = []
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            content = path.read_bytes()
            if path.suffix == ".parquet":
                content += str(duckdb.read_parquet(str(path)).fetchall()).encode()
            if PERSON.encode() in content or b"Ada Leaving" in content:
                found.append(str(path.relative_to(folder)))
    return found


@needs_spark
@pytest.mark.slow(reason="two builds on Spark")
def test_a_workspace_on_spark_is_one_on_duckdb(workspace: Path, product: Product) -> None:
    """From lines to exports; then without a person, whom killed runs left in folders that no warehouse shows."""
    ours, theirs = workspace.parent / "duckdb", workspace.parent / "spark"
    tables = [*tables_of(product), *(f"custom.{name}" for name in ("labels", "labelled", "counted", "agreed"))]
    for engine, made in (("duckdb", ours), ("spark", theirs)):
        command(workspace, made, "run", "--engine", engine)
    assert_same(ours, theirs, tables)
    with connect(theirs / "w.duckdb", read_only=True) as connection:
        query = "select count(*) from staging.stg_deliveries where status = $1"
        assert connection.execute(query, [OWN_STATUS]).fetchall() == [(1,)]

    folder, kept = theirs / "w.duckdb.spark", theirs / "kept"
    assert holding_them(folder)
    shutil.copytree(folder, kept, symlinks=True)
    for place, name in (
        ("build-1", "build-9"),
        ("build-1", "new"),
        ("lines/part-1", "lines/part-99"),
        ("lines", "lines/new"),
    ):
        shutil.copytree(kept / place, folder / name)
    proofs = {}
    for engine, made in (("duckdb", ours), ("spark", theirs)):
        command(workspace, made, "forget", "--person", PERSON, "--yes", "--proof", str(made / "proof.json"))
        proofs[engine] = json.loads((made / "proof.json").read_text(encoding="utf-8"))
    assert_same(ours, theirs, tables)
    assert holding_them(folder) == holding_them(theirs / "exports") == []
    assert all(path.startswith("kept/") for path in holding_them(theirs))
    assert proofs["spark"]["lines_removed"] == proofs["duckdb"]["lines_removed"] == 3
    for table, counts in proofs["duckdb"]["tables"].items():
        if not table.startswith("state."):
            assert proofs["spark"]["tables"][table] == counts, table

    for path in kept.rglob("*"):  # as if it had been killed before the build of before was removed
        restored = folder / path.relative_to(kept)
        if path.is_file() and not path.is_symlink() and not restored.exists():
            restored.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, restored)
    assert holding_them(folder)
    said = command(workspace, theirs, "forget", "--person", PERSON, "--yes").stdout
    assert "Nothing of this person" in said
    assert holding_them(folder) == []
    assert_same(ours, theirs, tables)
