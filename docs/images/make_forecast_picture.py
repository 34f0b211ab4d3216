"""Measure how often forecasts come true on generated workspaces, and draw it for docs/forecasts.md.

Run it with `.venv/bin/python docs/images/make_forecast_picture.py FOLDER`; it takes some minutes, and what is in FOLDER is used
again. It prints the rows of the table there.
"""

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

from pipelines.ask.calibration import draw
from pipelines.generate import Recipe, generate

PICTURE = Path(__file__).with_name("forecasts.svg")
AS_OF = "2026-06-02T00:00:00Z"
BASE: dict[str, Any] = {"participants": 24_000, "studies": 32, "days": 120}
DRIFT, BURSTS, LOST = {"drift": 0.6}, {"burst_days": 14}, {"lost": 0.05}
WORKSPACES: dict[str, dict[str, Any]] = {
    "as generated": {"seed": 101},
    "drift: in the end people answer 60% less": {"seed": 102, **DRIFT},
    "bursts: invitations every 14 days": {"seed": 103, **BURSTS},
    "5% of webhooks lost": {"seed": 104, **LOST},
    "drift, bursts and lost webhooks": {"seed": 105, **DRIFT, **BURSTS, **LOST},
}
LEVELS = (50, 80, 95)


def measured(folder: Path, options: dict[str, Any]) -> list[dict[str, Any]]:
    """How often statements came true, by confidence."""
    answer = folder / "backtest.json"
    if not answer.exists():
        folder.mkdir(parents=True, exist_ok=True)
        recipe = Recipe(**BASE, **options, start=date(2026, 2, 2))
        generate(recipe, folder / "raw", overwrite=True)
        studies = folder / "studies.csv"
        studies.write_text(targets(folder / "raw"), encoding="utf-8")
        environment = os.environ | {"STUDYFLOW_STUDIES_FILE": str(studies)}
        database = ("--database", folder / "w.duckdb")
        run = [
            "studyflow",
            "run",
            "--raw",
            folder / "raw",
            *database,
            "--exports",
            folder / "exports",
            "--as-of",
            AS_OF,
        ]
        subprocess.run(run, env=environment, check=True, stdout=subprocess.DEVNULL)
        with answer.open("wb") as file:
            backtest = ["studyflow", "backtest", "--weeks", "16", *database, "--json"]
            subprocess.run(backtest, env=environment, check=True, stdout=file)
    found: list[dict[str, Any]] = json.loads(answer.read_text(encoding="utf-8"))["overall"]
    return found


def targets(raw: Path) -> str:
    """A studies.csv in which each study needs a quarter of its participants."""
    people: dict[str, set[str]] = {}
    for file in raw.iterdir():
        for line in file.read_bytes().splitlines():
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if isinstance(event, dict) and str(event.get("studyId", "")).startswith("c"):
                people.setdefault(event["studyId"], set()).add(str(event.get("participantId")))
    return "study_id,target\n" + "".join(f"{study},{(len(who) + 2) // 4}\n" for study, who in sorted(people.items()))


def main() -> None:
    """Measure, print and draw."""
    lines = []
    for number, (name, options) in enumerate(WORKSPACES.items()):
        rows = {row["confidence"]: row for row in measured(Path(sys.argv[1]) / str(number), options)}
        lines += [{**rows[level], "kind": name} for level in LEVELS]
        cells = [f"{rows[level]['came_true_share']:.0%} of {rows[level]['judged']:,}" for level in LEVELS]
        print(f"| {name} | {' | '.join(cells)} |".replace("%", " %").replace("  %", " %"))  # noqa: T201
    draw(lines, [], "Generated workspaces; statements with 50, 80 and 95%. Dashed: as often as they said.", PICTURE)


if __name__ == "__main__":
    main()
