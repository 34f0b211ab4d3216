"""`studyflow sql`, the notebook and every other question read the warehouse, and whatever the query, nothing else."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from pipelines.ask.warehouse import explained_errors, reading, run_sql
from pipelines.errors import StudyflowError
from pipelines.warehouse import connect

PRIVATE = "nobody may read this"

# {f} is the folder of the warehouse, which is also the current one. Nothing in it may be read, made or changed.
WRITES = """
copy (select 1) to '{f}/x.csv'
copy (select 1) to 'x.csv'
copy (select 1) to '{f}/w.duckdb'
copy (select 1) to '{f}/w.duckdb' (use_tmp_file false)
copy (select 1) to '{f}/w.duckdb.wal'
copy (select 1) to '{f}/w.duckdb.wal' (use_tmp_file false)
copy (select 1) to '{f}/w.duckdb.tmp/x.csv'
copy (select 1) to 'w.duckdb.tmp/x.csv'
create temp table t as select range as n from range(100000); copy t to '{f}/w.duckdb.tmp/x.csv'
copy (select 1) to '{f}/temporary/x.csv'
copy (select 1) to '{f}/temporary/duckdb_temp_storage-0.tmp' (use_tmp_file false)
copy (select 1) to '{f}/link/x.csv'
copy (select 1) to 'file://{f}/x.csv'
copy (select 1) to '/dev/stdout'
copy (select 1) to '{f}/x.parquet' (format parquet)
copy (select 1) to '{f}/x.json' (format json)
copy (select 1 as a) to '{f}/parts' (format csv, partition_by (a))
copy (select 1) to 'https://127.0.0.1/x.csv'
copy (select 1) to 's3://bucket/x.csv'
select 1; copy (select 1) to '{f}/x.csv'
explain analyze copy (select 1) to '{f}/x.csv'
prepare p as copy (select 1) to '{f}/x.csv'; execute p
create temp table t as select 1; export database '{f}/all'
export database '{f}/all' (format parquet)
import database '{f}/all'
attach '{f}/x.duckdb'
attach '{f}/x.duckdb' as x; create table x.t as select 1
attach '{f}/w.duckdb' as again
attach '{f}/w.duckdb' as again (read_only)
attach 'https://127.0.0.1/x.duckdb'
attach '{f}/x.sqlite' (type sqlite)
attach 'host=127.0.0.1' (type postgres)
pragma import_database('{f}')
create persistent secret s (type http, bearer_token 'x')
create secret s (type s3, provider credential_chain)
call enable_profiling(save_location = '{f}/profile.json')
pragma enable_profiling = 'json'
call enable_logging(storage = 'file', storage_path = '{f}/log')
call enable_logging('QueryLog', storage = 'file', storage_config = {{'path': '{f}/log'}})
"""
READS = """
from read_text('{f}/secret.txt')
from read_text('secret.txt')
from read_text('{f}/link/secret.txt')
from read_text('file://{f}/secret.txt')
from read_text('{f}/temporary/secret.txt')
from read_text('{f}/w.duckdb.tmp/../secret.txt')
from read_blob('{f}/secret.txt')
from read_blob('{f}/w.duckdb')
from read_csv('{f}/secret.txt')
from read_csv_auto('{f}/secret.txt')
from sniff_csv('{f}/secret.txt')
from read_json('{f}/secret.txt')
from read_json_objects('{f}/secret.txt')
from read_ndjson('{f}/secret.txt')
from read_parquet('{f}/x.parquet')
from parquet_metadata('{f}/x.parquet')
from parquet_schema('{f}/x.parquet')
from parquet_kv_metadata('{f}/x.parquet')
from read_duckdb('{f}/other.duckdb')
from read_xlsx('{f}/x.xlsx')
from sqlite_scan('{f}/x.sqlite', 't')
from postgres_scan('host=127.0.0.1', 'public', 't')
from glob('{f}/*')
from glob('**')
from '{f}/secret.txt'
from 'data.csv'
from 'https://127.0.0.1/x.csv'
from read_csv('https://127.0.0.1/x.csv')
from read_csv('s3://bucket/x.csv')
create temp table t (line varchar); copy t from '{f}/secret.txt'; from t
create temp view v as from read_text('{f}/secret.txt'); from v
create temp macro m() as table select * from read_text('{f}/secret.txt'); from m()
prepare p as select * from read_text($1); execute p('{f}/secret.txt')
set variable file = '{f}/secret.txt'; from read_text(getvariable('file'))
from query('from read_text(''{f}/secret.txt'')')
from query_table('{f}/secret.txt')
with t as materialized (from read_text('{f}/secret.txt')) from t
select (select content from read_text('{f}/secret.txt'))
describe from read_csv('{f}/secret.txt')
summarize '{f}/secret.txt'
attach ':memory:' as m; create table m.t as from read_text('{f}/secret.txt'); from m.t
use memory; create table t as from read_text('{f}/secret.txt'); from t
from frame
select getenv('PRIVATE')
"""
SETTINGS = """
set temp_directory = '{f}'
set global temp_directory = '{f}'
reset temp_directory
pragma temp_directory = '{f}'
set enable_external_access = true
reset enable_external_access
set disabled_filesystems = ''
reset disabled_filesystems
set lock_configuration = false
reset lock_configuration
set allowed_directories = ['{f}']
set allowed_paths = ['{f}/secret.txt']
set allowed_configs = ['temp_directory']
set home_directory = '{f}'
set secret_directory = '{f}'
set extension_directory = '{f}'
set file_search_path = '{f}'
set log_query_path = '{f}/log'
set profiling_output = '{f}/profile.json'
set memory_limit = '100GB'
set timezone = 'Asia/Tokyo'
install httpfs
force install httpfs from 'https://127.0.0.1'
install '{f}/x.duckdb_extension'
load httpfs
load '{f}/x.duckdb_extension'
update extensions
detach w
"""
CHANGES = """
create table marts.other as select 1
create schema other
create view marts.other as select 1
create macro marts.other() as 1
insert into marts.people values (2)
update marts.people set person = 2
delete from marts.people
truncate marts.people
drop table marts.people
drop schema marts cascade
alter table marts.people add column name varchar
comment on table marts.people is 'other'
create index other on marts.people (person)
begin; insert into marts.people values (2)
use memory; insert into w.marts.people values (2)
"""
# What DuckDB does without a word, to memory or to nothing.
HARMLESS = """
checkpoint
force checkpoint
vacuum
analyze
copy from database w to memory
use memory; detach w
create secret s (type http, bearer_token 'x')
create temp table t as from marts.people; drop table t
select write_log('x')
"""


def lines(text: str) -> list[str]:
    return text.strip().splitlines()


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse of one table, in a folder with a secret."""
    folder = tmp_path_factory.mktemp("sandbox")
    with connect(folder / "w.duckdb") as connection:
        connection.execute("create schema marts; create table marts.people as select 1 as person")
    (folder / "secret.txt").write_text(PRIVATE)
    (folder / "temporary").mkdir()
    (folder / "temporary" / "secret.txt").write_text(PRIVATE)
    (folder / "w.duckdb.tmp").mkdir()
    (folder / "link").symlink_to(folder)
    return folder / "w.duckdb"


