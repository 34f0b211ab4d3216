"""Spark makes the same tables as DuckDB, of the same files: all of them, row by row, also of data that nobody would want.

One build by each engine, and one session of Spark for all tests here: starting it costs more than most tests. They are
skipped where the extra `studyflow[spark]` or Java is missing.
"""

import glob
import importlib.util
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import duckdb
import pytest
from awkward_lines import AWKWARD
from oracle.lines import Delivery
from product import Product
from strategies import START, valid_but
from test_hostile_ids import IDS
from test_ties import tied

from pipelines.load.loader import load
from pipelines.settings import PROJECT, SAMPLE, sample_as_of
from pipelines.spark.raw import write_raw
from pipelines.warehouse import connect

CROSS_DB = PROJECT / "macros" / "cross_db"
IS_KEY = re.compile(r"(participant|person|study)_key")
REPORT_TIMEZONE = "Australia/Lord_Howe"

missing = [
    said
    for said, is_there in (
        ("the extra studyflow[spark]", importlib.util.find_spec("pyspark") is not None),
        ("Java", bool(os.environ.get("JAVA_HOME") or shutil.which("java"))),
    )
    if not is_there
]
needs_spark = pytest.mark.skipif(bool(missing), reason=f"no {' and no '.join(missing)} here")


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
        for table in ("files", "deliveries", "loads", "forgotten"):
            copied = _files(folder, "raw", table)
            for one, other in ((f"raw.{table}", f"'{copied}'"), (f"'{copied}'", f"raw.{table}")):
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
        env=_environment(tmp_path) | {"STUDYFLOW_STUDIES_FILE": "", "STUDYFLOW_PEOPLE_FILE": ""},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 1
    assert "there is no warehouse here yet" in outcome.stderr
    assert not (tmp_path / "spark").exists()


def line(delivery: Delivery) -> bytes:
    """The webhook of a change."""
    return valid_but(
        participantId=delivery.participant_id,
        personId=delivery.person_id,
        studyId=delivery.study_id,
        status=delivery.status,
        priorStatus=delivery.prior_status,
        updatedAt=delivery.updated_at.isoformat(),
    )


def hostile_lines() -> Iterator[bytes]:
    """Lines at which engines differ, if they do: ties of any size, clocks never set, odd ids, people who disagree."""
    for sizes in ((60,), (1, 61, 1), (2, 70, 3), (12, 12), (3, 2, 3)):
        for second, size in enumerate(sizes):
            yield from map(line, tied(f"tied {sizes}", second, size))
    years = (
        "0001-01-01T00:00:00Z",
        "1582-10-10T12:00:00.000001Z",
        "1883-11-18T17:00:00Z",
        "9999-12-30T23:59:59.999999Z",
    )
    for number, year in enumerate(years):
        yield valid_but(participantId=f"of year {number}", personId="of all years", updatedAt=year)
        yield valid_but(
            participantId="of all years", status="SCREENER_STARTED", priorStatus="INVITE_SENT", updatedAt=year
        )
    for number, odd in enumerate(IDS):
        for status, prior in (("INVITE_SENT", None), ("INTERVIEW_COMPLETED", "INVITE_SENT"), ("NO SUCH", odd)):
            at = START + timedelta(days=number, hours=len(status))
            yield valid_but(
                participantId=odd, personId=odd, studyId=odd, status=status, priorStatus=prior, updatedAt=at.isoformat()
            )
    for number in range(40):
        at = START + timedelta(minutes=number)
        yield valid_but(
            participantId=f"conflicting {number % 4}",
            personId=f"person {number % 3}",
            studyId=f"study {number % 5}",
            updatedAt=at.isoformat(),
        )
    # clocks are put forward and back by half an hour in Lord Howe, by an hour in New York
    for number in range(400):
        at = datetime(2025, 10, 4, tzinfo=UTC) + timedelta(minutes=17 * number)
        yield valid_but(participantId=f"at night {number % 50}", status="INTERVIEW_SCHEDULED", updatedAt=at.isoformat())
    yield from AWKWARD


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Webhook files and reference files, and all that is made of them."""
    made = tmp_path_factory.mktemp("it's on spark")
    lines = b"\n".join(one for one in hostile_lines() if b"\n" not in one)
    (made / "hostile.jsonl").write_bytes(lines + b"\n")
    shutil.copy(SAMPLE / "studies.csv", made / "studies.csv")
    with (made / "studies.csv").open("a", encoding="utf-8") as file:
        file.write('study 1,"it\'s 7.6, or ""2026"""\nstudy 2,2026\nstudy 3,7.6\n')
    (made / "people.csv").write_text(
        'person_id,person_name,contact_status\nperson 1,"O\'Hara, \\n",Do Not Contact\nperson 2,None,\ngone,7.6,\n',
        encoding="utf-8",
    )
    return made


