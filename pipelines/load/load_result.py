"""The result of a load."""

from dataclasses import dataclass
from typing import Any

from pipelines.errors import SourceError, StudyflowError
from pipelines.load.finding import named
from pipelines.plain import several


@dataclass(frozen=True, slots=True)
class LoadResult:
    """The number of files by what happened to them, and of lines read, including blank ones.

    `nothing_usable`: why there is no webhook in the files; None if there is one.
    """

    files_found: int
    files_new: int
    files_grown: int
    files_rewritten: int
    lines_read: int
    problems: tuple[SourceError, ...]
    files_left_out: tuple[str, ...] = ()
    nothing_usable: str | None = None

    @property
    def failures(self) -> tuple[StudyflowError, ...]:
        """The problems of files, and an error if there is no webhook. Empty if the load succeeded."""
        return (*self.problems, *([StudyflowError(self.nothing_usable)] if self.nothing_usable else []))

    def as_dict(self) -> dict[str, Any]:
        """The result for the JSON output."""
        return {
            "files_found": self.files_found,
            "files_new": self.files_new,
            "files_grown": self.files_grown,
            "files_rewritten": self.files_rewritten,
            "lines_read": self.lines_read,
            "files_left_out": list(self.files_left_out),
            "nothing_usable": self.nothing_usable,
            "problems": [str(problem) for problem in self.problems],
        }

    def sentence(self) -> str:
        """The result in one sentence."""
        left_out = f" Not read: {named(self.files_left_out)}." if self.files_left_out else ""
        if not self.files_found:
            return f"No webhook files were found.{left_out}"
        if not self.lines_read:
            return f"Nothing new in {several(self.files_found, 'file')}.{left_out}"
        return (
            f"{several(self.lines_read, 'line')} read: {several(self.files_new, 'new file')}, {self.files_grown:,} grown, "
            f"{self.files_rewritten:,} rewritten, of {self.files_found:,} found.{left_out}"
        )
