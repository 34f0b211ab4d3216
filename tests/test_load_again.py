"""Loading again: files grow, shrink and are rewritten between loads, and a load may be cut off."""

import os
import shutil
from hashlib import blake2b
from pathlib import Path

import pytest
from awkward_lines import VALID
from hypothesis import given, settings
from hypothesis import strategies as st
from inbox import A, B, C, D, Inbox, compressed, inbox
from oracle.reference import DEFAULT_STATUSES
from product import Product, rows
from strategies import feeds, valid_but, workspaces

from pipelines.load.content import PIECE, Content, read_up_to
from pipelines.load.loader import load
from pipelines.settings import REFERENCE
from pipelines.warehouse import connect


@settings(max_examples=settings().max_examples // 2)
@given(st.data())
def test_batches_are_as_good_as_one_load(product: Product, data: st.DataObject) -> None:
    """As `batches` says, of some files. Many runs see many."""
    batches(product, data)


@pytest.mark.slow(reason="the same for more files")
@given(st.data())
def test_more_batches_are_as_good_as_one_load(product: Product, data: st.DataObject) -> None:
    batches(product, data)


def batches(product: Product, data: st.DataObject) -> None:
    """After each batch all that is whole by then is loaded, however the files were cut."""
    states = data.draw(feeds(data.draw(workspaces())))
    with inbox(product) as box:
        for state in states:
            box.put(state)
            box.load()
            box.check(state)


def test_a_line_that_is_cut_anywhere(box: Inbox) -> None:
    """A last line may be taken, and then go on and be another: what it was first must not stay."""
    last_lines = (
        VALID,
        b"12345",
        b"[] x",
        b"{}{}",
        b'"a" : 1',
        VALID + VALID,
        b"null" + VALID,
        b"\r\r",
        b'{"a": "\xc3\xa9"}',
    )
    cuts = [(last, cut) for last in last_lines for cut in range(0, len(last) + 1, 1 + len(last) // 60)]
    for stage in range(5):
        files = {
            f"{number:03}.jsonl": (
                A + last[:cut],
                A + last[: (cut + len(last)) // 2],
                A + last,
                A + last + b"\n",
                A + last + b"\n" + B[:-1],
            )[stage]
            for number, (last, cut) in enumerate(cuts)
        }
        box.put(files)
        box.load()
        box.check(files)


def test_nothing_new(box: Inbox) -> None:
    """Files that are the same, or only have a new date, are not read again."""
    files = {"a.jsonl": A + B, "b.jsonl.gz": C + b"\n", "c.jsonl": D[:-1], "d.jsonl": b"", "e.jsonl": B[:-9]}
    box.put(files)
    assert box.load().lines_read == 5
    for _ in range(2):
        assert box.load().lines_read == 0
        box.check(files)
        box.put(files)
        os.utime(box.folder / "a.jsonl")


def test_only_the_tail_is_read(box: Inbox) -> None:
    """A grown file costs what has grown; the line without a newline is read with it."""
    box.put({"a.jsonl": A * 1_000 + B[:-1]})
    assert box.load().lines_read == 1_001
    box.put({"a.jsonl": A * 1_000 + B + C + D[:-1]})
    assert box.load().lines_read == 3
    box.check({"a.jsonl": A * 1_000 + B + C + D[:-1]})


REWRITTEN: dict[str, tuple[bytes, bytes]] = {
    "cut at a line": (A + B + C, A + B),
    "cut in a line": (A + B + C, A + B[:-20]),
    "cut before a line that had no newline": (A + B[:-1], A),
    "cut to nothing": (A + B, b""),
    "another last line": (A + B[:-1], A + C[:-1]),
    "another first line": (A + B, C + B),
    "a line put in between": (A + B, A + C + B),
    "a line repeated": (A + B, B + A + A),
    "all else": (A + b"x\n\n", C + D),
    "one letter of many megabytes": (A * 30_000, A * 29_999 + b"{" + A[1:].replace(b"-a", b"-b")),
}


@pytest.mark.parametrize("case", REWRITTEN)
@pytest.mark.parametrize("by", ["writing into it", "putting another in its place"])
def test_a_rewritten_file_is_read_from_its_start(box: Inbox, case: str, by: str) -> None:
    """Its counts are those of what it holds now. No change that was seen is lost, and none is counted twice."""
    before, after = REWRITTEN[case]
    box.put({"a.jsonl": before})
    box.load()
    if by == "putting another in its place":
        box.folder.joinpath("a.jsonl").rename(box.folder / "elsewhere.bak")
    box.put({"a.jsonl": after})
    box.load()
    box.build()
    assert box.delivered() == {line: max(before.count(line[:-1]), after.count(line[:-1])) for line in (A, B, C, D)}
    for row in rows(box.connection, "audit.load_files"):
        assert row["lines"] == row["blank"] + row["accepted"] + row["other_events"] + row["rejected"]
    [[lines_now]] = box.connection.execute("select lines from audit.load_files where not is_superseded").fetchall()
    assert lines_now == after.count(b"\n") + (after[-1:] == b"}")


@pytest.mark.parametrize("place", [0, 0.31, 0.5, 0.77, 1])
def test_an_edit_in_place_is_seen(box: Inbox, place: float) -> None:
    """In a file of many megabytes, of the same length, wherever it is."""
    lines = [A] * 40_000
    box.put({"a.jsonl": b"".join(lines)})
    box.load()
    with box.folder.joinpath("a.jsonl").open("r+b") as file:
        file.seek(int(place * 39_999) * len(A))
        file.write(B)
    box.load()
    box.build()
    assert box.delivered() == {A: 40_000, B: 1, C: 0, D: 0}


def test_an_append_does_not_cost_what_was_there(box: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a large file that has only grown, samples are compared."""
    before = (b" " * 1_000_000 + b"\n") * 40
    box.put({"a.jsonl": before})
    box.load()
    compared: list[int] = []

    def counted(file: Content, size: int) -> bytes:
        compared.append(size)
        return read_up_to(file, size)

    monkeypatch.setattr("pipelines.load.content.read_up_to", counted)
    box.put({"a.jsonl": before + A})
    assert box.load().lines_read == 1
    assert 0 < sum(compared) < len(before) / 2


def test_a_file_is_known_by_the_digests_of_earlier_versions(box: Inbox) -> None:
    """A warehouse of theirs goes on without reading everything anew, also once it has digests of both kinds."""
    content = A * 12_000
    box.put({"a.jsonl": content})
    box.load()
    pieces = [content[start : start + PIECE] for start in range(0, len(content), PIECE)]
    digests = [blake2b(piece, digest_size=16).hexdigest() for piece in pieces]
    box.connection.execute("update raw.files set fingerprint = ?", ["".join(digests)])
    box.folder.joinpath("a.jsonl").rename(box.folder / "b.jsonl")
    assert box.load().lines_read == 0
    box.put({"b.jsonl": content + B * 5_000})
    assert box.load().lines_read == 5_000
    box.folder.joinpath("b.jsonl").rename(box.folder / "c.jsonl")
    assert box.load().lines_read == 0


def test_what_was_cut_and_comes_back_is_not_counted_again(box: Inbox) -> None:
    """As when a load falls between the moment a file is emptied and the one it is full again."""
    for content in (A + B + b"x\n", b"", A + B + b"x\n" + C, A, C + B, A + B + b"x\n" + C):
        box.put({"a.jsonl": content})
        box.load()
    box.check({"a.jsonl": A + B + b"x\n" + C})


def tables(box: Inbox) -> dict[str, list[tuple[object, ...]]]:
    """All that a load writes."""
    return {
        name: box.connection.execute(f"select * from raw.{name} order by all").fetchall()
        for name in ("files", "deliveries", "loads", "withdrawals")
    }


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, RuntimeError])
@pytest.mark.parametrize("calls", [1, 3])
def test_an_interrupted_load_leaves_the_warehouse_as_it_was(box: Inbox, error: type[BaseException], calls: int) -> None:
    """Whenever it is cut off, also after whole files were read; the next load does all of it."""
    before = {"a.jsonl": A + B[:-1], "b.jsonl": C}
    box.put(before)
    box.load()
    loaded = tables(box)
    after = {"a.jsonl": A + B + b"x\n", "b.jsonl": D, "c.jsonl": A * 100_000}
    box.put(after)
    seen = 0

    def interrupt(*_: int) -> None:
        nonlocal seen
        seen += 1
        if seen == calls:
            raise error

    with pytest.raises(error):
        load(box.connection, [box.folder], interrupt)
    assert seen == calls
    assert tables(box) == loaded
    box.check(before)
    box.load()
    box.build()
    assert box.totals()["lines"] == 3 + 1 + 1 + 100_000
    assert box.delivered() == {A: 100_001, B: 1, C: 1, D: 1}


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_a_file_that_grows_while_it_is_read(box: Inbox, name: str) -> None:
    """A load does not chase the writer, and the next one misses nothing."""
    content = (A[:-1] + b" " * 2_000 + b"\n") * 3_000
    box.put({name: content})
    more = B + C[:-1]

    def write_on(*_: int) -> None:
        with box.folder.joinpath(name).open("ab") as file:
            file.write(compressed(name, more + b"\n"))
        nonlocal content
        content += more + b"\n"

    load(box.connection, [box.folder], write_on)
    assert len(content) < 8_000_000
    box.load()
    box.check({name: content})


def test_a_file_that_vanishes_while_it_is_read(box: Inbox) -> None:
    """It cannot be told from another later, so it leaves nothing behind; the other files load."""
    files = {"a.jsonl": A, "c.jsonl": C}
    box.put(files | {"b.jsonl": B * 30_000})

    def vanish(*_: int) -> None:
        box.folder.joinpath("b.jsonl").unlink(missing_ok=True)

    [problem] = load(box.connection, [box.folder], vanish).problems
    assert problem.source_file == str(box.folder / "b.jsonl")
    box.check(files)


def test_progress_ends_at_the_whole(box: Inbox) -> None:
    """It never goes back, and what it says is there to read is what is read."""
    box.put({"a.jsonl": A * 50_000, "b.jsonl.gz": B * 50_000, "c.jsonl": b""})
    said: list[tuple[int, int]] = []
    load(box.connection, [box.folder], lambda done, total: said.append((done, total)))
    assert said == sorted(said)
    assert said[-1][0] == said[-1][1] == sum(path.stat().st_size for path in box.folder.iterdir())


def test_a_status_that_is_added_takes_in_what_was_rejected(product: Product, tmp_path: Path) -> None:
    """And one that is removed gives it back, without any file being read again."""
    content = b"\n".join(
        [
            valid_but(status="NEW", extra=1),
            valid_but(priorStatus="NEW", status="OPTED_OUT"),
            valid_but(status="NEW", priorStatus="OTHER"),
            valid_but(status="NEWER"),
            b'{"payload": ' + valid_but(status="NEW") + b"}",
            A,
        ]
    )
    seeds = tmp_path / "seeds"
    shutil.copytree(REFERENCE, seeds)
    *others, last = seeds.joinpath("participant_statuses.csv").read_text(encoding="utf-8").splitlines()
    new = last.replace("EMAIL_HARD_BOUNCED,25", "NEW,26")
    seeds.joinpath("participant_statuses.csv").write_text("\n".join([*others, last, new]), encoding="utf-8")
    widened = {**DEFAULT_STATUSES, "NEW": DEFAULT_STATUSES["INVITE_SENT"]}
    with connect(tmp_path / "w.duckdb") as connection:
        product.prepare(connection)
        box = Inbox(product, tmp_path, connection)
        box.put({"a.jsonl": content})
        box.load()
        box.check({"a.jsonl": content})
        for folder, statuses in ((seeds, widened), (REFERENCE, DEFAULT_STATUSES)):
            product.prepare(connection, folder)
            box.statuses = statuses
            box.check({"a.jsonl": content})
