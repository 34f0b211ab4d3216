"""Files that are renamed, rotated, copied and deleted between loads: each is read once, and nothing read is lost."""

import gzip
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

from pipelines.load.loader import load


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
    shutil.copy2(box.folder / "a.jsonl", box.folder / "kept.bak")
    box.folder.joinpath("a.jsonl").unlink()
    box.load()
    box.check(files)
    shutil.copy2(box.folder / "kept.bak", box.folder / "a.jsonl")
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


def loaded_after(box: Inbox, files: dict[str, bytes], *steps: tuple[str, str]) -> dict[bytes, int]:
    """Rename files, write others, load; what is delivered then."""
    moved(box, *steps)
    box.put(files)
    box.load()
    box.build()
    return box.delivered()


def test_files_that_change_names_and_are_cut(box: Inbox) -> None:
    """What was read under another name comes again, here three times the same line, the last without its newline."""
    loaded_after(box, {"a.jsonl": (A * 3)[:-1], "c.jsonl": B})
    delivered = loaded_after(box, {"b.jsonl": A[:-1]}, ("a.jsonl", "b.jsonl"), ("c.jsonl", "a.jsonl"))
    assert delivered == {A: 3, B: 1, C: 0, D: 0}


def test_a_file_that_was_renamed_and_cut_is_another(box: Inbox) -> None:
    """Nothing has the name of its old content any more, and still that is no file's."""
    loaded_after(box, {"c.jsonl": A + B})
    assert loaded_after(box, {"d.jsonl": A}, ("c.jsonl", "d.jsonl")) == {A: 1, B: 1, C: 0, D: 0}
    assert loaded_after(box, {"d.jsonl": A + B}) == {A: 1, B: 1, C: 0, D: 0}


def test_what_was_cut_comes_again_under_another_name(box: Inbox) -> None:
    """As log rotation does with a file that is emptied and one that is not."""
    loaded_after(box, {"a.jsonl": A + D})
    loaded_after(box, {"a.jsonl": A})
    assert loaded_after(box, {"b.jsonl": A + D}, ("a.jsonl", "b.jsonl")) == {A: 1, B: 0, C: 0, D: 1}


def test_what_was_deleted_comes_again_in_pieces(box: Inbox) -> None:
    """A folder may be sorted into others, or packed, by whoever archives it."""
    loaded_after(box, {"a.jsonl": A + B + C})
    box.folder.joinpath("a.jsonl").unlink()
    assert loaded_after(box, {"b.jsonl.gz": B + A}) == {A: 1, B: 1, C: 1, D: 0}
    assert loaded_after(box, {"c.jsonl": C + C + B}) == {A: 1, B: 2, C: 2, D: 0}


def test_a_file_that_a_load_was_not_asked_for_keeps_its_lines(box: Inbox) -> None:
    """Loads of two folders in turn are as good as loads of both, as long as the files there are what they were."""
    box.put({"a.jsonl": A + B, "b.jsonl": A + B + C})
    for name in ("a.jsonl", "b.jsonl"):
        load(box.connection, [box.folder / name])
    box.check({"a.jsonl": A + B, "b.jsonl": A + B + C})
    box.put({"a.jsonl": A + B + D})
    load(box.connection, [box.folder / "b.jsonl"])
    box.put({"a.jsonl": D, "b.jsonl": A + B + C + B})
    load(box.connection, [box.folder / "b.jsonl"])
    box.build()
    assert box.delivered() == {A: 2, B: 2, C: 1, D: 0}


LINES = [A, B, C, D, b"x\n", b"\n"]
NAMES = st.sampled_from(["a.jsonl", "b.jsonl", "c.jsonl"])
CONTENTS = st.builds(
    lambda lines, is_ended: b"".join(lines) if is_ended else b"".join(lines)[:-1],
    st.lists(st.sampled_from(LINES), max_size=4),
    st.booleans(),
)


@dataclass(eq=False)
class File:
    """A file on disk, whatever its names."""

    content: bytes
    is_packed: bool = False


