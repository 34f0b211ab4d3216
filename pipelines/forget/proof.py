"""The proof of what was done to forget a person, as sentences and as JSON. It contains no ids."""

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pipelines.errors import SourceError, StudyflowError
from pipelines.forget.known_person import KnownPerson
from pipelines.forget.raw_files import RawFileMatch
from pipelines.forget.search import Search
from pipelines.plain import several

ELSEWHERE = (
    "Rally itself, and backups, logs and files that were copied or sent elsewhere: studyflow does not know about them"
)
WRITES_NO_OBJECTS = ". studyflow does not change objects: replace it with one without these lines, or delete it"


@dataclass(slots=True)
class Proof:
    """What was removed, where the person still is, and what a search found.

    `tables`: rows of each table before and after; empty if the warehouse had no data on the person.
    `missing`: files that were loaded but are no longer where they were.
    """

    known: KnownPerson
    when: datetime
    warehouse: Path
    people_file: Path
    is_rewriting: bool
    tables: dict[str, tuple[int, int]] = field(default_factory=dict)
    checks_passed: bool = True
    exports: Path | None = None
    exported: int = 0
    reports: list[Path] = field(default_factory=list)
    leftovers: list[Path] = field(default_factory=list)
    raw_files: list[RawFileMatch] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    search: Search = field(default_factory=Search)
    problems: list[SourceError] = field(default_factory=list)

    @property
    def still_held(self) -> list[str]:
        """Where the person is known to be still mentioned, and problems that prevented a search or removal."""
        places = [
            f"{match.file}: {' and '.join(_lines_left(match))}{WRITES_NO_OBJECTS if match.is_object else ''}"
            for match in self.raw_files
            if match.is_left
        ]
        if self.known.people_rows and not self.is_rewriting:
            places.append(f"{self.people_file}: {several(self.known.people_rows, 'row')}")
        return places + [f"{problem}" for problem in self.problems]

    @property
    def is_done(self) -> bool:
        """Whether everything requested was done, everything could be searched, and nothing was found."""
        is_left = self.problems or (self.is_rewriting and self.still_held)
        return not (is_left or self.search.found or self.search.unread)

    def as_dict(self) -> dict[str, Any]:
        """The proof for the JSON output."""
        known, before = self.known, self.known.forgotten_at
        hashes = known.hashes
        return {
            "forgotten_at": self.when.isoformat(),
            "forgotten_before": before.isoformat() if before else None,
            "person": {
                "sha256_of_salt_and_id": known.person_hash,
                "salt": hashes.salt,
                "participants": len(hashes.participants),
            },
            "warehouse": str(self.warehouse),
            "lines_removed": known.lines,
            "tables": {
                table: {"rows_before": before, "rows_after": after, "rows_removed": before - after}
                for table, (before, after) in self.tables.items()
            },
            "checks_passed": self.checks_passed,
            "exports": {"folder": str(self.exports) if self.exports else None, "files_written": self.exported},
            "reports_removed": [str(file) for file in self.reports],
            "leftovers_removed": [str(file) for file in self.leftovers],
            "raw_files": [asdict(match) for match in self.raw_files],
            "raw_files_not_found": self.missing,
            "people_file": {"file": str(self.people_file), "rows": known.people_rows, "rewritten": self.is_rewriting}
            if known.people_rows
            else None,
            "search": self.search.as_dict(),
            "still_held": self.still_held,
            "not_known": ELSEWHERE,
            "is_done": self.is_done,
        }

    def write(self, file: Path) -> None:
        """Write the proof as JSON.

        Raises:
            StudyflowError: the file cannot be written.
        """
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(self.as_dict(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        except OSError as error:
            msg = f"{file}: the proof cannot be written ({error.strerror}). The person has been forgotten. Run the command again with another --proof."
            raise StudyflowError(msg) from error

    def sentences(self) -> list[str]:
        """The proof as lines of text."""
        lines, known = [], self.known
        if self.tables:
            lines.append(f"Forgotten: {several(known.lines, 'line')} about this person.")
            changed = {table: rows for table, rows in self.tables.items() if rows[0] != rows[1]}
            lines += [f"  {table}: {before:,} rows before, {after:,} now" for table, (before, after) in changed.items()]
        else:
            lines.append(
                f"{self.warehouse} has no data on this person any more. They were forgotten on {known.forgotten_at:%Y-%m-%d}."
            )
        if self.exports:
            lines.append(f"{self.exports}: {several(self.exported, 'file')} exported again")
        lines += [f"{file}: removed, because this report names them" for file in self.reports]
        lines += [
            f"{file}: removed; it was left by a killed run or is a saved answer of the notebook"
            for file in self.leftovers
        ]
        lines += [
            f"{match.file}: {several(match.lines, 'line')} removed" for match in self.raw_files if match.is_rewritten
        ]
        if known.people_rows and self.is_rewriting:
            lines.append(f"{self.people_file}: {several(known.people_rows, 'row')} removed")
        if self.search.found:
            lines += ["A search for their ids and name found them:", *(f"  {place}" for place in self.search.found)]
        else:
            lines.append(
                f"A search of {self.search.columns:,} columns and {self.search.files:,} files for their ids and name "
                "found nothing."
            )
        if self.search.unread:
            lines += ["These could not be searched:", *(f"  {place}" for place in self.search.unread)]
        if self.still_held:
            lines += ["They are still in:", *(f"  {place}" for place in self.still_held)]
            if not self.is_rewriting and (known.people_rows or not all(match.is_object for match in self.raw_files)):
                lines.append("  (--raw-files also removes their lines from files on disk)")
        if self.missing:
            lines.append(
                "Not searched, because these files are no longer where they were loaded from. If you moved one, name it with --raw:"
            )
            lines += [f"  {file}" for file in self.missing]
        if not self.checks_passed:
            lines.append("Some data checks failed: see `studyflow check`.")
        lines += ["Not searched:", *(f"  {what}" for what in [*self.search.not_searched, ELSEWHERE])]
        return lines


def _lines_left(match: RawFileMatch) -> list[str]:
    left = [] if match.is_rewritten or not match.lines else [f"{several(match.lines, 'line')} about them"]
    left += [f"{several(match.mentions, 'line')} about others that mention them"] if match.mentions else []
    return (
        left if match.was_loaded else [*left, "never loaded under this name; if it is a raw file, name it with --raw"]
    )
