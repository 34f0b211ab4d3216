"""Files that are renamed, rotated, copied and deleted between loads: each is read once, and nothing read is lost."""

import shutil
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from inbox import COUNTS, A, B, C, D, Inbox, counts, inbox
from oracle.lines import read_lines
from oracle.reference import DEFAULT_STATUSES
from product import Product, rows


def moved(box: Inbox, *steps: tuple[str, str]) -> None:
    """Rename files one after the other."""
    for old, new in steps:
        box.folder.joinpath(old).rename(box.folder / new)


def test_a_renamed_file_is_the_same(box: Inbox) -> None:
    """Also when it has grown since, or changed its folder; `source_file` says where it is now."""
    box.put({"a.jsonl": A + B[:-1]})
    box.load()
    moved(box, ("a.jsonl", "b.jsonl"))
    assert box.load().lines_read == 0
    box.check({"b.jsonl": A + B[:-1]})
    box.put({"b.jsonl": A + B + C})
    box.folder.joinpath("folder").mkdir()
    moved(box, ("b.jsonl", "folder/c.jsonl"))
    assert box.load().lines_read == 2
    box.check({"c.jsonl": A + B + C})
    [row] = rows(box.connection, "audit.load_files")
    assert row["source_file"] == str(box.folder / "folder" / "c.jsonl")


def test_rotation(box: Inbox) -> None:
    """Every file moves on by one name, the last is deleted, and a new one begins under the first name."""
    box.put({"a.jsonl": A, "a.1.jsonl": B, "a.2.jsonl": C})
    box.load()
    box.folder.joinpath("a.2.jsonl").unlink()
    moved(box, ("a.1.jsonl", "a.2.jsonl"), ("a.jsonl", "a.1.jsonl"))
    box.put({"a.jsonl": D})
    box.load()
    box.build()
    assert box.delivered() == dict.fromkeys((A, B, C, D), 1)
    names = {(Path(row["source_file"]).name, row["is_superseded"]) for row in rows(box.connection, "audit.load_files")}
    assert names == {("a.jsonl", False), ("a.1.jsonl", False), ("a.2.jsonl", False), ("a.2.jsonl", True)}


def test_files_that_change_places(box: Inbox) -> None:
    """Each keeps what was read of it."""
    box.put({"a.jsonl": A, "b.jsonl": B + b"\n"})
    box.load()
    moved(box, ("a.jsonl", "x"), ("b.jsonl", "a.jsonl"), ("x", "b.jsonl"))
    assert box.load().lines_read == 0
    box.check({"a.jsonl": B + b"\n", "b.jsonl": A})


def test_a_file_moved_onto_another(box: Inbox) -> None:
    """The other is gone, but what was read of it stays."""
    box.put({"a.jsonl": A, "b.jsonl": B + b"\n"})
    box.load()
    moved(box, ("a.jsonl", "b.jsonl"))
    box.load()
    box.build()
    assert box.delivered() == {A: 1, B: 1, C: 0, D: 0}
    files = {row["is_superseded"]: row for row in rows(box.connection, "audit.load_files")}
    assert (files[False]["lines"], files[True]["lines"], files[True]["blank"]) == (1, 1, 0)


def test_the_inode_of_a_deleted_file_is_given_to_another(box: Inbox) -> None:
    """File systems do so at once. An empty file, or one of other content, must not stand for it."""
    box.put({"a.jsonl": b"", "b.jsonl": A})
    box.load()
    for name, content in (("c.jsonl", B), ("d.jsonl", C), ("e.jsonl", D)):
        for old in box.folder.iterdir():
            old.unlink()
        box.put({name: content})
        box.load()
    box.put({"f.jsonl": D})
    box.folder.joinpath("e.jsonl").unlink()
    moved(box, ("f.jsonl", "e.jsonl"))
    box.load()
    box.build()
    assert box.delivered() == dict.fromkeys((A, B, C, D), 1)


def test_a_vanished_file(box: Inbox) -> None:
    """What was read stays, and so when the file comes back as it was."""
    files = {"a.jsonl": A + B, "b.jsonl": C}
    box.put(files)
    box.load()
    shutil.copy2(box.folder / "a.jsonl", box.folder / "kept")
    box.folder.joinpath("a.jsonl").unlink()
    box.load()
    box.check(files)
    shutil.copy2(box.folder / "kept", box.folder / "a.jsonl")
    assert box.load().lines_read == 0
    box.check(files)


