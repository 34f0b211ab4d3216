"""How participants move through a study: their paths, the most frequent first."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from .history import History
from .marts_study import closed_or_full_studies
from .reference import LET_GO, TERMINAL_STAGES
from .workspace import HOUR, Row, Workspace, percentile, ratio

SHOWN = 10
AWAITS_INCENTIVE = "Pending Incentive"

Path = tuple[str, ...]


@dataclass(frozen=True)
class Way:
    """How one participant went. `started_at` is None where the first webhook was lost."""

    started_at: datetime | None
    arrived_at: datetime
    stage: str


def study_paths(workspace: Workspace) -> list[Row]:
    """`marts.study_paths`, without labels."""
    return [row for study_id, members in workspace.by_study().items() for row in _rows(workspace, study_id, members)]


def _rows(workspace: Workspace, study_id: str, members: list[History]) -> list[Row]:
    ways: dict[Path, list[Way]] = defaultdict(list)
    for history in members:
        runs = [next(run) for _, run in groupby(history.changes, key=lambda change: change.status)]
        first = history.changes[0]
        ways[tuple(run.status for run in runs)].append(
            Way(
                None if first.is_inferred else first.occurred_at, runs[-1].occurred_at, workspace.current_stage(history)
            )
        )
    ranked = sorted(
        ways.items(), key=lambda way: (-len(way[1]), [workspace.statuses[status].rank for status in way[0]])
    )
    rows = [
        _row(workspace, {path: taken}, len(members))
        | {
            "study_id": study_id,
            "place": place,
            "path": " > ".join(path),
            "last_stage": taken[0].stage,
            "outcome": _outcome(workspace, study_id, path, taken[0].stage),
        }
        for place, (path, taken) in enumerate(ranked[:SHOWN], start=1)
    ]
    if rest := dict(ranked[SHOWN:]):
        nothing = dict.fromkeys(("path", "last_stage", "outcome"))
        rows.append(_row(workspace, rest, len(members)) | {"study_id": study_id, "place": SHOWN + 1, **nothing})
    return rows


def _row(workspace: Workspace, ways: dict[Path, list[Way]], members: int) -> Row:
    taken = [way for those in ways.values() for way in those]
    hours = [(way.arrived_at - way.started_at) / HOUR for way in taken if way.started_at]
    waiting = [(workspace.as_of - way.arrived_at) / HOUR for way in taken if way.stage not in TERMINAL_STAGES]
    return {
        "variants": len(ways),
        "participants": len(taken),
        "share_of_study": ratio(len(taken), members),
        "without_end": len(waiting),
        "timed": len(hours),
        "median_hours": percentile(hours, 0.5),
        "p90_hours": percentile(hours, 0.9),
        "median_hours_since": percentile(waiting, 0.5),
    }


def _outcome(workspace: Workspace, study_id: str, path: Path, stage: str) -> str:
    if stage in TERMINAL_STAGES:
        return "ended"
    let_go = path[-1] in LET_GO or study_id in closed_or_full_studies(workspace)
    return "stopped" if let_go and stage != AWAITS_INCENTIVE else "open"
