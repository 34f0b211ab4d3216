"""Each study beside the studies of its type. The specification does not define this: see docs/decisions.md."""

from collections import defaultdict

from .marts_flow import stage_durations
from .marts_funnel import time_to_recruit
from .marts_study import study_progress
from .reference import TERMINAL_STAGES
from .workspace import Row, Workspace, percentile

LEAST_PEOPLE, LEAST_STUDIES = 20, 3


def study_peers(workspace: Workspace) -> list[Row]:
    """Return a row for each study and measure, without its place."""
    progress = {row["study_id"]: row for row in study_progress(workspace)}
    values = _values(workspace, list(progress.values()))
    of_type: dict[tuple[str, str], list[float]] = defaultdict(list)
    for (study_id, measure), (value, _, _) in values.items():
        of_type[progress[study_id]["study_type"], measure].append(value)
    rows: list[Row] = []
    for (study_id, measure), (value, counted, stage) in values.items():
        study_type = progress[study_id]["study_type"]
        peers = of_type[study_type, measure]
        median = percentile(peers, 0.5)
        assert median is not None
        is_time = measure.startswith("days_")
        worse, better = (median, value) if measure == "screener_pass_rate" else (value, median)
        rows.append(
            {
                "study_id": study_id,
                "study_type": study_type,
                "measure": measure,
                "stage": stage,
                "counted": counted,
                "share_of_study": None if is_time else value,
                "share_of_type": None if is_time else median,
                "days_of_study": value if is_time else None,
                "days_of_type": median if is_time else None,
                "studies_of_type": len(peers),
                "times_worse": worse / better if better else None,
                "is_comparable": counted >= LEAST_PEOPLE and len(peers) >= LEAST_STUDIES,
            }
        )
    return rows


def _values(workspace: Workspace, progress: list[Row]) -> dict[tuple[str, str], tuple[float, int, str | None]]:
    """Value, how many it tells of, and its stage if it is of one, by study and measure."""
    values: dict[tuple[str, str], tuple[float, int, str | None]] = {}
    for row in progress:
        if row["expected_at_interview"]:
            values[row["study_id"], "no_show_share"] = 1 - row["show_rate"], row["expected_at_interview"], None
        if row["screened"]:
            values[row["study_id"], "screener_pass_rate"] = row["screener_pass_rate"], row["screened"], None
    hours: dict[str, list[float]] = defaultdict(list)
    for row in time_to_recruit(workspace):
        hours[row["study_id"]].append(row["hours"])
    for study_id, taken in hours.items():
        values[study_id, "days_to_recruit"] = (percentile(taken, 0.5) or 0) / 24, len(taken), None
    for row in stage_durations(workspace):
        stage = row["stage"]
        if stage not in TERMINAL_STAGES and row["completed_visits"]:
            measure = f"days_in_{stage.lower().replace(' ', '_')}"
            values[row["study_id"], measure] = row["median_hours"] / 24, row["completed_visits"], stage
    return values
