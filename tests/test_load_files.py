"""Which files are read, in what forms, and what happens to those that cannot be."""

import gzip
import os
from functools import cache
from pathlib import Path

import pytest
from awkward_lines import AWKWARD, BOM, VALID
from inbox import Inbox, compressed
from product import Product, rows
from strategies import valid_but

from pipelines.load.loader import load
from pipelines.warehouse import connect

OTHER = valid_but(participantId="participant-1")


def lines(*payloads: bytes) -> bytes:
    """Whole lines."""
    return b"".join(payload + b"\n" for payload in payloads)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b" \n\t\r\n\n",
        b" ",
        BOM,
        BOM + b"\n",
        BOM + lines(VALID, b"", b"x").replace(b"\n", b"\r\n"),
        lines(VALID)[:-1],
        lines(VALID, OTHER)[:-1],
        lines(VALID) + OTHER[:-1],
        lines(*AWKWARD),
        lines(VALID, OTHER).decode().encode("utf-16"),
        lines(VALID, OTHER).decode().encode("utf-16-be"),
        b"\x00" * 1000,
        lines(b"\x00\n\x00", VALID),
        lines(VALID.replace(b"\n", b"\r")) * 2,
    ],
    ids=lambda content: repr(content[:12]),
)
@pytest.mark.parametrize("ending", ["jsonl", "ndjson", "jsonl.gz", "ndjson.zst"])
def test_content(box: Inbox, content: bytes, ending: str) -> None:
    """A file may hold anything, compressed or not; what its last line is depends on its newline."""
    files = {f"a.{ending}": content}
    box.put(files)
    box.load()
    box.check(files)


def test_huge_lines(box: Inbox) -> None:
    """Lines longer than what is read at once: whole, broken, blank, without a newline, and at its very edge."""
    block = 2 << 20
    files = {
        "a.jsonl": lines(valid_but(x="x" * 5_000_000), b"y" * 3_000_000, b" " * 3_000_000, VALID) + b"z" * 3_000_000,
        "b.jsonl": lines(OTHER) + valid_but(x="x" * 5_000_000),
        "c.jsonl": lines(b" " * (block - 1), VALID, b" " * (2 * block)),
        "d.jsonl.gz": lines(*[VALID, b"x"] * 10_000),
    }
    box.put(files)
    box.load()
    box.check(files)


def test_nested_deeper_than_any_parser_likes(box: Inbox) -> None:
    """Such a line may be taken or rejected, but it takes nothing else with it."""
    deep = b"[" * 200_000 + b"]" * 200_000
    files = {"a.jsonl": lines(VALID, deep, VALID[:-1] + b', "x": ' + deep + b"}", b"[" * 200_000, OTHER, deep[:-1])}
    box.put(files)
    box.load()
    box.build()
    totals = box.totals()
    assert totals["lines"] == 6
    assert totals["distinct_changes"] == 2
    assert totals["lines"] == totals["accepted"] + totals["rejected"]


def test_compressed_in_pieces(box: Inbox) -> None:
    """Appending to a gzip or zstd file adds a member or frame; an ending that says nothing of it does not matter."""
    box.folder.joinpath("a.jsonl.gz").write_bytes(gzip.compress(lines(VALID)[:50]) + gzip.compress(lines(VALID)[50:]))
    two_frames = compressed("b.zst", lines(OTHER)) + compressed("b.zst", b"x\n")
    box.folder.joinpath("b.ndjson").write_bytes(two_frames)
    box.folder.joinpath("c.jsonl.gz").write_bytes(lines(VALID))
    box.folder.joinpath("D.JSONL.GZ").write_bytes(gzip.compress(b""))
    box.load()
    box.check(
        {"a.jsonl.gz": lines(VALID), "b.ndjson": lines(OTHER, b"x"), "c.jsonl.gz": lines(VALID), "D.JSONL.GZ": b""}
    )


NAMES = [
    b'it\'s "quoted".jsonl',
    b" spaces and\ttabs .jsonl",
    b"line\nbreak.jsonl",
    b"[a-z]*?{b}.jsonl",
    b"--option.jsonl",
    b"\xc3\xa9\xe2\x80\xa8.jsonl",
    b"not utf-8 \xff.jsonl",
    b"percent %s $HOME `id` ;.jsonl",
    b".hidden.jsonl",
    b"'; drop schema raw cascade; --.jsonl",
    b"x" * 240 + b".jsonl",
]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_names(box: Inbox, name: bytes) -> None:
    """A name can be any bytes but a slash. The file is found in its folder and by its own path, and is one file."""
    path = Path(os.fsdecode(os.path.join(os.fsencode(box.folder), name)))  # noqa: PTH118 - bytes
    path.write_bytes(lines(VALID))
    box.load()
    path.write_bytes(lines(VALID, OTHER, b"x"))
    assert load(box.connection, [path]).problems == ()
    box.build()
    assert box.totals()["lines"] == 3
    [row] = rows(box.connection, "audit.load_files")
    assert row["source_file"] == os.fsencode(path).decode("utf-8", "backslashreplace")
    [rejected] = rows(box.connection, "audit.rejected_lines")
    assert (rejected["source_file"], rejected["line_number"]) == (row["source_file"], 3)


