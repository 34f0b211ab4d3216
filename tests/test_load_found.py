"""What of a folder is read, what is not and is said to be not, and loads that bring no webhook."""

import gzip
from datetime import UTC, datetime
from pathlib import Path

import pytest
from inbox import A, B, C, D, Inbox

from pipelines.errors import StudyflowError
from pipelines.export.options import ExportOptions
from pipelines.load.finding import find
from pipelines.load.loader import load
from pipelines.run import build_tables, run_all
from pipelines.settings import Settings
from pipelines.warehouse import connect

READ = [
    *("events.jsonl", "events.ndjson", "EVENTS.JSONL.GZ", "events.jsonl.zst", ".hidden.jsonl"),
    *("events.jsonl.1", "events.jsonl.2.gz", "events.jsonl-20260731", "events.jsonl-20260731.gz"),
    *("events.jsonl.2026-07-31T18:00:00Z", "events-2026-07-31.jsonl", "events.jsonl-20260731-1785522000.gz"),
]
READ_FOR_THEIR_CONTENT = [
    *("events.json", "events.json.gz", "events.json.1", "events.log", "events.log.1.gz", "part-0.gz", "part-00000"),
    *("stream-1-2026-07-31-18-00-00-0a1b2c3d-0000-4000-8000-0123456789ab", "stream-1-2026-07-31-18-00-00-0a1b2c3d.gz"),
]
LEFT_OUT = ["events.csv", "events.jsonl.bak", "events.jsonl.tmp", "events.jsonl.gz.part", "events.parquet", "notes.txt"]


@pytest.mark.parametrize("name", [*READ, *READ_FOR_THEIR_CONTENT])
def test_what_archives_are_called_is_read(tmp_path: Path, name: str) -> None:
    """As logrotate, Firehose and Spark name them. The content says whether it is compressed."""
    tmp_path.joinpath(name).write_bytes(gzip.compress(A))
    found = find([tmp_path])
    assert ([source.path.name for source in found.sources], found.left_out, found.empty_paths) == ([name], [], [])


@pytest.mark.parametrize("name", [*LEFT_OUT, *READ_FOR_THEIR_CONTENT])
@pytest.mark.parametrize("content", [b"a,b\n1,2\n", b'{\n  "a": 1\n}\n', b"", b"12\n", b"\xff\xfe"])
def test_what_is_left_out_is_named(tmp_path: Path, name: str, content: bytes) -> None:
    """A folder of nothing else is a problem: a path that is wrong looks the same."""
    tmp_path.joinpath(name).write_bytes(content)
    tmp_path.joinpath(".gitkeep").touch()
    found = find([tmp_path])
    assert (found.sources, found.left_out) == ([], [str(tmp_path / name)])
    [problem] = found.empty_paths
    assert problem.source_file == str(tmp_path)
    assert f"1 file ({name})" in problem.problem


def test_a_csv_file_is_no_webhook_file_whoever_names_it(tmp_path: Path) -> None:
    """`studyflow load studies.csv` rejected every line of it, and kept them for good."""
    for name in ("studies.csv", "a.jsonl"):
        tmp_path.joinpath(name).write_bytes(A)
    found = find([tmp_path / "studies.csv"])
    assert (found.sources, [problem.problem.split(",")[0] for problem in found.problems]) == ([], ["is a CSV file"])
    found = find([tmp_path / "*"])
    assert ([source.path.name for source in found.sources], found.problems) == (["a.jsonl"], [])
    assert found.left_out == [str(tmp_path / "studies.csv")]


def test_a_first_line_may_be_longer_than_what_is_looked_at(tmp_path: Path) -> None:
    """A webhook of a megabyte is one."""
    tmp_path.joinpath("part-0").write_bytes(b'{"x": "' + b"x" * 1_000_000 + b'"}\n')
    assert len(find([tmp_path]).sources) == 1


def test_what_is_left_out_is_counted(box: Inbox) -> None:
    """Beside files that are read it is no problem, but is not passed over in silence."""
    box.put({"a.jsonl": A, **{f"{number}.csv": b"x" for number in range(5)}})
    loaded = box.load()
    assert "Not read: 5 files (0.csv, 1.csv, 2.csv, …)." in loaded.sentence()
    assert len(loaded.as_dict()["files_left_out"]) == 5


