"""Webhook files in an object store: found, read, known again and complained about as those on disk are."""

import gzip
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from forgetting import SOMEONE, Place, line
from inbox import A, B, C, D, Inbox, compressed
from object_store import ObjectStore, serving, use
from product import Product

from pipelines.doctor.pipeline import check_stores
from pipelines.errors import StudyflowError
from pipelines.forget.forgetting import forget
from pipelines.load import buckets, content
from pipelines.load.finding import find
from pipelines.load.loader import load, result_if_nothing_new
from pipelines.object_paths import ObjectPath, RawPath
from pipelines.warehouse import connect

AS_OF = datetime(2026, 8, 1, tzinfo=UTC)
ODD = [
    *(
        "with space.jsonl",
        "per%cent%20.jsonl",
        "pl+us.jsonl",
        "hash#.jsonl",
        "what?.jsonl",
        "star*.jsonl",
        "[ab].jsonl",
    ),
    *("quote'\".jsonl", "<a&b>.jsonl", "ünï.jsonl", "e\u0301.jsonl", "😀.jsonl", "back\\slash.jsonl", "{a,b}.jsonl"),
]


@pytest.fixture(scope="module")
def server() -> Iterator[ObjectStore]:
    """One server for all tests."""
    with serving() as store:
        yield store


@pytest.fixture
def store(server: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    """An empty bucket."""
    return use(server, monkeypatch)


def problems_of(*paths: RawPath) -> list[str]:
    """What is said of paths that cannot be read."""
    found = find(paths)
    return [str(problem) for problem in [*found.problems, *found.empty_paths]]


# what is found

FILES = {
    "a.jsonl": A,
    "a.jsonl.1": B,
    "b.jsonl.gz": gzip.compress(A),
    "c.ndjson.zst": compressed("c.zst", B),
    "d.json": C,
    "e.log": b"no JSON\n",
    "part-0": D,
    "part-1.gz": gzip.compress(D),
    "part-2.gz": gzip.compress(b"a,b\n"),
    "part-3.zst": compressed("part-3.zst", D),
    ".hidden.jsonl": A,
    ".gitkeep": b"x",
    "studies.csv": b"a,b\n",
    "notes.txt": b"x",
    "empty.jsonl": b"",
    "empty.json": b"",
    "2026/07/f.jsonl": A,
    "2026/07/g.csv": b"a,b\n",
    "2026/08/.h/i.jsonl": A,
}
PATTERNS = [
    "",
    "2026",
    "2026/07/f.jsonl",
    "*",
    "*.jsonl*",
    "?.jsonl",
    "[ab].*",
    "**",
    "**/*.jsonl",
    "2026/*",
    "2026/**/f*",
]


@pytest.fixture(scope="module")
def twins(server: ObjectStore, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ObjectPath]:
    """The same files on disk and in a bucket."""
    with pytest.MonkeyPatch.context() as patch:
        use(server, patch)
        server.put(FILES)
    folder = tmp_path_factory.mktemp("twin")
    for name, content_of_file in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content_of_file)
    return folder, server.path()


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_same_is_found_as_on_disk(twins: tuple[Path, ObjectPath], store: ObjectStore, pattern: str) -> None:
    """Folders, patterns, names and beginnings have one set of rules. A listing has several pages."""
    folder, bucket = twins
    assert store.url
    on_disk, in_bucket = find([folder / pattern]), find([bucket.at(pattern)])
    assert [source.name.removeprefix(str(bucket)) for source in in_bucket.sources] == [
        source.name.removeprefix(f"{folder}/") for source in on_disk.sources
    ]
    assert [name.removeprefix(str(bucket)) for name in in_bucket.left_out] == [
        name.removeprefix(f"{folder}/") for name in on_disk.left_out
    ]
    assert [source.compression for source in in_bucket.sources] == [source.compression for source in on_disk.sources]


