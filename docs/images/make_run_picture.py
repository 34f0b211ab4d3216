"""Draw README's picture of `studyflow run`: the real output for the sample, as SVG.

Run it with `.venv/bin/python docs/images/make_run_picture.py`; a test fails when the picture is stale.
"""

import io
import re
import tempfile
from pathlib import Path

from rich.console import Console

from pipelines.export import ExportOptions
from pipelines.outcome import Outcome
from pipelines.run import run_all
from pipelines.settings import resolve

PICTURE = Path(__file__).with_name("run.svg")
FONT_FACE = re.compile(r"\s*@font-face \{.*?\}\n", re.DOTALL)


def run_sample(folder: Path) -> Outcome:
    """A run of the sample that leaves the project's own warehouse and exports alone."""
    settings = resolve(database=folder / "w.duckdb", exports=folder / "exports")
    return run_all(settings, ExportOptions(), strict=False, console=None)


def draw(outcome: Outcome) -> str:
    """The outcome as SVG. What differs from run to run is shown as a newcomer would see it."""
    outcome.settings = resolve()
    outcome.steps = {"load": 0.1, "build": 3.1, "check": 1.4, "export": 0.1}
    console = Console(record=True, width=82, file=io.StringIO(), force_terminal=True)
    outcome.render(console)
    return FONT_FACE.sub("", console.export_svg(title="studyflow run", unique_id="run"))


def main() -> None:
    """Write the picture."""
    with tempfile.TemporaryDirectory() as folder:
        PICTURE.write_text(draw(run_sample(Path(folder))), encoding="utf-8")


if __name__ == "__main__":
    main()
