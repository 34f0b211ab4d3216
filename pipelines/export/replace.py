"""A folder that is replaced as a whole: others see the files of before or the new ones, never some of each.

The new folder is made in a workspace beside it, which has a fixed hidden name, so the next export clears what a killed one
left there. In the workspace, `new` is a complete export or, after the swap_folders, the folder of before. `old` is the folder of
before, on systems that cannot swap_folders two folders. Everything else may be removed at any time.
"""

import json
import os
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path, PurePath
from stat import S_ISREG
from typing import Any

from pipelines.errors import StudyflowError
from pipelines.locks import folder_lock
from pipelines.system import swap_folders, sync, sync_tree

MANIFEST = ".studyflow-export.json"
ABOUT = "The files that `studyflow export` wrote here. It replaces and removes these, and no others."


@contextmanager
def workspace(folder: Path) -> Iterator[Path]:
    """Where a replacement for the folder can be made. Only one process has it at a time.

    Raises:
        StudyflowError: another process is at it.
        OSError: nothing can be made there.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    path = folder.with_name(f".{folder.name}.studyflow-export")
    with folder_lock(path) as is_locked:
        if not is_locked:
            msg = f"{folder}: another process is exporting to this folder. Wait until it ends, then try again."
            raise StudyflowError(msg)
        _tidy(path, folder)
        yield path


@contextmanager
def replacement(
    workspace: Path, folder: Path, files: Collection[str], made: Mapping[str, Any], content: str | None
) -> Iterator[Path]:
    """A new folder to put `files` into (relative paths); it takes the place of `folder` when the block ends well.

    `made`: how they are made, for `how_made`. `content`: what is in them, for `is_up_to_date`.

    Files that earlier exports wrote, as their manifest says, go; all others are moved over as they are.

    Raises:
        StudyflowError: a file that is not ours has a name that is needed.
        OSError: something cannot be written.
    """
    unfinished, new = workspace / "unfinished", workspace / "new"
    try:
        unfinished.mkdir()
        _give_rights_of(folder, unfinished)
        yield unfinished
        _write_manifest(unfinished, files, made, content)
        sync_tree(unfinished)
        _foreign(folder, unfinished)
        unfinished.rename(new)
        _put_in_place(new, folder, workspace / "old")
    except BaseException:
        with suppress(OSError):
            _tidy(workspace, folder)
        raise
    _tidy(workspace, folder)


def _put_in_place(new: Path, folder: Path, old: Path) -> None:
    if not folder.exists():
        new.rename(folder)
    elif not swap_folders(new, folder):
        folder.rename(old)
        new.rename(folder)
    sync(folder.parent)


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
    """Clear the workspace, no matter how far the work in it had come.

    A link in it is nothing that an export made, and leads nowhere that may be touched.
    """
    old, new, unfinished = (workspace / name for name in ("old", "new", "unfinished"))
    for path in workspace.iterdir():
        if path.name != "lock" and (path.is_symlink() or path.is_file()):
            path.unlink()
        elif path.is_dir() and path not in {old, new}:
            shutil.rmtree(path)
    if old.exists() and not folder.exists():
        old.rename(folder)
    for rest in (old, new):
        if rest.exists():
            for path in _foreign(rest, folder):
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (rest / path).rename(folder / path)
            rest.rename(unfinished)  # what is left is ours, and stays known as ours if this is killed halfway
            shutil.rmtree(unfinished)


def _foreign(old: Path, new: Path) -> list[Path]:
    """What in `old` no export wrote: files, and folders as a whole where `new` has none of that name. Relative paths.

    Raises:
        StudyflowError: `new` has something else of that name.
    """
    ours = {MANIFEST, *_manifest(old).get("files", ())}
    our_folders = {parent.as_posix() for file in ours for parent in PurePath(file).parents}
    found: list[Path] = []
    folders = [Path()] if old.exists() else []
    for folder in folders:  # more are added as they are found
        for entry in sorted((old / folder).iterdir()):
            path = folder / entry.name
            there, is_folder = new / path, entry.is_dir() and not entry.is_symlink()
            if not is_folder and path.as_posix() in ours:
                continue
            if is_folder and not there.is_symlink() and (path.as_posix() in our_folders or there.is_dir()):
                folders.append(path)
            elif os.path.lexists(there):
                msg = f"{entry}: studyflow did not write this, and an export needs its name. Move it away."
                raise StudyflowError(msg)
            else:
                found.append(path)
    return found


def how_made(folder: Path) -> dict[str, Any] | None:
    """How the export in a folder was made, as far as it says; None where there is none."""
    said = _manifest(folder)
    return {"files": said["files"], **said["made"]} if said else None


def is_up_to_date(folder: Path, content: str, files: Collection[str]) -> bool:
    """Whether the export in a folder has this content in these files, and nobody changed one since it was written."""
    said = _manifest(folder)
    return said.get("content") == content and said.get("seen") == _seen(folder, files)


def _seen(folder: Path, files: Collection[str]) -> dict[str, list[int] | None]:
    """What each file is recognised by: its size and the time of its last change. None for a link, or where there is no file."""
    seen: dict[str, list[int] | None] = dict.fromkeys(files)
    for file in files:
        with suppress(OSError):
            status = (folder / file).lstat()
            seen[file] = [status.st_size, status.st_mtime_ns] if S_ISREG(status.st_mode) else None
    return seen


def _manifest(folder: Path) -> dict[str, Any]:
    """What the export in a folder says of itself; nothing where that is missing or no longer readable."""
    try:
        said = json.loads((folder / MANIFEST).read_bytes())
        return {**said, "files": list(map(str, said["files"])), "made": {**said.get("made", {})}}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _write_manifest(folder: Path, files: Collection[str], made: Mapping[str, Any], content: str | None) -> None:
    said = {"about": ABOUT, "files": sorted(files), "made": dict(made)}
    if content:
        said |= {"content": content, "seen": _seen(folder, files)}
    with (folder / MANIFEST).open("x", encoding="utf-8", newline="\n") as file:
        file.write(json.dumps(said, indent=1) + "\n")
