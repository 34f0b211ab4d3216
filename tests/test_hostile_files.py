"""Things that are called like webhook files and are none: each is named, none is waited for, the others load."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from awkward_lines import VALID
from inbox import Inbox
from processes import PROJECT, studyflow

from pipelines.load import finding, loader
from pipelines.load.loader import load
from pipelines.load.objects import KnownObjects


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


HOSTILE_FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "pipe": (os.mkfifo, "not a regular file"),
    "socket": (_socket, "not a regular file"),
    "endless device": (lambda path: path.symlink_to("/dev/zero"), "not a regular file"),
    "terminal": (lambda path: path.symlink_to("/dev/tty"), "cannot be read"),
    "loop": (lambda path: path.symlink_to(path), "symbolic links"),
    "link to nothing": (lambda path: path.symlink_to("nothing"), "No such file"),
    "gzip of two bytes": (
        lambda path: path.write_bytes(b"\x1f\x8b"),
        "begins like gzip, but cannot be read to its end",
    ),
    "zstd of five bytes": (
        lambda path: path.write_bytes(b"\x28\xb5\x2f\xfd\x00"),
        "begins like zstd, but cannot be read to its end",
    ),
}
if Path("/proc/version").exists():
    HOSTILE_FILES["file that does not tell its size"] = (
        lambda path: path.symlink_to("/proc/version"),
        "its length is unknown",
    )


@pytest.mark.parametrize("thing", HOSTILE_FILES)
def test_what_is_no_file(box: Inbox, thing: str) -> None:
    make, says = HOSTILE_FILES[thing]
    files = {"a.jsonl": VALID + b"\n", "z.jsonl": VALID + b"\n"}
    box.put(files)
    make(box.folder / "m.jsonl")
    [problem] = load(box.connection, [box.folder]).problems
    assert problem.source_file == str(box.folder / "m.jsonl")
    assert says in problem.problem
    box.check(files)


def test_a_file_that_goes_before_it_is_read(box: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever tidies the folder meanwhile costs that file and no other."""
    files = {"a.jsonl": VALID + b"\n", "b.jsonl": VALID + b"\n"}
    box.put(files)
    find = finding.find

    def find_and_remove(paths: list[Path], known: KnownObjects) -> object:
        found = find(paths, known)
        box.folder.joinpath("a.jsonl").unlink()
        return found

    monkeypatch.setattr(loader, "find", find_and_remove)
    [problem] = load(box.connection, [box.folder]).problems
    assert "a.jsonl" in str(problem)
    box.check({"b.jsonl": files["b.jsonl"]})


def test_what_may_not_be_read(tmp_path: Path) -> None:
    """A closed file and a closed folder are named. Root may read all, unless it does without that right."""
    as_root = os.geteuid() == 0
    if as_root and not shutil.which("setpriv"):
        pytest.skip("root may read everything, and setpriv is not there")
    raw = tmp_path / "raw"
    (raw / "closed").mkdir(parents=True)
    for name in ("open.jsonl", "closed.jsonl"):
        (raw / name).write_bytes(VALID + b"\n")
    (raw / "closed.jsonl").chmod(0)
    (raw / "closed").chmod(0)
    words = [sys.executable, "-m", "pipelines", "load", str(raw), "--database", str(tmp_path / "w.duckdb")]
    without = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"] if as_root else []
    done = subprocess.run([*without, *words], cwd=PROJECT, capture_output=True, text=True, check=False)
    (raw / "closed").chmod(0o700)
    assert done.returncode == 1, done.stderr
    assert "closed.jsonl: cannot be read (Permission denied)" in done.stderr
    assert "closed: cannot be listed (Permission denied)" in done.stderr
    assert "1 line read" in done.stdout


def test_names_do_not_steer_the_terminal(tmp_path: Path) -> None:
    """A file's name may hold what colours, retitles and rewrites a terminal, or looks like markup."""
    for name in ("\x1b[31mred\nnot a message: \x1b]0;title\x07", "[red]:smile:", "\u202egnp"):
        (tmp_path / f"{name}.jsonl").write_bytes(b"\x1f\x8b")
    done = studyflow("load", tmp_path, "--database", tmp_path / "[red].duckdb")
    assert done.returncode == 1
    assert "\\x1b[31mred\\nnot a message" in done.stderr
    assert "[red]:smile:.jsonl" in done.stderr
    assert not set("\x1b\x07\u202e") & set(done.stderr)
    assert all(line.startswith("studyflow: ") for line in done.stderr.splitlines())
