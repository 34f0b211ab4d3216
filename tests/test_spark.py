"""Spark makes the same tables and exports as DuckDB, of the same lines: all rows, also of data that nobody would want.

A run on Spark takes minutes, so there is one among the ordinary tests. They are skipped where the extra `studyflow[spark]`
or Java is missing.
"""

import glob
import json
import os
import re
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import duckdb
import pytest
from processes import studyflow
from product import Product
from spark_lines import ADDRESSES, hostile_lines

from pipelines.load.loader import load
from pipelines.settings import PROJECT, SAMPLE, sample_as_of
from pipelines.spark.raw import write_raw
from pipelines.spark.session import missing
from pipelines.warehouse import connect

CROSS_DB = PROJECT / "macros" / "cross_db"
IS_KEY = re.compile(r"(participant|person|study)_key")
LORD_HOWE, NEW_YORK = "Australia/Lord_Howe", "America/New_York"

needs_spark = pytest.mark.skipif(bool(missing()), reason=f"needs {' and '.join(missing())}")


def test_every_dispatched_macro_has_a_form_for_both_engines() -> None:
    """One that is missing fails only when a model comes to it, and `default__` would be taken for both without a word."""
    texts = [path.read_text(encoding="utf-8") for path in (PROJECT / "macros").rglob("*.sql")]
    dispatched = {name for text in texts for name in re.findall(r"adapter\.dispatch\('(\w+)'\)", text)}
    defined = {name for text in texts for name in re.findall(r"{%-? macro (\w+)\(", text)}
    assert dispatched
    assert {f"{engine}__{name}" for name in dispatched for engine in ("duckdb", "spark")} - defined == set()
    assert {name for name in defined if name.startswith("default__")} == set()


def test_no_model_and_no_hook_asks_which_engine_it_is_on() -> None:
    """What differs stands in a macro of its own, where both forms can be read side by side."""
    asking = re.compile(r"\btarget\.(type|name)\b|adapter\.type\(")
    files = [PROJECT / "dbt_project.yml", *(PROJECT / "models").rglob("*.*"), *(PROJECT / "macros").rglob("*.sql")]
    assert [str(path) for path in files if asking.search(path.read_text(encoding="utf-8"))] == []


def test_what_spark_reads_is_what_duckdb_has(tmp_path: Path) -> None:
    """Every raw row and every cell that was checked, whole numbers of 128 bits too; nothing of people who were forgotten."""
    folder, database = tmp_path / "it's [here]*", tmp_path / "warehouse.duckdb"
    studies, people = tmp_path / "studies.csv", tmp_path / "people.csv"
    studies.write_text('study_id,study_name,incentive_cents\ns,"it\'s ""7.6"", 2026",0750\n', encoding="utf-8")
    people.write_text("person_id,person_name\nhere,None\ngone,Gone\n", encoding="utf-8")
    with connect(database) as connection:
        load(connection, [SAMPLE])
        connection.execute("update raw.files set inode = 18446744073709551615")
        connection.execute("insert into raw.forgotten select 'salt', 'hash', 'person', sha256('saltgone'), now()")
        for _ in range(2):  # the second takes the place of the first
            write_raw(connection, folder, studies, people)
        for table, copy in (
            ("files", "files"),
            ("deliveries", "delivered"),
            ("loads", "loads"),
            ("forgotten", "forgotten"),
        ):
            columns = "* exclude (part_id)" if copy == "delivered" else "*"
            copied = f"(select {columns} from '{_files(folder, 'raw', copy)}')"
            for one, other in ((f"raw.{table}", copied), (copied, f"raw.{table}")):
                assert connection.execute(f"from {one} except all from {other}").fetchall() == [], table
        cells = connection.execute(
            f"select file_name, cells from '{_files(folder, 'raw', 'file_rows')}' where file_name in ('studies', 'people')"
        ).fetchall()
    assert cells == [
        ("studies", {"study_id": "s", "study_name": 'it\'s "7.6", 2026', "incentive_cents": "750"}),
        ("people", {"person_id": "here", "person_name": "None"}),
    ]


