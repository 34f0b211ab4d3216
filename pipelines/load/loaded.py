"""What a load did."""

from dataclasses import dataclass
from typing import Any

from pipelines.errors import SourceError


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load did: files by what happened to them, and the lines read from them, blank ones included."""

    files_found: int
    files_new: int
    files_grown: int
    files_rewritten: int
    lines_read: int
    problems: tuple[SourceError, ...]

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON has it."""
        return {
            "files_found": self.files_found,
            "files_new": self.files_new,
            "files_grown": self.files_grown,
            "files_rewritten": self.files_rewritten,
            "lines_read": self.lines_read,
            "problems": [str(problem) for problem in self.problems],
        }

    def sentence(self) -> str:
        """The same for a person."""
        if not self.files_found:
            return "No webhook files were found."
        if not self.lines_read:
            return f"Nothing new in {self.files_found:,} files."
        return (
            f"{self.lines_read:,} lines read: {self.files_new:,} new files, {self.files_grown:,} grown, "
            f"{self.files_rewritten:,} rewritten, of {self.files_found:,} found."
        )
