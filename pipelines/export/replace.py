"""A folder that is replaced as a whole: others see the files of before or the new ones, never some of each."""

import json
import os
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePath
from stat import S_ISREG
from typing import Any

from pipelines.errors import StudyflowError
from pipelines.locks import alone
from pipelines.system import exchange, flush, flush_one

MANIFEST = ".studyflow-export.json"
DRAFTS = "drafts-"
"""How folders of drafts begin that are in a workspace and belong to no export."""
ABOUT = "The files that `studyflow export` wrote here. It replaces and removes these, and no others."


@dataclass(frozen=True, slots=True)
class Workspace:
    """Beside `folder`, under a fixed hidden name, so that what a killed process left there is cleared by the next."""

    folder: Path
    path: Path

    @contextmanager
    def replacement(
        self, files: Sequence[str], made: Mapping[str, Any] | None = None, content: str | None = None
    ) -> Iterator[Path]:
        """A new folder to put `files` into (relative paths); it takes the place of `folder` when the block ends well.

        `made`: how they are made, for `how_made`. `content`: what is in them, for `is_up_to_date`.

        Files that earlier exports wrote, as their manifest says, go; all others are moved over as they are.

        Raises:
            StudyflowError: a file that is not ours has a name that is needed.
            OSError: something cannot be written.
        """
        new = self.path / "new"
        try:
            new.mkdir()
            _give_rights_of(self.folder, new)
            _write_manifest(new, files, made or {})
            yield new
            if content:
                seen = {file: _seen(new / file) for file in files}
                _write_manifest(new, files, made or {}, {"content": content, "seen": seen})
            flush(new)
            _foreign(self.folder, new)
            _put_in_place(new, self.folder, self.path / "old")
        except BaseException:
            with suppress(OSError):
                _tidy(self.path, self.folder)
            raise
        _tidy(self.path, self.folder)