def _files(folder: Path, schema: str, table: str) -> str:
    """The files of a table of Spark, as DuckDB names them between quotes."""
    return f"{glob.escape(str(folder))}/{schema}.db/{table}/*.parquet".replace("'", "''")


def test_the_command_says_what_is_missing(tmp_path: Path) -> None:
    """It is the first thing that somebody types, maybe before anything was loaded."""
    outcome = subprocess.run(
        [sys.executable, "-m", "pipelines.spark", "--folder", str(tmp_path / "spark")],
        env=os.environ | {"STUDYFLOW_DATABASE": str(tmp_path / "w.duckdb")},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 1
    assert "there is no warehouse here yet" in outcome.stderr
    assert not (tmp_path / "spark").exists()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Webhook files and reference files, and all that is made of them."""
    made = tmp_path_factory.mktemp("it's on spark")
    lines = b"\n".join(one for one in hostile_lines() if b"\n" not in one)
    (made / "hostile.jsonl").write_bytes(lines + b"\n")
    header, *rows = (SAMPLE / "studies.csv").read_text(encoding="utf-8").splitlines()
    assert header.endswith("participation_limit,closed_on")
    rows += ['study 1,"it\'s 7.6, or ""2026"""', "study 2,2026", "study 3,7.6"]
    rows += [f"{study},,survey,,,,,,60,2026-08-20" for study in ("filling", "slow")]
    (made / "studies.csv").write_text("\n".join([f"{header},target,target_on", *rows, ""]), encoding="utf-8")
    people = ['person 1,"O\'Hara, \\n",Do Not Contact', "person 2,None", "gone,7.6"]
    people += [f"filling {number},,,{address}" for number, address in enumerate(ADDRESSES)]
    (made / "people.csv").write_text(
        "\n".join(["person_id,person_name,contact_status,email", *people, ""]), encoding="utf-8"
    )
    return made


def project(folder: Path, timezone: str) -> Path:
    """The project with another time zone for days, and forecasts as of two moments."""
    made = folder / timezone.replace("/", " ")
    if not made.exists():
        made.mkdir()
        for path in PROJECT.iterdir():
            if path.name in {"models", "macros", "tests", "data", "profiles.yml"}:
                (made / path.name).symlink_to(path)
        said = (PROJECT / "dbt_project.yml").read_text(encoding="utf-8")
        changed = said.replace("report_timezone: UTC", f"report_timezone: {timezone}")
        changed = changed.replace("backtest_weeks: 0", "backtest_weeks: 1")
        assert len(changed) > len(said)
        (made / "dbt_project.yml").write_text(changed, encoding="utf-8")
    return made


def _environment(folder: Path, timezone: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("STUDYFLOW_", "DBT_", "SPARK_"))}
    return kept | {
        "STUDYFLOW_PROJECT": str(project(folder, timezone)),
        "STUDYFLOW_AS_OF": sample_as_of().isoformat(),
        "STUDYFLOW_SPARK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1",
        "STUDYFLOW_STUDIES_FILE": str(folder / "studies.csv"),
        "STUDYFLOW_PEOPLE_FILE": str(folder / "people.csv"),
    }