def test_folders_and_patterns(box: Inbox) -> None:
    """Folders are read at any depth, and only webhook files in them; a file that is named, whatever its ending."""
    deep = box.folder / "2025" / "x.jsonl" / "[1]"
    deep.mkdir(parents=True)
    for name in ("a.jsonl", "b.ndjson.gz", "c.json", "d.jsonl.bak", "jsonl", "e.jsonl.tmp"):
        deep.joinpath(name).write_bytes(compressed(name, lines(VALID)))
    assert load(box.connection, [box.folder]).files_found == 4
    assert load(box.connection, [box.folder, deep, deep / "a.jsonl", deep / "d.jsonl.bak"]).files_found == 5
    assert load(box.connection, [box.folder / "2025" / "*" / "**" / "[b-c].*"]).files_found == 2
    box.build()
    assert box.totals()["lines"] == 5


def test_paths_without_files(box: Inbox) -> None:
    """Each path that leads nowhere is a problem of its own, a folder without files, too."""
    loaded = load(box.connection, [box.folder, box.folder / "missing.jsonl", box.folder / "*.jsonl"])
    assert [problem.source_file for problem in loaded.problems] == [
        str(box.folder / "missing.jsonl"),
        str(box.folder / "*.jsonl"),
        str(box.folder),
    ]


def test_relative_paths_are_the_same_files(box: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a command is started from does not make other files of them."""
    box.put({"a.jsonl": lines(VALID)})
    box.load()
    monkeypatch.chdir(box.folder)
    for path in (Path(), Path("a.jsonl"), Path("..", box.folder.name, "a.jsonl")):
        assert load(box.connection, [path]).lines_read == 0
    box.check({"a.jsonl": lines(VALID)})


def test_links_are_one_file(box: Inbox) -> None:
    """However many names a file has, its lines are read once; a link to a folder is not walked into."""
    files = {"b.jsonl": lines(VALID, OTHER)}
    box.put(files)
    os.link(box.folder / "b.jsonl", box.folder / "c.jsonl")
    box.folder.joinpath("d.jsonl").symlink_to("b.jsonl")
    box.folder.joinpath("again").symlink_to(box.folder)
    box.load()
    box.check(files)
    os.link(box.folder / "b.jsonl", box.folder / "a.jsonl")
    box.load()
    box.check(files)
    box.put({"b.jsonl": lines(VALID, OTHER, b"x")})
    box.load()
    box.check({"b.jsonl": lines(VALID, OTHER, b"x")})
    box.folder.joinpath("d.jsonl").unlink()
    box.folder.joinpath("b.jsonl").unlink()
    box.load()
    box.check({"a.jsonl": lines(VALID, OTHER, b"x")})


@cache
def many_lines() -> bytes:
    """More than is read at once."""
    return lines(*[valid_but(participantId=f"p{number}") for number in range(20_000)])


def damaged(kind: str, folder: Path) -> None:
    """Put a file that cannot be read into the folder."""
    path = folder / f"m.{kind}.jsonl"
    whole = many_lines()
    match kind:
        case "cut gzip":
            path.write_bytes(gzip.compress(whole)[:-9])
        case "cut zstd":
            path.write_bytes(compressed("a.zst", whole)[:-9])
        case "gzip of other bytes":
            packed = bytearray(gzip.compress(whole))
            packed[-8:-4] = b"\x00\x01\x02\x03"
            path.write_bytes(packed)
        case "gzip followed by something else":
            path.write_bytes(gzip.compress(whole) + b"more")
        case "broken link":
            path.symlink_to(folder / "nowhere.jsonl")
        case "circular link":
            path.symlink_to(path)
        case "pipe":
            os.mkfifo(path)


@pytest.mark.parametrize(
    "kind",
    [
        *("cut gzip", "cut zstd", "gzip of other bytes", "gzip followed by something else"),
        *("broken link", "circular link", "pipe"),
    ],
)
def test_a_file_that_cannot_be_read(box: Inbox, kind: str) -> None:
    """It is named, it leaves nothing behind, the files before and after it load, and so does it once it is whole."""
    files = {"a.jsonl": lines(VALID), "z.jsonl": lines(OTHER, b"x")}
    box.put(files)
    damaged(kind, box.folder)
    for _ in range(2):
        [problem] = load(box.connection, [box.folder]).problems
        assert problem.source_file == str(box.folder / f"m.{kind}.jsonl")
        box.check(files)
    box.folder.joinpath(f"m.{kind}.jsonl").unlink()
    mended = {f"m.{kind}.jsonl": lines(VALID, b"x")}
    box.put(mended)
    box.load()
    box.check(files | mended)


def test_a_compressed_file_that_grew_and_is_cut(box: Inbox) -> None:
    """What was read of it before stays; it goes on when it is whole again."""
    whole = [lines(VALID, b"x"), lines(OTHER)]
    path = box.folder / "a.jsonl.gz"
    path.write_bytes(gzip.compress(whole[0]))
    box.load()
    path.write_bytes(gzip.compress(whole[0]) + gzip.compress(whole[1])[:-3])
    assert len(load(box.connection, [path]).problems) == 1
    box.check({"a.jsonl.gz": whole[0]})
    path.write_bytes(gzip.compress(whole[0]) + gzip.compress(whole[1]))
    box.load()
    box.check({"a.jsonl.gz": whole[0] + whole[1]})


def test_the_warehouse_on_disk(product: Product, tmp_path: Path) -> None:
    """The same through the project's own connection, closed and opened again between loads."""
    source = tmp_path / "a.jsonl"
    database = tmp_path / "w.duckdb"
    for content in (lines(VALID), lines(VALID, OTHER)):
        source.write_bytes(content)
        with connect(database) as connection:
            load(connection, [source])
    with connect(database) as connection:
        product.prepare(connection)
        box = Inbox(product, tmp_path, connection)
        box.check({"a.jsonl": lines(VALID, OTHER)})