def test_names_with_odd_characters(store: ObjectStore, box: Inbox) -> None:
    """An object that exists is never taken for a pattern, and no character of a name is another one in an address."""
    files = dict.fromkeys(ODD, A)
    store.put({f"raw/{name}": line for name, line in files.items()})
    loaded = load(box.connection, [store.path("raw")])
    assert (loaded.files_new, loaded.lines_read, loaded.problems) == (len(ODD), len(ODD), ())
    for name in ("star*.jsonl", "[ab].jsonl"):
        assert [source.path for source in find([store.path(f"raw/{name}")]).sources] == [store.path(f"raw/{name}")]


def test_a_name_that_the_library_cannot_have_is_said(store: ObjectStore) -> None:
    """Other objects of the folder cannot be listed then; those of other folders can."""
    store.put({"raw//a.jsonl": A, "other/a.jsonl": A})
    [problem] = problems_of(store.path("raw"))
    assert "name" in problem
    assert "raw//a.jsonl" in problem
    assert len(find([store.path("other")]).sources) == 1


def test_what_marks_a_folder_is_no_file(store: ObjectStore) -> None:
    """The consoles of stores make an object of no bytes for a folder."""
    store.put({"raw/": b"", "raw/2026/": b"", "raw/2026/a.jsonl": A})
    found = find([store.path("raw")])
    assert ([str(source.path) for source in found.sources], found.left_out) == (
        [str(store.path("raw/2026/a.jsonl"))],
        [],
    )


# what is loaded


def test_objects_count_as_files_do(store: ObjectStore, box: Inbox) -> None:
    """Plain and compressed, with lines that are rejected and one that is not whole, beside a file on disk."""
    files = {"a.jsonl": A + b"no JSON\n" + A, "b.jsonl.gz": A + B, "c.jsonl.zst": b"\n" + C + A[:40], "d.jsonl": D[:-1]}
    store.put({f"raw/{name}": compressed(name, lines) for name, lines in files.items() if name != "d.jsonl"})
    box.put({"d.jsonl": files["d.jsonl"]})
    loaded = load(box.connection, [store.path("raw"), box.folder])
    assert (loaded.files_new, loaded.lines_read) == (4, 8)
    assert [problem.source_file for problem in loaded.problems] == [str(store.path("raw/c.jsonl.zst"))]
    box.check(files)