@contextmanager
def workspace(folder: Path) -> Iterator[Workspace]:
    """Where a replacement for the folder can be made. Only one process has it at a time.

    Raises:
        StudyflowError: another process is at it.
        OSError: nothing can be made there.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    path = folder.with_name(f".{folder.name}.studyflow-export")
    with alone(path) as is_alone:
        if not is_alone:
            msg = f"{folder}: another process is exporting to this folder. Wait until it ends, then try again."
            raise StudyflowError(msg)
        _tidy(path, folder)
        yield Workspace(folder, path)


@contextmanager
def replaced(folder: Path, files: Sequence[str]) -> Iterator[Path]:
    """A new folder to put `files` into, in a workspace of its own; see there."""
    with workspace(folder) as space, space.replacement(files) as new:
        yield new


def _put_in_place(new: Path, folder: Path, old: Path) -> None:
    if not folder.exists():
        new.rename(folder)
    elif not exchange(new, folder):
        folder.rename(old)
        new.rename(folder)
    flush_one(folder.parent)


def _give_rights_of(folder: Path, new: Path) -> None:
    """Owner, if the caller may, group, mode and access lists, before there are files in it, which inherit some of these."""
    if not folder.exists():
        return
    status = folder.stat()
    if hasattr(os, "chown"):
        with suppress(PermissionError):  # only root gives folders away
            os.chown(new, status.st_uid, -1)
        if new.stat().st_gid != status.st_gid:
            os.chown(new, -1, status.st_gid)
    shutil.copystat(folder, new)


def _tidy(workspace: Path, folder: Path) -> None:
    """Clear the workspace, whatever point the work in it had come to.

    A folder in it is either an unfinished export, all of whose files are ours, or what was in place before. A link in it
    is nothing that an export made, and leads nowhere that may be touched.
    """
    old, new = workspace / "old", workspace / "new"
    for path in (old, new, workspace / "manifest", *workspace.glob(f"{DRAFTS}*")):
        if path.is_symlink() or path.is_file():
            path.unlink()
        elif path.name.startswith(DRAFTS):
            shutil.rmtree(path)
    if old.exists() and not folder.exists():
        old.rename(folder)
    for rest in (old, new):
        if rest.exists():
            for path in _foreign(rest, folder):
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (rest / path).rename(folder / path)
            _remove_ours(rest)


def _foreign(old: Path, new: Path) -> list[Path]:
    """What in `old` no export wrote: files, and folders as a whole where `new` has none of that name. Relative paths.

    Raises:
        StudyflowError: `new` has something else of that name.
    """
    ours = _manifest(old)
    our_folders = {parent.as_posix() for file in ours for parent in PurePath(file).parents}
    found: list[Path] = []

    def look(at: Path) -> None:
        for entry in _entries(old / at):
            path = at / entry.name
            is_folder = entry.is_dir(follow_symlinks=False)
            if not is_folder and path.as_posix() in ours:
                continue
            there = new / path
            if is_folder and not there.is_symlink() and (path.as_posix() in our_folders or there.is_dir()):
                look(path)
            elif os.path.lexists(there):
                msg = f"{old / path}: studyflow did not write this, and an export needs its name. Move it away."
                raise StudyflowError(msg)
            else:
                found.append(path)

    if old.exists():
        look(Path())
    return found


def _remove_ours(folder: Path) -> None:
    """Remove the files of an export, the manifest last, and the folders that are empty then."""
    ours = _manifest(folder) - {MANIFEST}

    def clear(at: Path) -> None:
        for entry in _entries(folder / at):
            path = at / entry.name
            if entry.is_dir(follow_symlinks=False):
                clear(path)
                (folder / path).rmdir()
            elif path.as_posix() in ours:
                (folder / path).unlink()

    clear(Path())
    (folder / MANIFEST).unlink(missing_ok=True)
    folder.rmdir()


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: entry.name)


def how_made(folder: Path) -> dict[str, Any] | None:
    """How the export in a folder was made, as far as it says; None where there is none."""
    try:
        said = json.loads((folder / MANIFEST).read_bytes())
        return {"files": list(map(str, said["files"])), **said.get("made", {})}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def is_up_to_date(folder: Path, content: str, files: Collection[str]) -> bool:
    """Whether the export in a folder has this content in these files, and nobody changed one since it was written.

    A file is recognised by its size and the time of its last change. A link in its place is a change.
    """
    try:
        said = json.loads((folder / MANIFEST).read_bytes())
        seen = {str(file): tuple(stamp) for file, stamp in said["seen"].items()}
        return (
            said["content"] == content
            and seen.keys() == set(files)
            and all(_seen(folder / file) == stamp for file, stamp in seen.items())
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _seen(path: Path) -> tuple[int, int] | None:
    """Size and time of the last change of a file; None for anything that is not a regular file."""
    status = path.lstat()
    return (status.st_size, status.st_mtime_ns) if S_ISREG(status.st_mode) else None


def _write_manifest(
    folder: Path, files: Sequence[str], made: Mapping[str, Any], written: Mapping[str, Any] | None = None
) -> None:
    """Write it whole: of a process that is killed meanwhile, the files that are in the folder must stay known as ours."""
    said = {"about": ABOUT, "files": sorted(files)} | ({"made": dict(made)} if made else {}) | dict(written or {})
    draft = folder.with_name("manifest")
    draft.unlink(missing_ok=True)
    with draft.open("x", encoding="utf-8", newline="\n") as file:
        file.write(json.dumps(said, indent=1) + "\n")
    with suppress(AttributeError, OSError):
        os.chown(draft, -1, folder.stat().st_gid)  # like the files that are made in the folder
    draft.replace(folder / MANIFEST)


def _manifest(folder: Path) -> set[str]:
    """The files of the export in a folder: only the manifest itself where that is missing or no longer readable."""
    try:
        files = json.loads((folder / MANIFEST).read_bytes())["files"]
        return {MANIFEST, *map(str, files)}
    except (OSError, ValueError, KeyError, TypeError):
        return {MANIFEST}
