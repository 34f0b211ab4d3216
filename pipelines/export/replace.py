"""Replace a folder as a whole: readers see either the old files or the new ones, never a mixture.

The new folder is made in a workspace beside it. The workspace has a fixed hidden name, so the next export clears what a
killed one left there. In the workspace, `new` is a complete export or, after the swap, the previous folder. `old` is
the previous folder on systems that cannot swap two folders. Everything else may be deleted at any time.
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
    """A folder in which to make a replacement. It is locked, so that only one process at a time can export.

    Raises:
        StudyflowError: another process is exporting to this folder.
        OSError: the workspace cannot be created.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    path = folder.with_name(f".{folder.name}.studyflow-export")
    with folder_lock(path) as is_locked:
        if not is_locked:
            msg = f"{folder}: another process is exporting to this folder. Wait until it ends, then try again."
            raise StudyflowError(msg)
        _clear_workspace(path, folder)
        yield path


@contextmanager
def replacement(
    workspace: Path, folder: Path, files: Collection[str], options: Mapping[str, Any], content: str | None
) -> Iterator[Path]:
    """A new folder to write `files` (relative paths) into. It replaces `folder` if the block succeeds.

    `options`: those of the export, for `options_of_export`. `content`: a hash of its inputs, for `is_up_to_date`.

    Files of earlier exports, which their manifest lists, are removed. All other files are moved to the new folder.

    Raises:
        StudyflowError: a file of somebody else has a name that the export needs.
        OSError: something cannot be written.
    """
    unfinished, new = workspace / "unfinished", workspace / "new"
    try:
        unfinished.mkdir()
        _give_rights_of(folder, unfinished)
        yield unfinished
        _write_manifest(unfinished, files, options, content)
        sync_tree(unfinished)
        _files_of_others(folder, unfinished)
        unfinished.rename(new)
        _put_in_place(new, folder, workspace / "old")
    except BaseException:
        with suppress(OSError):
            _clear_workspace(workspace, folder)
        raise
    _clear_workspace(workspace, folder)


def _put_in_place(new: Path, folder: Path, old: Path) -> None:
    if not folder.exists():
        new.rename(folder)
    elif not swap_folders(new, folder):
        folder.rename(old)
        new.rename(folder)
    sync(folder.parent)


def _give_rights_of(folder: Path, new: Path) -> None:
    """Copy owner (if allowed), group, mode and ACLs before files are made, which inherit some of them."""
    if not folder.exists():
        return
    status = folder.stat()
    if hasattr(os, "chown"):
        with suppress(PermissionError):  # only root may change the owner
            os.chown(new, status.st_uid, -1)
        if new.stat().st_gid != status.st_gid:
            os.chown(new, -1, status.st_gid)
    shutil.copystat(folder, new)


def _clear_workspace(workspace: Path, folder: Path) -> None:
    """Clear the workspace, at whatever point an earlier export was killed, and restore the folder if it is missing.

    Exports make no links, so a link in the workspace is deleted and never followed.
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
            for path in _files_of_others(rest, folder):
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (rest / path).rename(folder / path)
            rest.rename(unfinished)  # only our files are left; under this name they are deleted even if this is killed
            shutil.rmtree(unfinished)


def _files_of_others(old: Path, new: Path) -> list[Path]:
    """Relative paths of what in `old` no export wrote: files, and whole folders if `new` has no folder of that name.

    Raises:
        StudyflowError: `new` has something else with the same name.
    """
    ours = {MANIFEST, *_manifest(old).get("files", ())}
    our_folders = {parent.as_posix() for file in ours for parent in PurePath(file).parents}
    found: list[Path] = []
    folders = [Path()] if old.exists() else []
    for folder in folders:  # grows as subfolders are found
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


def options_of_export(folder: Path) -> dict[str, Any] | None:
    """The options and files of the export in a folder, as its manifest records them; None if there is no export."""
    manifest = _manifest(folder)
    return {"files": manifest["files"], **manifest["made"]} if manifest else None


def is_up_to_date(folder: Path, content: str, files: Collection[str]) -> bool:
    """Whether the export in a folder has this content and these files, and no file was changed since it was written."""
    manifest = _manifest(folder)
    return manifest.get("content") == content and manifest.get("seen") == _seen(folder, files)


def _seen(folder: Path, files: Collection[str]) -> dict[str, list[int] | None]:
    """The size and modification time of each file, to notice changes; None if it is missing or not a regular file."""
    seen: dict[str, list[int] | None] = dict.fromkeys(files)
    for file in files:
        with suppress(OSError):
            status = (folder / file).lstat()
            seen[file] = [status.st_size, status.st_mtime_ns] if S_ISREG(status.st_mode) else None
    return seen


def _manifest(folder: Path) -> dict[str, Any]:
    """The manifest of the export in a folder; empty if it is missing or unreadable."""
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        return {**manifest, "files": list(map(str, manifest["files"])), "made": {**manifest.get("made", {})}}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _write_manifest(folder: Path, files: Collection[str], options: Mapping[str, Any], content: str | None) -> None:
    manifest = {"about": ABOUT, "files": sorted(files), "made": dict(options)}
    if content:
        manifest |= {"content": content, "seen": _seen(folder, files)}
    with (folder / MANIFEST).open("x", encoding="utf-8", newline="\n") as file:
        file.write(json.dumps(manifest, indent=1) + "\n")
