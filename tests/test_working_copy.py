"""Whoever reads a warehouse sees the last run that ended, whatever happens to the one that is going on."""

import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.synchronize import Event, Semaphore
from pathlib import Path

import pytest
from processes import PROCESSES
from working_copy_process import (
    REFUSED,
    hold,
    keep_open,
    numbers,
    put,
    put_in_room,
    put_until,
    settings_of,
    write_directly,
)

from pipelines.errors import StudyflowError
from pipelines.warehouse import connect, wal_of
from pipelines.working_copy import reserved, working_copy

Work = Callable[[Path, Event, Semaphore], None]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A warehouse that has the number 1."""
    put(tmp_path / "w.duckdb", 1)
    return tmp_path / "w.duckdb"


@contextmanager
def somebody(work: Work, database: Path) -> Iterator[tuple[int, Semaphore]]:
    """Another process that is at work; its id, and what lets it go on."""
    # not two events: setting one waits for whoever waits for it, killed or not
    has_it, may_go = PROCESSES.Event(), PROCESSES.Semaphore(0)
    process = PROCESSES.Process(target=work, args=(database, has_it, may_go))
    process.start()
    assert process.pid is not None
    assert has_it.wait(60)
    try:
        yield process.pid, may_go
    finally:
        may_go.release()
        process.join()
    assert process.exitcode in {0, -signal.SIGKILL}, "it found what it expected"


def is_alone_in_its_folder(database: Path) -> bool:
    """Nothing is left over of what made it."""
    return [path.name for path in database.parent.iterdir()] == [database.name]


def hidden(database: Path) -> Path:
    """Where work is done."""
    return database.with_name(f".{database.name}.studyflow")


def test_killed_at_any_touch_it_is_as_before_or_as_after(tmp_path: Path) -> None:
    """And the next one, which is not told of it, finds nothing in its way and leaves nothing behind."""
    database, at, put_by_now = tmp_path / "w.duckdb", 0, [0]
    put(database, 0)
    while put_until(database, at + 1, at):
        found = numbers(database)
        assert found in (put_by_now, [*put_by_now, at + 1])
        put_by_now, at = found, at + 1
    assert at > 20, "it was killed at all its steps"
    assert len(put_by_now) > 1, "some came after it was in place"
    assert numbers(database)[-1] == at + 1
    assert is_alone_in_its_folder(database)


def test_a_first_run_that_is_killed_leaves_no_warehouse(tmp_path: Path) -> None:
    """Half a warehouse under the right name would be taken for one."""
    assert put_until(tmp_path / "w.duckdb", 1, 5)
    assert not (tmp_path / "w.duckdb").exists()
    put(tmp_path / "w.duckdb", 2)
    assert numbers(tmp_path / "w.duckdb") == [2]


@pytest.mark.parametrize("ending", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_what_fails_changes_nothing(database: Path, ending: type[BaseException]) -> None:
    before = database.read_bytes()
    with pytest.raises(ending):
        _fail(database, ending)
    assert database.read_bytes() == before
    assert is_alone_in_its_folder(database)


def test_readers_keep_what_they_opened_and_are_in_nobodys_way(database: Path) -> None:
    """A notebook that stays open all day neither stops the scheduled run nor sees half of it."""
    with somebody(keep_open, database) as (_, may_close):
        with somebody(hold, database) as (_, may_go):
            assert numbers(database) == [1], "who opens it during a run sees the run before"
            may_go.release()
        assert numbers(database) == [1, 100]
        may_close.release()


def test_a_second_one_that_does_not_wait_is_told_who_is_at_work(database: Path) -> None:
    with (
        somebody(hold, database) as (process, _),
        pytest.raises(StudyflowError, match=f"w.duckdb: another studyflow \\(process {process}\\) is running"),
    ):
        put(database, 2)
    assert numbers(database) == [1, 100]
    assert is_alone_in_its_folder(database)


def test_a_second_one_waits_and_goes_on_from_the_first(database: Path) -> None:
    said = []
    with somebody(hold, database) as (process, may_go):

        def tell(sentence: str) -> None:
            said.append(sentence)
            threading.Timer(0.3, may_go.release).start()

        with working_copy(settings_of(database, wait_seconds=60), tell) as copy, connect(copy.database) as connection:
            connection.execute("insert into numbers values (2)")
    assert numbers(database) == [1, 2, 100]
    [sentence] = said
    assert f"process {process} is running on this warehouse" in sentence


def test_one_that_was_killed_keeps_nobody_waiting(database: Path) -> None:
    with somebody(hold, database) as (process, _):
        os.kill(process, signal.SIGKILL)
        put(database, 2, wait_seconds=60)
    assert numbers(database) == [1, 2]
    assert is_alone_in_its_folder(database)


def test_dbt_at_work_on_the_file_itself_is_not_copied_halfway(database: Path) -> None:
    """It knows nothing of studyflow's lock, but DuckDB's own tells."""
    with (
        somebody(write_directly, database),
        pytest.raises(StudyflowError, match=r"python.* \(process \d+\) has the warehouse"),
    ):
        put(database, 2)


def test_what_dbt_had_committed_when_it_was_killed_is_kept(database: Path) -> None:
    """DuckDB leaves it in a second file, which a copy of the first would lose."""
    with somebody(write_directly, database):
        pass
    assert wal_of(database).exists()
    put(database, 2)
    assert numbers(database) == [1, 2, 200]
    assert is_alone_in_its_folder(database)


def test_what_dbt_wrote_during_a_run_is_not_overwritten(database: Path) -> None:
    with pytest.raises(StudyflowError, match="another program, perhaps dbt, wrote to it"):
        _write_beside(database)
    assert numbers(database) == [1, 200]


def test_what_dbt_had_committed_when_it_was_killed_during_a_run_is_kept(database: Path) -> None:
    """It is in a second file only: a new warehouse in front of that could not be opened any more."""
    with (
        pytest.raises(StudyflowError, match="another program, perhaps dbt, wrote to it"),
        working_copy(settings_of(database)),
        somebody(write_directly, database),
    ):
        pass
    put(database, 2)
    assert numbers(database) == [1, 2, 200]


def test_the_second_file_of_a_warehouse_that_is_gone_is_not_given_to_a_new_one(database: Path) -> None:
    with somebody(write_directly, database):
        pass
    database.unlink()
    with pytest.raises(StudyflowError, match=r"w.duckdb.wal: this belongs to a warehouse that no longer exists"):
        put(database, 2)


def test_a_copy_that_somebody_clears_away_leaves_the_warehouse(database: Path) -> None:
    """An empty one, made where it was, must not take its place."""
    with pytest.raises(StudyflowError, match="was removed during the run"), working_copy(settings_of(database)):
        shutil.rmtree(hidden(database))
    assert numbers(database) == [1]
    assert is_alone_in_its_folder(database)


@pytest.mark.parametrize("name", ["", "work", "lock"])
def test_what_is_behind_a_link_is_not_touched(database: Path, tmp_path: Path, name: str) -> None:
    """Whoever may write beside the warehouse could else have anything removed that studyflow may remove."""
    precious = tmp_path / "precious"
    (precious / "work").mkdir(parents=True)
    for file in (precious / "lock", precious / "work" / "thesis"):
        file.write_text("mine")
    before = sorted(precious.rglob("*"))
    link = hidden(database) / name
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(precious / "lock" if name == "lock" else precious)
    with suppress(StudyflowError):
        put(database, 2)
    assert sorted(precious.rglob("*")) == before
    assert (precious / "lock").read_text() == "mine"


def test_who_reserves_it_has_it_to_the_end_and_clears_what_was_left(database: Path) -> None:
    """A run that finds nothing new copies nothing, but the one before may have been killed."""
    (hidden(database) / "work" / "1").mkdir(parents=True)
    with reserved(settings_of(database)):
        assert not (hidden(database) / "work").exists()
        with pytest.raises(StudyflowError, match="running on this warehouse"):
            put(database, 2)
    assert is_alone_in_its_folder(database)


@pytest.mark.parametrize("room", [1 << 10, 300 << 10])
def test_no_room_is_a_clear_error_and_changes_nothing(database: Path, room: int) -> None:
    """While it is copied, and while DuckDB writes."""
    before = database.read_bytes()
    assert put_in_room(database, 2, room) == REFUSED
    assert database.read_bytes() == before
    assert is_alone_in_its_folder(database)


def test_a_link_stays_a_link_and_rights_stay(database: Path, tmp_path: Path) -> None:
    """Teams put the warehouse on another disk, and let only some read it."""
    database.chmod(0o640)
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "elsewhere" / "team.duckdb"
    link.symlink_to(database)
    put(link, 2)
    assert link.is_symlink()
    assert numbers(database) == [1, 2]
    assert database.stat().st_mode & 0o777 == 0o640


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away")
def test_it_stays_the_file_of_its_owner(database: Path) -> None:
    """Else who runs it once as root locks out everybody else."""
    database.chmod(0o600)
    os.chown(database, 1234, 1235)
    put(database, 2)
    found = database.stat()
    assert (found.st_uid, found.st_gid, found.st_mode & 0o777) == (1234, 1235, 0o600)


@pytest.mark.parametrize(
    ("make", "name", "message"),
    [
        (lambda path: path.symlink_to(path), "w.duckdb", "points to itself"),
        (os.mkfifo, "w.duckdb", "not a regular file"),
        (lambda _: None, "really?.duckdb", r"/really\?.duckdb: the path of a warehouse cannot contain '\?'"),
        (lambda _: None, "raw.duckdb", r"/raw.duckdb: a warehouse cannot be called 'raw'"),
    ],
)
def test_what_can_be_no_warehouse_is_refused(
    tmp_path: Path, make: Callable[[Path], object], name: str, message: str
) -> None:
    make(tmp_path / name)
    with pytest.raises(StudyflowError, match=message):
        put(tmp_path / name, 1)


def test_a_folder_where_nothing_can_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StudyflowError, match=r"file/w.duckdb: cannot be created .* Choose another --database"):
        put(tmp_path / "file" / "w.duckdb", 1)


def _fail(database: Path, ending: type[BaseException]) -> None:
    with working_copy(settings_of(database)) as copy:
        with connect(copy.database) as connection:
            connection.execute("insert into numbers values (2)")
        raise ending


def _write_beside(database: Path) -> None:
    with working_copy(settings_of(database)) as copy:
        with connect(copy.database) as connection:
            connection.execute("insert into numbers values (2)")
        with connect(database) as connection:
            connection.execute("insert into numbers values (200)")