def test_logrotate_between_two_runs(box: Inbox) -> None:
    """What was written to the old file after the last run is read under its new name, and then compressed."""
    events = box.folder / "events.jsonl"
    events.write_bytes(A)
    box.load()
    events.write_bytes(A + B)
    events.rename(box.folder / "events.jsonl.1")
    events.write_bytes(C)
    box.load()
    box.check({"events.jsonl.1": A + B, "events.jsonl": C})
    box.folder.joinpath("events.jsonl.1").unlink()
    events.rename(box.folder / "events.jsonl.1")
    box.put({"events.jsonl.2.gz": A + B, "events.jsonl": D})
    box.load()
    box.build()
    assert box.delivered() == dict.fromkeys((A, B, C, D), 1)


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.jsonl.zst"])
def test_a_closed_file_with_an_unfinished_line(box: Inbox, name: str) -> None:
    """Nobody goes on with that line, so it is said in every run. In a plain file it waits."""
    box.put({name: A + B[:50], "b.jsonl": C + D[:50]})
    for _ in range(2):
        [problem] = load(box.connection, [box.folder]).problems
        assert problem.source_file == str(box.folder / name)
        assert "a partial line of 50 bytes" in problem.problem
    box.check({name: A, "b.jsonl": C})


ENVELOPE = b'{"id": 1, "payload": "' + A[:-2].replace(b'"', b'\\"') + b'"}\n'
SHAPES = {
    "an array that has no webhooks or is not valid JSON: 12 lines like this": (b"[" + A[:-1] + b" " + B[:-1] + b"]\n")
    * 12,
    "JSON over several lines (pretty-printed): 6 lines like this": b'{\n  "participantId": "p",\n  "x": {\n  },\n  "y": 1\n}\n',
    "objects one after another that are cut off or not valid JSON: 1 line like this": A[:-1] + B[:-2] + b"\n",
    "objects one after another that are cut off or not valid JSON: a partial last line of": A[:-1] + B[:-2],
    "an envelope around text that is not an event: 1 line like this": ENVELOPE,
    "JSON objects that are not events: 3 lines like this": b'{"hello": ' + A[:-1] + b'}\n[{"x": 1}, {"y": 2}]\n',
    "CSV: 2 lines like this": b"participant_id,status\np,INVITE_SENT\n",
    "only empty files or blank lines": b"\n\n",
    "webhooks with statuses that are not in participant_statuses.csv": A.replace(b'"INVITE_SENT"', b'"NEW"'),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_files_without_any_webhook(box: Inbox, shape: str) -> None:
    """That is never a success, in this run and the next, and the reason says what is there instead."""
    box.put({"a.jsonl": SHAPES[shape]})
    for _ in range(2):
        said = box.load().nothing_usable
        assert said
        assert shape in said


def test_new_lines_without_any_webhook(box: Inbox) -> None:
    """Whatever was loaded before."""
    box.put({"a.jsonl": A})
    assert box.load().nothing_usable is None
    box.put({"b.jsonl": b"x\n"})
    assert "None of the new lines is a webhook" in (box.load().nothing_usable or "")
    assert box.load().nothing_usable is None
    box.put({"c.jsonl": b"x\n" + B})
    assert box.load().nothing_usable is None


@pytest.mark.parametrize(
    ("raw", "is_loaded"),
    [("nowhere", False), ("empty", False), ("broken", False), ("blank", False), ("nowhere", True), ("empty", True)],
)
def test_a_run_that_has_nothing_to_load_stops_first(tmp_path: Path, raw: str, *, is_loaded: bool) -> None:
    """Nothing would take the place of what a team has, also where a share is not mounted that was there yesterday."""
    exports = tmp_path / "exports"
    for folder in ("exports", "empty", "broken", "blank", "yesterday"):
        tmp_path.joinpath(folder).mkdir()
    tmp_path.joinpath("broken", "a.jsonl.gz").write_bytes(gzip.compress(A)[:-5])
    tmp_path.joinpath("blank", "a.jsonl").write_bytes(b"\n")
    tmp_path.joinpath("yesterday", "a.jsonl").write_bytes(A)
    database = tmp_path / "warehouse.duckdb"
    if is_loaded:
        with connect(database) as connection:
            load(connection, [tmp_path / "yesterday"])
    before = database.read_bytes() if is_loaded else None
    settings = Settings((tmp_path / raw,), database, exports, as_of=datetime(2026, 8, 1, tzinfo=UTC))
    says = "No webhook has been loaded yet" if raw == "blank" else raw
    with pytest.raises(StudyflowError, match=f"{says}(.|\n)*Nothing was built"):
        run_all(settings, ExportOptions(), strict=False, console=None)
    assert (database.read_bytes() if database.exists() else None) == before
    assert list(exports.iterdir()) == []


def test_nothing_is_built_of_nothing(tmp_path: Path) -> None:
    """A mistyped --database would become a warehouse whose tables have no rows."""
    settings = Settings((), tmp_path / "mistyped.duckdb", tmp_path / "exports", as_of=datetime(2026, 8, 1, tzinfo=UTC))
    with pytest.raises(StudyflowError, match=r"mistyped.duckdb: nothing has been loaded yet.*studyflow run"):
        build_tables(settings)