def _run(folder: Path, timezone: str, engine: str, made: Path, **environment: str) -> dict[str, Any]:
    """Run everything into `made`, from lines to exports; what is said of it."""
    outcome = subprocess.run(
        [
            *(sys.executable, "-m", "pipelines", "run", "--json", "--engine", engine),
            *("--raw", str(project(folder, timezone) / "data" / "sample"), "--raw", str(folder / "hostile.jsonl")),
            *("--database", str(made / "w.duckdb"), "--exports", str(made / "exports")),
        ],
        env=_environment(folder, timezone) | environment,
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode in {0, 3}, outcome.stdout + outcome.stderr  # 3: clocks that were never set fail checks
    said: dict[str, Any] = json.loads(outcome.stdout)
    return said


def tables_of(product: Product) -> list[str]:
    """All tables that studyflow makes, and the lines that they are made of."""
    return [
        "raw.deliveries",
        *(f"{node['schema']}.{node['name']}" for node in [*product.seeds, *product.models.values()]),
    ]


def differences(ours: Path, theirs: Path, tables: Sequence[str]) -> dict[str, object]:
    """What differs between tables of two warehouses, both ways, as often as each row is there.

    Keys are each engine's own, and left out, as is the time of the load.
    """
    found: dict[str, object] = {}
    with connect(ours, read_only=True) as connection:
        path = str(theirs).replace("'", "''")
        connection.execute(f"attach '{path}' as other (read_only)")
        for table in tables:
            types = _columns(connection, table)
            if types != (others := _columns(connection, f"other.{table}")):
                found[table] = (types, others)
                continue
            columns = ", ".join(f'"{name}"' for name in types)
            one, two = (f"select {columns} from {relation}" for relation in (table, f"other.{table}"))
            for side, query in (("first", f"{one} except all {two}"), ("second", f"{two} except all {one}")):
                if rows := connection.execute(query).fetchmany(3):
                    found[f"{table}, only in the {side}"] = rows
    return found


def _columns(connection: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    """The type of each column to compare."""
    described = connection.execute(f"describe {relation}").fetchall()
    return {name: kind for name, kind, *_ in described if not IS_KEY.search(name) and name != "loaded_at"}


def assert_same(ours: Path, theirs: Path, tables: Sequence[str]) -> None:
    """All of these tables, and all files that people receive."""
    assert differences(ours / "w.duckdb", theirs / "w.duckdb", tables) == {}
    exports = [sorted(file.name for file in (made / "exports").glob("*.csv")) for made in (ours, theirs)]
    assert exports[0] == exports[1] != []
    for name in exports[0]:
        assert (ours / "exports" / name).read_bytes() == (theirs / "exports" / name).read_bytes(), name


@needs_spark
def test_a_run_on_spark_is_a_run_on_duckdb(folder: Path, product: Product) -> None:
    """From lines to CSV, with all checks, in a local session; then again, which finds nothing new."""
    ours, theirs = folder / "duckdb", folder / "spark"
    unseen = [theirs / "w.duckdb.spark" / name for name in ("build-7", "lines/part-70")]
    unseen[0].mkdir(parents=True)  # of a run that was killed before the warehouse showed it
    said = [_run(folder, LORD_HOWE, engine, made) for engine, made in (("duckdb", ours), ("spark", theirs))]
    assert_same(ours, theirs, tables_of(product))
    for name in ("accounting", "participants_by_stage", "gaps", "trust", "loaded"):
        assert said[0][name] == said[1][name], name
    findings = [[(one["table"], one["rule"], one["count"]) for one in run["checks"]["failures"]] for run in said]
    assert findings[0] == findings[1]
    link = theirs / "w.duckdb.spark" / "tables"
    link.unlink()
    link.symlink_to("build-7")  # a later one was killed before it pointed here
    for place in unseen:
        assert not place.exists()
        place.mkdir()
    assert _run(folder, LORD_HOWE, "spark", theirs)["built"] == "nothing"
    assert link.readlink() == Path("build-1")
    assert not any(place.exists() for place in unseen)
    elsewhere = studyflow("run", "--engine", "spark", "--spark-folder", folder / "x", "--database", theirs / "w.duckdb")
    assert (elsewhere.returncode, "its tables are in" in elsewhere.stderr) == (2, True)
    beside = studyflow("run", "--engine", "spark", "--spark-folder", link.parent, "--database", theirs / "other.duckdb")
    assert (beside.returncode, "has the tables of" in beside.stderr) == (2, True)
    for command in (["load", str(SAMPLE)], ["build"]):
        outcome = studyflow(*command, STUDYFLOW_DATABASE=str(theirs / "w.duckdb"))
        assert (outcome.returncode, "Spark made this warehouse" in outcome.stderr) == (2, True), command
    file = str(theirs / "w.duckdb.spark" / "x.csv").replace("'", "''")
    question = f"with x as (copy (select 1) to '{file}') from x"
    outcome = studyflow("sql", question, STUDYFLOW_DATABASE=str(theirs / "w.duckdb"))
    assert (outcome.returncode, "no other file" in outcome.stderr) == (1, True)


@needs_spark
@pytest.mark.soak(reason="all data tests and unit tests take minutes on Spark: make test-spark")
def test_dbt_alone_builds_and_tests_on_spark(folder: Path) -> None:
    """Of what `python -m pipelines.spark` copies: all data tests and unit tests pass, or dbt would fail."""
    made = folder / "dbt alone"
    made.mkdir()
    with connect(made / "w.duckdb") as connection:
        load(connection, [SAMPLE, folder / "hostile.jsonl"])
        write_raw(connection, made / "spark", folder / "studies.csv", folder / "people.csv")
    outcome = subprocess.run(
        [
            *(sys.executable, "-c", "from dbt.cli.main import cli; cli()", "--quiet", "build", "--target", "spark"),
            *("--target-path", str(made / "target"), "--log-path", str(made / "logs")),
        ],
        env=_environment(folder, LORD_HOWE)
        | {"STUDYFLOW_SPARK_FOLDER": str(made / "spark"), "SPARK_LOCAL_IP": "127.0.0.1"},
        cwd=project(folder, LORD_HOWE),
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


@contextmanager
def cluster(folder: Path) -> Iterator[dict[str, str]]:
    """A master and two workers on this machine, and the environment of a driver that uses them and logs what they do."""
    import pyspark  # noqa: PLC0415 - it may be missing

    spark_class = str(Path(pyspark.__file__).parent / "bin" / "spark-class")
    (folder / "conf").mkdir()
    (folder / "events").mkdir()
    (folder / "conf" / "spark-defaults.conf").write_text(
        f"spark.eventLog.enabled true\nspark.eventLog.dir {(folder / 'events').as_uri()}\n"
        "spark.eventLog.compress false\nspark.executor.memory 1g\nspark.cores.max 2\nspark.executor.cores 1\n",
        encoding="utf-8",
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    address = f"spark://127.0.0.1:{port}"
    environment = os.environ | {"SPARK_LOCAL_IP": "127.0.0.1", "SPARK_DAEMON_MEMORY": "256m"}
    worker = ("worker.Worker", address, "--cores", "1", "--memory", "1200M")
    servers = [
        (("master.Master", "--port", port), "I have been elected leader"),
        *(((*worker, "--work-dir", str(folder / name)), "Successfully registered with master") for name in ("a", "b")),
    ]
    with ExitStack() as started:
        for (name, *options), ready in servers:
            command = [spark_class, f"org.apache.spark.deploy.{name}", "--host", "127.0.0.1", "--webui-port", "0"]
            server = started.enter_context(
                subprocess.Popen(
                    [*command, *options], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
                )
            )
            started.callback(server.terminate)
            said = server.stdout or ()
            assert any(ready in line for line in said), f"{name} ended before it was ready"
            reader = Thread(target=deque, args=(said, 0))  # else it would wait for its output to be read
            reader.start()
            started.callback(reader.join)
            started.callback(server.terminate)
        yield {"STUDYFLOW_SPARK_MASTER": address, "SPARK_CONF_DIR": str(folder / "conf"), "SPARK_LOCAL_IP": "127.0.0.1"}


@needs_spark
@pytest.mark.soak(reason="a cluster of three Java processes takes minutes and memory: make test-spark")
def test_a_run_on_two_workers_is_a_run_on_duckdb(tmp_path: Path, folder: Path, product: Product) -> None:
    """A cluster hands rows from one process to another, in any order; the log of events shows that both had some."""
    _run(folder, NEW_YORK, "duckdb", tmp_path / "duckdb")
    with cluster(tmp_path) as environment:
        _run(folder, NEW_YORK, "spark", tmp_path / "spark", **environment)
    assert_same(tmp_path / "duckdb", tmp_path / "spark", tables_of(product))
    events = [
        json.loads(line)
        for file in (tmp_path / "events").rglob("*")
        if file.is_file() and not file.name.startswith((".", "appstatus"))
        for line in file.read_text(encoding="utf-8").splitlines()
    ]
    ended = [event for event in events if event["Event"] == "SparkListenerTaskEnd"]
    busy = {event["Task Info"]["Executor ID"] for event in ended}
    for worker in ("a", "b"):
        executors = {path.name for path in (tmp_path / worker).glob("app-*/*")}
        assert busy & executors, f"worker {worker} had no task"
