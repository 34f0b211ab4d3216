"""What a run and `studyflow status` print, at any width of a terminal."""

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from pipelines.summary import Summary, render

ACCOUNTING = {
    "lines": 7_654_321,
    "blank": 1,
    "accepted": 7_654_320,
    "other_events": 0,
    "rejected": {"unknown_prior_status": 1_234_567},
    "distinct_changes": 6_543_210,
    "repeated_deliveries": 1_111_110,
    "batch_lines": 0,
    "batch_deliveries": 0,
    "forgotten": 0,
}


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_number_is_cut(width: int) -> None:
    """A total that ends in an ellipsis is no total. Bars give way first, then the tables stand one below the other."""
    summary = Summary(database=Path("w.duckdb"), accounting=ACCOUNTING, files=1, unfinished_files=1)
    summary.participants_by_stage = {"Pending Incentive": 1_234_567, "Done": 2_345_678}
    summary.participants, summary.studies = 3_580_245, 1
    written = StringIO()
    render(summary, Console(width=width, file=written, color_system=None))
    printed = " ".join(written.getvalue().replace("│", " ").split())
    assert "…" not in printed
    for said in (
        "7,654,321",
        "1,234,567",
        "3,580,245",
        "in 1 file ",
        "in 1 study ",
        "1 file ends in a partial last line",
    ):
        assert said in printed, said