def test_a_copy_is_a_file_of_its_own(box: Inbox) -> None:
    """Its lines count, its deliveries are repeats, and its changes are no new ones."""
    box.put({"a.jsonl": A + B})
    box.load()
    shutil.copy2(box.folder / "a.jsonl", box.folder / "b.jsonl")
    box.load()
    box.check({"a.jsonl": A + B, "b.jsonl": A + B})


def test_a_copy_that_takes_the_name(box: Inbox) -> None:
    """`mv a b && cp b a`: b is the file that was read, a is new."""
    box.put({"a.jsonl": A})
    box.load()
    moved(box, ("a.jsonl", "b.jsonl"))
    shutil.copy2(box.folder / "b.jsonl", box.folder / "a.jsonl")
    box.load()
    box.check({"a.jsonl": A, "b.jsonl": A})


NAMES = st.sampled_from(["a.jsonl", "b.jsonl", "c.jsonl"])
CONTENTS = st.builds(
    lambda lines, is_ended: b"".join(lines) if is_ended else b"".join(lines)[:-1],
    st.lists(st.sampled_from([A, B, C, D, b"x\n", b"\n"]), max_size=4),
    st.booleans(),
)


@dataclass
class Course:
    """What happens to a folder. A file has a number, whatever its name; of each, how often a line was in it at most."""

    box: Inbox
    files: dict[str, bytes] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    most: dict[int, Counter[bytes]] = field(default_factory=dict)

    def go_on(self, data: st.DataObject) -> None:
        """Draw what happens next."""
        name = data.draw(NAMES)
        if name not in self.files:
            self._write(name, data.draw(CONTENTS | st.sampled_from([b"", *self.files.values()])))
            return
        held = self.files[name]
        match data.draw(st.sampled_from(["grow", "grow", "rename", "cut", "rewrite", "delete", "touch"])):
            case "grow":
                self._write(name, held + b"\n" * (held[-1:] not in {b"", b"\n"}) + data.draw(CONTENTS))
            case "cut":
                self._write(name, held[: data.draw(st.integers(0, len(held)))])
            case "rewrite":
                self._write(name, data.draw(CONTENTS))
            case "touch":
                self._write(name, held)
            case "rename":
                new = data.draw(NAMES)
                moved(self.box, (name, new))
                self.files[new], self.numbers[new] = self.files.pop(name), self.numbers.pop(name)
            case "delete":
                self.box.folder.joinpath(name).unlink()
                del self.files[name], self.numbers[name]

    def _write(self, name: str, content: bytes) -> None:
        self.box.put({name: content})
        self.files[name] = content
        self.numbers.setdefault(name, self.box.written)

    def check(self) -> None:
        """A file's counts are those of what it holds. A line ever seen is there, as often as the files hold it or held it."""
        self.box.load()
        self.box.build()
        found = {
            Path(row["source_file"]).name: {count: row[count] for count in COUNTS}
            for row in rows(self.box.connection, "audit.load_files")
            if not row["is_superseded"]
        }
        lines = read_lines(self.files, DEFAULT_STATUSES)
        assert {name: found[name] for name in self.files} == {name: counts(lines, name) for name in self.files}

        now: Counter[bytes] = Counter()
        for name, content in self.files.items():
            held = Counter({line: content.count(line[:-1]) for line in (A, B, C, D)})
            self.most[self.numbers[name]] = self.most.get(self.numbers[name], Counter()) | held
            now += held
        ever = sum(self.most.values(), Counter())
        delivered = self.box.delivered()
        assert all(max(now[line], min(1, ever[line])) <= times <= ever[line] for line, times in delivered.items())


@given(st.data())
def test_any_course_of_events(product: Product, data: st.DataObject) -> None:
    """Between one load and the next, anything can happen to the files."""
    with inbox(product) as box:
        course = Course(box)
        for _ in range(data.draw(st.integers(1, 5))):
            for _ in range(data.draw(st.integers(1, 4))):
                course.go_on(data)
            course.check()
