"""The outcome of a run: as text for a person, as JSON, and as an exit code."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from rich.console import Console
from rich.table import Table

from pipelines.errors import ExitCode, StudyflowError
from pipelines.load.finding import named
from pipelines.load.load_result import LoadResult
from pipelines.plain import plain
from pipelines.settings import Settings
from pipelines.state import Build
from pipelines.summary import Summary, render

if TYPE_CHECKING:
    from pipelines.check import Report
    from pipelines.export import ExportResult
    from pipelines.report import Written


@dataclass(slots=True)
class Outcome:
    """What a run did: its steps with their seconds, the summary, the result of the checks, the files written.

    `notes`: possible mistakes in the reference files. `report`: the result of the checks; None if they were skipped
    because the tables have not changed since they last passed.
    """

    settings: Settings
    steps: dict[str, float] = field(default_factory=dict)
    loaded: LoadResult | None = None
    build: Build | None = None
    built: Literal["all", "touched", "nothing"] = "all"
    summary: Summary | None = None
    report: "Report | None" = None
    exported: "ExportResult | None" = None
    reported: "Written | None" = None
    notes: list[str] = field(default_factory=list)

    @property
    def problems(self) -> tuple[StudyflowError, ...]:
        """An error for each file that could not be read, and one if no file has a webhook."""
        return self.loaded.failures if self.loaded else ()

    @property
    def exit_code(self) -> ExitCode:
        """1 if a file could not be read or there was no webhook, 3 if checks failed, else 0."""
        if self.problems:
            return ExitCode.FAILED
        return ExitCode.CHECKS_FAILED if self.report and not self.report.ok else ExitCode.DONE

    def as_dict(self) -> dict[str, Any]:
        """The outcome for the JSON output."""
        from pipelines.check import as_dict  # noqa: PLC0415

        return {
            **(self.summary.as_dict() if self.summary else {}),
            "loaded": self.loaded.as_dict() if self.loaded else None,
            "notes": self.notes,
            "built": self.built,
            "checks": as_dict(self.report) if self.report else None,
            "exports": {
                "folder": str(self.settings.exports),
                "wrote": self.exported.wrote if self.exported else "nothing",
                "files": [str(file) for file in self.exported.files] if self.exported else [],
            },
            "report": self.reported.as_dict() if self.reported else None,
            "seconds": {step: round(seconds, 3) for step, seconds in self.steps.items()},
        }

    def render(self, output: Console) -> None:
        """Print the outcome for a person."""
        from pipelines.check import render as render_report  # noqa: PLC0415

        if self.built == "nothing" and self.build:
            output.print(
                f"Nothing new: the tables stay as they are, as of {self.build.as_of:%Y-%m-%d %H:%M} UTC.",
                highlight=False,
            )
        if self.summary:
            render(self.summary, output)
        is_right = self.report is None or self.report.ok
        if self.report and not is_right:
            render_report(self.report, output)
        places = Table.grid(padding=(0, 2))
        places.add_row("warehouse", _shown(self.settings.database))
        places.add_row("stage tables", _shown(self.settings.exports))
        if self.loaded and self.loaded.files_left_out:
            places.add_row("not read", plain(named(self.loaded.files_left_out)))
        if self.loaded and self.loaded.nothing_usable:
            places.add_row("webhooks", plain(self.loaded.nothing_usable))
        for note in self.notes:
            places.add_row("note", plain(note))
        for file in self.reported.files if self.reported else ():
            places.add_row("report", _shown(file))
        places.add_row("checks", "passed" if is_right else "failed; see above, or run `studyflow check`")
        places.add_row("took", ", ".join(f"{step} {seconds:.1f} s" for step, seconds in self.steps.items()))
        output.print(places, highlight=False, soft_wrap=True)


def _shown(path: Path) -> str:
    here = Path.cwd()
    return plain(str(path.relative_to(here) if path.is_relative_to(here) else path))