def test_blocks_of_an_object_are_joined(store: ObjectStore, box: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line, and a part of a compressed file, may end anywhere in a block that one request brings."""
    monkeypatch.setattr(content, "BLOCK_OF_OBJECT", 100)
    files = {"a.jsonl": A + B + C, "b.jsonl.gz": C + D, "c.jsonl.zst": D + A}
    store.put({name: compressed(name, lines) for name, lines in files.items()})
    assert load(box.connection, [store.path()]).problems == ()
    box.check(files)


def test_an_object_that_is_the_same_is_not_read_again(store: ObjectStore, box: Inbox) -> None:
    """Neither to see what it is called like nor how it is compressed: a listing says that it is the same."""
    store.put({"a.jsonl": A, "b.json": B, "c.gz": gzip.compress(C)})
    assert load(box.connection, [store.path()]).files_new == 3
    store.requests.clear()
    assert load(box.connection, [store.path()]).lines_read == 0
    assert result_if_nothing_new(box.connection, [store.path()])
    assert set(store.requests) == {("LIST", "")}
    store.put({"d.jsonl": D})
    store.requests.clear()
    assert load(box.connection, [store.path()]).files_new == 1
    assert set(store.read()) == {"d.jsonl"}


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_an_object_that_was_written_again(store: ObjectStore, box: Inbox, name: str) -> None:
    """If it begins with what was read, the rest is new. Else all of it is, and equal lines take the place of the old ones."""
    for lines, what in ((A + B[:-1], "files_new"), (A + B + C, "files_grown"), (A + D, "files_rewritten")):
        store.put({name: compressed(name, lines)})
        assert getattr(load(box.connection, [store.path()]), what) == 1
    box.build()
    assert box.delivered() == {A: 1, B: 1, C: 1, D: 1}


def test_an_object_that_has_gone(store: ObjectStore, box: Inbox) -> None:
    """Its lines stay. Those that come again, from wherever, take their place; copies of an object count as repeated."""
    store.put({"raw/a.jsonl": A + B, "raw/b.jsonl": C, "other/c.jsonl": D})
    load(box.connection, [store.path()])
    for key in ("raw/a.jsonl", "raw/b.jsonl"):
        store.delete(key)
    store.put({"raw/moved.jsonl": A + B})  # of what was listed, this is missing
    load(box.connection, [store.path("raw")])
    box.put({"moved.jsonl": C, "copied.jsonl": D})  # and for this, the store is asked
    load(box.connection, [box.folder])
    box.build()
    assert box.delivered() == {A: 1, B: 1, C: 1, D: 2}


def test_an_object_that_nobody_may_look_for_has_not_gone(store: ObjectStore, box: Inbox) -> None:
    """Without credentials or a network, a line that comes again is a repeated delivery: nothing proves that it moved."""
    store.put({"a.jsonl": A})
    load(box.connection, [store.path()])
    store.delete("a.jsonl")
    store.refused["a.jsonl"] = ("403 Forbidden", "")
    box.put({"a.jsonl": A})
    assert load(box.connection, [box.folder]).problems == ()
    box.build()
    assert box.delivered()[A] == 2


# what goes wrong


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        ("404 Not Found", "NoSuchBucket", "there is no such bucket"),
        ("403 Forbidden", "AccessDenied", "access is denied"),
        ("403 Forbidden", "InvalidAccessKeyId", "the credentials were refused (InvalidAccessKeyId)"),
        ("400 Bad Request", "ExpiredToken", "the credentials were refused (ExpiredToken)"),
        ("301 Moved Permanently", "PermanentRedirect", "the bucket is in another region. Set AWS_REGION"),
        ("400 Bad Request", "AuthorizationHeaderMalformed", "the bucket is in another region. Set AWS_REGION"),
        ("503 Service Unavailable", "SlowDown", "the store is faulty or overloaded (SlowDown)"),
        ("418 I am a teapot", "Odd", "cannot be read ("),
    ],
)
def test_what_a_store_refuses(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch, status: str, code: str, said: str
) -> None:
    """What is wrong and what to do, in one line and without the library's own words. What a folder is called is no reason."""
    monkeypatch.setitem(buckets.RETRIES, "max_retries", 0)
    store.refused[store.bucket] = (status, code)
    [problem] = problems_of(store.path("connection-timeout"))
    assert problem.startswith(f"{store.path('connection-timeout')}: {said}")
    assert "\n" not in problem
    assert "Debug" not in problem


def test_a_store_that_does_not_answer(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is tried again, and then said."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setitem(buckets.RETRIES, "max_retries", 1)
    [problem] = problems_of(store.path("raw"))
    assert "cannot be reached. Check the network and AWS_ENDPOINT_URL" in problem


def test_without_credentials(store: ObjectStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """They may also be in the files that the AWS tools read, by profile. They are no option: anybody can list processes."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    [problem] = problems_of(store.path())
    assert "no credentials were found. Set AWS_ACCESS_KEY_ID" in problem
    (tmp_path / "credentials").write_text("[team]\naws_access_key_id = id\naws_secret_access_key = secret\n")
    monkeypatch.setenv("AWS_PROFILE", "team")
    store.put({"a.jsonl": A})
    assert len(find([store.path()]).sources) == 1


def test_without_the_extra(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """What to install is said; whoever has files on disk needs none of it."""
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(StudyflowError, match=r'pip install "studyflow\[remote\]"'):
        find([store.path()])


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
@pytest.mark.parametrize("becomes", [A, A + B + C, None])
def test_an_object_that_changes_while_it_is_read(
    store: ObjectStore, box: Inbox, monkeypatch: pytest.MonkeyPatch, name: str, becomes: bytes | None
) -> None:
    """No line of it is kept, whatever it has become and how far it was read; other objects are loaded."""
    monkeypatch.setattr(content, "BLOCK_OF_OBJECT", 100)
    store.put({name: compressed(name, A + B), "b.jsonl": D})

    def change(method: str, key: str) -> None:
        if (method, key) == ("GET", name) and store.read().count(name) == 2:
            if becomes is None:
                store.delete(name)
            else:
                store.put({name: compressed(name, becomes)})

    store.before_answer = change
    loaded = load(box.connection, [store.path()])
    [problem] = loaded.problems
    assert problem.source_file == str(store.path(name))
    assert ("was deleted" if becomes is None else "was rewritten") in problem.problem
    box.build()
    assert box.delivered() == {A: 0, B: 0, C: 0, D: 1}


def test_one_object_that_may_not_be_read(store: ObjectStore, box: Inbox) -> None:
    """As one in cold storage: it is named, and the others are loaded."""
    store.put({"a.jsonl": A, "b.jsonl": B})
    store.refused["a.jsonl"] = ("403 Forbidden", "InvalidObjectState")
    loaded = load(box.connection, [store.path()])
    assert loaded.files_new == 1
    [problem] = loaded.problems
    assert str(problem).startswith(f"{store.path('a.jsonl')}: ")


# what else looks at objects


def test_forgetting_names_the_objects(store: ObjectStore, tmp_path: Path, product: Product) -> None:
    """Studyflow writes no object, so it must not say that somebody is gone from one, or that it looked where it could not."""
    place = Place(tmp_path, product)
    other = line(personId="other", participantId="of-other")
    store.put({"a.jsonl.gz": gzip.compress(line() + other + line()), "b.jsonl": other, "c.jsonl": line()})
    with connect(place.settings.database) as connection:
        load(connection, [store.path()])
    store.delete("c.jsonl")
    proof = forget(place.settings, SOMEONE, [], rewrite=True, on_wait=None)
    assert (proof.is_done, proof.missing) == (False, [str(store.path("c.jsonl"))])
    [held] = proof.still_held
    assert held.startswith(f"{store.path('a.jsonl.gz')}: 2 lines about them. studyflow does not change objects")
    assert not any("lines removed" in said for said in proof.sentences())
    store.put({"a.jsonl.gz": gzip.compress(other)})
    assert forget(place.settings, SOMEONE, [store.path()], rewrite=True, on_wait=None).is_done
    store.refused[store.bucket] = ("403 Forbidden", "AccessDenied")
    for key in ("a.jsonl.gz", "b.jsonl", "c.jsonl"):
        store.refused[key] = ("403 Forbidden", "")
    proof = forget(place.settings, SOMEONE, [], rewrite=False, on_wait=None)
    [problem] = proof.problems
    assert "access is denied" in problem.problem
    assert "3 objects of this bucket could not be searched" in problem.problem
    assert not proof.is_done


def test_the_doctor_looks_at_stores(store: ObjectStore, tmp_path: Path) -> None:
    """Addresses are where it is most likely that something is wrong with."""
    store.put({"raw/a.jsonl": A, "cold/b.jsonl": B})
    store.refused["cold/b.jsonl"] = ("403 Forbidden", "InvalidObjectState")
    paths: list[RawPath] = [store.path("raw"), store.path("cold"), store.path("nowhere"), tmp_path]
    fine, cold, empty = check_stores(paths)
    assert (fine.level, fine.found[: fine.found.index(",")]) == ("ok", f"{store.path('raw')}: 1 object")
    assert (cold.level, str(store.path("cold/b.jsonl")) in cold.found) == ("problem", True)
    assert (empty.level, empty.found) == ("problem", f"{store.path('nowhere')}: there are no objects.")