@pytest.fixture(scope="module")
def on_duckdb(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse, with its tables."""
    with connect(folder / "warehouse.duckdb") as connection:
        load(connection, [SAMPLE, folder / "hostile.jsonl"])
        connection.execute("insert into raw.forgotten select 'salt', 'hash', 'person', sha256('saltgone'), now()")
        write_raw(connection, folder / "spark", folder / "studies.csv", folder / "people.csv")
    _dbt(folder, "build", "--exclude-resource-type", "unit_test", "test")
    with connect(folder / "warehouse.duckdb") as connection:
        yield connection


def _environment(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("STUDYFLOW_", "DBT_", "SPARK_"))}
    return kept | {
        "STUDYFLOW_AS_OF": sample_as_of().isoformat(),
        "STUDYFLOW_DATABASE": str(folder / "warehouse.duckdb"),
        "STUDYFLOW_SPARK_FOLDER": str(folder / "spark"),
        "STUDYFLOW_SPARK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1",
        "STUDYFLOW_STUDIES_FILE": str(folder / "studies.csv"),
        "STUDYFLOW_PEOPLE_FILE": str(folder / "people.csv"),
    }


def _dbt(folder: Path, *arguments: str, **environment: str) -> None:
    outcome = subprocess.run(
        [
            *(sys.executable, "-c", "from dbt.cli.main import cli; cli()", "--quiet", *arguments),
            *("--vars", json.dumps({"report_timezone": REPORT_TIMEZONE})),
            *("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)),
            *("--target-path", str(folder / "target"), "--log-path", str(folder / "logs")),
        ],
        env=_environment(folder) | environment,
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def differences(spark: Path, on_duckdb: duckdb.DuckDBPyConnection, product: Product) -> dict[str, object]:
    """What differs between the tables in a folder of Spark and those of DuckDB, both ways, as often as each row is there.

    Keys are each engine's own, and left out.
    """
    found: dict[str, object] = {}
    for node in [*product.seeds, *product.models.values()]:
        if node["config"]["materialized"] == "view":
            continue
        table, files = f"{node['schema']}.{node['name']}", _files(spark, node["schema"], node["name"])
        ours, theirs = (_columns(on_duckdb, relation) for relation in (table, f"'{files}'"))
        if ours != theirs:
            found[table] = (ours, theirs)
            continue
        queries = [f"select {', '.join(ours)} from {relation}" for relation in (table, f"'{files}'")]
        for engine, (one, other) in zip(("duckdb", "spark"), (queries, queries[::-1]), strict=True):
            if rows := on_duckdb.execute(f"{one} except all {other}").fetchmany(3):
                found[f"{table}, only on {engine}"] = rows
    return found


def _columns(connection: duckdb.DuckDBPyConnection, relation: str) -> list[str]:
    described = connection.execute(f"describe select * from {relation}").fetchall()
    return [f'"{name}"' for name, *_ in described if not IS_KEY.search(name)]


@needs_spark
def test_every_table_is_the_same(folder: Path, on_duckdb: duckdb.DuckDBPyConnection, product: Product) -> None:
    """In a local session. All data tests and unit tests pass on the way, or dbt would fail."""
    _dbt(folder, "build", "--target", "spark")
    assert differences(folder / "spark", on_duckdb, product) == {}


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
    environment = _environment(folder) | {"SPARK_LOCAL_IP": "127.0.0.1", "SPARK_DAEMON_MEMORY": "256m"}
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
@pytest.mark.slow
def test_two_workers_make_the_same_tables(
    tmp_path: Path, folder: Path, on_duckdb: duckdb.DuckDBPyConnection, product: Product
) -> None:
    """A cluster hands rows from one process to another, in any order; the log of events shows that both had some."""
    shutil.copytree(folder / "spark" / "raw.db", tmp_path / "spark" / "raw.db")
    with cluster(tmp_path) as environment:
        environment["STUDYFLOW_SPARK_FOLDER"] = str(tmp_path / "spark")
        _dbt(folder, "build", "--target", "spark", "--exclude-resource-type", "unit_test", "test", **environment)
    assert differences(tmp_path / "spark", on_duckdb, product) == {}
    events = [
        json.loads(line)
        for file in (tmp_path / "events").rglob("events_*")
        for line in file.read_text(encoding="utf-8").splitlines()
    ]
    busy = {event["Task Info"]["Executor ID"] for event in events if event["Event"] == "SparkListenerTaskEnd"}
    for worker in ("a", "b"):
        executors = {path.name for path in (tmp_path / worker).glob("app-*/*")}
        assert busy & executors, f"worker {worker} had no task"