@dataclass
class Course:
    """What happens to a folder, and of each line, how often all files together held it at most when they were loaded."""

    box: Inbox
    files: dict[str, File] = field(default_factory=dict)
    most: Counter[bytes] = field(default_factory=Counter)

    def go_on(self, data: st.DataObject) -> None:
        """Draw what happens next."""
        name = data.draw(NAMES)
        if name in self.files:
            what_happens = data.draw(st.sampled_from(EVENTS))
            what_happens(self, name, data)
        else:
            self._write(
                name, data.draw(CONTENTS | st.sampled_from([b"", *(file.content for file in self.files.values())]))
            )

    def grow(self, name: str, data: st.DataObject) -> None:
        """Whoever appends ends the last line first."""
        held = self.files[name].content
        self._write(name, held + b"\n" * (held[-1:] not in {b"", b"\n"}) + data.draw(CONTENTS))

    def cut(self, name: str, data: st.DataObject) -> None:
        """Anywhere."""
        held = self.files[name].content
        self._write(name, held[: data.draw(st.integers(0, len(held)))])

    def rewrite(self, name: str, data: st.DataObject) -> None:
        """With other lines, or the same."""
        self._write(name, data.draw(CONTENTS | st.just(self.files[name].content)))

    def edit(self, name: str, data: st.DataObject) -> None:
        """Not its length."""
        one, other = data.draw(st.permutations([b"-a", b"-b", b"-c", b"-d"]))[:2]
        self._write(name, self.files[name].content.replace(one, other))

    def pack(self, name: str, _: st.DataObject) -> None:
        """Into a gzip file of the same name, or out of it."""
        self.files[name].is_packed = not self.files[name].is_packed
        self._write(name, self.files[name].content)

    def replace(self, name: str, data: st.DataObject) -> None:
        """With a new file, which may get the inode of the old one."""
        held = self.files[name].content
        self.delete(name, data)
        self._write(name, data.draw(CONTENTS | st.just(held)))

    def rename(self, name: str, data: st.DataObject) -> None:
        """Also onto another file, which is gone then."""
        self._rename(name, data.draw(NAMES))

    def swap(self, name: str, data: st.DataObject) -> None:
        """Two files change places."""
        other = data.draw(NAMES)
        if other in self.files and other != name:
            for old, new in ((name, "x"), (other, name), ("x", other)):
                self._rename(old, new)

    def copy(self, name: str, data: st.DataObject) -> None:
        """Also over another file."""
        self._write(data.draw(NAMES), self.files[name].content)

    def link(self, name: str, data: st.DataObject) -> None:
        """Give it another name, too."""
        other = data.draw(NAMES)
        if other not in self.files:
            self.box.folder.joinpath(other).hardlink_to(self.box.folder / name)
            self.files[other] = self.files[name]

    def delete(self, name: str, _: st.DataObject) -> None:
        """One of its names, or the only one."""
        self.box.folder.joinpath(name).unlink()
        del self.files[name]

    def _write(self, name: str, content: bytes) -> None:
        file = self.files.setdefault(name, File(content))
        file.content = content
        self.box.put({name: gzip.compress(content) if file.is_packed else content})

    def _rename(self, name: str, new: str) -> None:
        if self.files[name] is not self.files.get(new):  # two names of one file stay
            moved(self.box, (name, new))
            self.files[new] = self.files.pop(name)

    def check(self) -> None:
        """A file's counts are those of what it holds. Each line counts as often as the files ever held it at once."""
        self.box.load()
        self.box.build()
        ledger = [row for row in rows(self.box.connection, "audit.load_files") if not row["is_superseded"]]
        found = {Path(row["source_file"]).name: {count: row[count] for count in COUNTS} for row in ledger}
        assert len(found) == len(ledger)

        names = {id(file): {name for name in self.files if self.files[name] is file} for file in self.files.values()}
        held = {name: self.files[name].content for all_names in names.values() for name in all_names & found.keys()}
        assert len(held) == len(names)
        lines = read_lines(held, DEFAULT_STATUSES)
        assert {name: found[name] for name in held} == {name: counts(lines, name) for name in held}

        self.most |= Counter(line.raw for line in lines if line.outcome != "blank")
        rejected = Counter(row["line"].encode() for row in rows(self.box.connection, "audit.rejected_lines"))
        accepted = Counter({line[:-1]: times for line, times in self.box.delivered().items()})
        assert +(accepted + rejected) == self.most


EVENTS = [Course.grow, Course.grow, Course.rename, Course.rename, Course.cut, Course.rewrite, Course.edit, Course.pack]
EVENTS += [Course.replace, Course.swap, Course.copy, Course.link, Course.delete]


@given(st.data())
def test_any_course_of_events(product: Product, data: st.DataObject) -> None:
    """Between one load and the next, anything can happen to the files."""
    with inbox(product) as box:
        course = Course(box)
        for _ in range(data.draw(st.integers(1, 5))):
            for _ in range(data.draw(st.integers(1, 4))):
                course.go_on(data)
            course.check()