@pytest.fixture(autouse=True)
def surroundings(database: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Everything that could be a way out is there; whatever the query, the folder is as it was."""
    monkeypatch.chdir(database.parent)
    monkeypatch.setenv("STUDYFLOW_TEMP_DIRECTORY", str(database.parent / "temporary"))
    monkeypatch.setenv("PRIVATE", PRIVATE)
    before = contents(database.parent)
    yield
    assert contents(database.parent) == before


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(Path(parent, name)): Path(parent, name).read_bytes()
        for parent, _, names in os.walk(folder)
        for name in names
    }


def rows(database: Path, query: str) -> list[tuple[object, ...]]:
    frame = pl.DataFrame({"secret": [PRIVATE]})  # DuckDB reads variables of Python, if it may
    assert frame.height
    with reading(database) as connection:
        return list(run_sql(connection, query.format(f=database.parent)).rows)


@pytest.mark.parametrize("query", lines(WRITES) + lines(READS) + lines(SETTINGS))
def test_nothing_outside_is_read_or_written(database: Path, query: str) -> None:
    with pytest.raises(StudyflowError) as refused:
        rows(database, query)
    assert PRIVATE not in str(refused.value)


@pytest.mark.parametrize("query", lines(CHANGES))
def test_the_warehouse_cannot_be_changed(database: Path, query: str) -> None:
    with pytest.raises(StudyflowError, match="Queries only read the warehouse; nothing was changed"):
        rows(database, query)


@pytest.mark.parametrize("query", lines(HARMLESS))
def test_what_is_not_refused_changes_nothing(database: Path, query: str) -> None:
    rows(database, query)


def test_the_notebook_is_as_confined(database: Path) -> None:
    """It has a way of its own to its rows."""
    with reading(database) as connection, pytest.raises(StudyflowError, match="no other file"), explained_errors():
        connection.sql(f"from read_text('{database.parent}/secret.txt')").pl()
    frame = pl.DataFrame({"secret": [PRIVATE]})
    with reading(database) as connection, pytest.raises(StudyflowError, match="does not exist"), explained_errors():
        connection.sql("from frame").pl()
    assert frame.height


def test_a_query_that_needs_more_memory_than_there_is_says_so(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has nowhere to go on: questions have no temporary directory."""
    monkeypatch.setenv("STUDYFLOW_MEMORY_LIMIT", "30MB")
    with pytest.raises(StudyflowError, match=r"needs more memory than the 30MB of STUDYFLOW_MEMORY_LIMIT"):
        rows(database, "select count(*) from (select n::varchar as n, list(n) from range(3000000) r(n) group by all)")


def test_several_questions_at_once_in_one_process(database: Path) -> None:
    """The app of the notebook answers more than one person."""
    with reading(database), reading(database) as second:
        assert second.execute("select current_setting('TimeZone'), person from marts.people").fetchall() == [("UTC", 1)]
    found = []
    threads = [threading.Thread(target=lambda: found.append(rows(database, "from marts.people"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [[(1,)]] * 8


@pytest.mark.parametrize(
    "name", ["raw", "MARTS.v2", "temp", "system", "main", "memory", "a;b", 'a"b', "a'b", "a#b", "a\nb"]
)
def test_a_name_that_duckdb_cannot_tell_from_a_schema_is_refused(tmp_path: Path, name: str) -> None:
    """It took a whole build to find that out."""
    for read_only in (True, False):
        with (
            pytest.raises(StudyflowError, match="Choose another"),
            connect(tmp_path / f"{name}.duckdb", read_only=read_only),
        ):
            pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["my team.v2.duckdb", ".hidden.duckdb", "a-b {{x}} 5%s ü $x", "2026.duckdb", "select.duckdb"]
)
def test_any_other_name_will_do(tmp_path: Path, name: str) -> None:
    """A view names its database, so a question must have it under the same name."""
    folder = tmp_path / 'it\'s "a"; folder'
    folder.mkdir()
    with connect(folder / name) as connection:
        connection.execute("create schema marts; create view marts.people as select 1 as person")
    assert rows(folder / name, "from marts.people") == [(1,)]
