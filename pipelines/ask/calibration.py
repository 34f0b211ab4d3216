"""The calibration plot of a backtest: the chance that forecasts gave against the share that came true."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipelines.ask.backtest import Backtest, kind
from pipelines.errors import StudyflowError
from pipelines.system import write_atomically
from pipelines.warehouse import Row

SPECIFICATION = Path(__file__).with_name("calibration.chart.json")
MIN_STATEMENTS = 10
"""Studies with fewer statements than this get no dot."""


def plot(result: Backtest, file: Path) -> None:
    """Write the plot of a backtest to a .png or .svg file, with a line for each kind of statement and dots for studies.

    Raises:
        StudyflowError: the file cannot be written.
    """
    judged = [row for row in result.rows.records() if row["judged"]]
    kinds = [{**_point(row), "kind": kind(row["statement"], row["horizon"])} for row in judged if not row["study_id"]]
    studies = [_point(row) for row in judged if row["study_id"] and row["judged"] >= MIN_STATEMENTS]
    draw(
        kinds,
        studies,
        f"Dashed: as often as the forecasts expected. Grey: studies with at least {MIN_STATEMENTS} statements.",
        file,
    )


def draw(lines: Sequence[Row], dots: Sequence[Row], subtitle: str, file: Path) -> None:
    """Draw rows with said, came_true_share and confidence: a line for each `kind`, and dots.

    Raises:
        StudyflowError: the file cannot be written.
    """
    import vl_convert  # noqa: PLC0415 - slow to import

    specification: dict[str, Any] = json.loads(SPECIFICATION.read_text(encoding="utf-8"))
    specification["title"] |= {"text": "How often forecasts came true", "subtitle": subtitle}
    specification["datasets"] = {"kinds": lines, "studies": dots}
    image: str | bytes
    if file.suffix == ".svg":
        image = vl_convert.vegalite_to_svg(specification)
    else:
        image = vl_convert.vegalite_to_png(specification, scale=2)
    try:
        write_atomically(file, image)
    except OSError as error:
        msg = f"{file}: cannot be written ({error.strerror})."
        raise StudyflowError(msg) from error


def _point(row: Row) -> Row:
    return {key: row[key] for key in ("said", "came_true_share", "confidence")}
