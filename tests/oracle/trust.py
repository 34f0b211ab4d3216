"""How far the history can be trusted: what is missing of it, and when the feed was silent."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import zip_longest
from math import floor, sqrt

from .history import Change, History
from .workspace import DAY, HOUR, Row, Workspace, ratio

Z = 1.959963984540054

ACTIVE_STAGES = frozenset({"Invited", "Screening", "In Progress", "Pending Incentive"})

SILENCE_MIN = 24 * HOUR
SILENCE_TIMES = 1.5
SILENCE_USUAL = 28 * DAY
SILENCE_HISTORY = 14 * DAY


@dataclass
class Counts:
    """What is seen of some changes."""

    changes: int = 0
    beginnings: int = 0
    missing_beginnings: int = 0
    links: int = 0
    broken: int = 0

    def add(self, changes: Sequence[Change], place: int) -> None:
        """Count the delivered change at a place among all that were delivered of its participant."""
        change = changes[place]
        self.changes += 1
        if place == 0:
            self.beginnings += 1
            self.missing_beginnings += change.follows_gap
        elif change.follows_gap:
            self.broken += 1
            self.links += 1
        elif place > 1:
            would_break = changes[place - 2].status != change.prior_status
            self.links += would_break

    @property
    def odds(self) -> float | None:
        """Changes lost for each delivered."""
        return ratio(self.broken, self.links - self.broken)

    def estimates(self) -> Row:
        """Return the rate of loss and the number lost, with their intervals."""
        rates: dict[str, float | None] = {"": ratio(self.broken, self.links)}
        rates["_low"], rates["_high"] = wilson(self.broken, self.links)
        estimates: Row = {}
        for bound, rate in rates.items():
            estimates[f"loss_rate{bound}"] = rate
            estimates[f"lost{bound}"] = None if rate is None or rate == 1 else self.changes * rate / (1 - rate)
        return estimates

    @property
    def older(self) -> int:
        """Missing beginnings that losses do not explain, if there are more than the highest rate explains."""
        if not self.links:
            return self.missing_beginnings
        arrived = self.beginnings - self.missing_beginnings
        _, high = wilson(self.broken, self.links)
        if high is None or high == 1 or self.missing_beginnings <= arrived * high / (1 - high):
            return 0
        return floor(self.missing_beginnings - arrived * (self.odds or 0.0) + 0.5)


def wilson(hits: int, trials: int) -> tuple[float | None, float | None]:
    """Solve (share - p)² = z² p (1 - p) / trials for p."""
    if not trials:
        return None, None
    share = hits / trials
    middle = share + Z * Z / (2 * trials)
    reach = Z * sqrt(share * (1 - share) / trials + Z * Z / (4 * trials * trials))
    scale = 1 + Z * Z / trials
    low = 0.0 if hits == 0 else (middle - reach) / scale
    high = 1.0 if hits == trials else (middle + reach) / scale
    return low, high


def gaps_weekly(workspace: Workspace) -> list[Row]:
    """Study by week."""
    counted: dict[tuple[str, date], Counts] = defaultdict(Counts)
    for history in workspace.histories:
        changes = history.observed
        for place, change in enumerate(changes):
            day = workspace.day(change.occurred_at)
            counted[history.study_id, day - day.weekday() * DAY].add(changes, place)
    return [
        {
            "study_id": study_id,
            "week": week,
            "changes": found.changes,
            "gaps": found.broken + found.missing_beginnings,
            "links": found.links,
            "broken_links": found.broken,
            "loss_rate": ratio(found.broken, found.links),
            "lost": None if found.odds is None else found.changes * found.odds,
        }
        for (study_id, week), found in counted.items()
    ]


def feed_coverage(workspace: Workspace) -> list[Row]:
    """Return a row for each study."""
    rows = []
    for study_id, histories in workspace.by_study().items():
        found = count(histories)
        rows.append({"study_id": study_id} | covered(histories, found, found.older))
    return rows


def feed_totals(workspace: Workspace) -> list[Row]:
    """Return one row, or none where nothing has happened."""
    if not workspace.histories:
        return []
    studies = feed_coverage(workspace)
    whole = covered(workspace.histories, count(workspace.histories), sum(row["older_than_feed"] for row in studies))
    worse = [
        row for row in studies if whole["loss_rate"] is not None and (row["loss_rate_low"] or 0) > whole["loss_rate"]
    ]
    worst = min(worse, key=lambda row: (-row["loss_rate"], row["study_id"]), default=None)
    return [
        whole
        | {
            "studies": len(studies),
            "worst_study_id": worst["study_id"] if worst else None,
            "worst_loss_rate": worst["loss_rate"] if worst else None,
        }
    ]


def count(histories: Iterable[History]) -> Counts:
    """Count all that was delivered of some participants."""
    found = Counts()
    for history in histories:
        changes = history.observed
        for place in range(len(changes)):
            found.add(changes, place)
    return found


def covered(histories: Sequence[History], found: Counts, older: int) -> Row:
    """Say what coverage of a study and of all have in common."""
    times = [change.occurred_at for history in histories for change in history.observed]
    whole = sum(not any(change.follows_gap for change in history.changes) for history in histories)
    return {
        "feed_began_at": min(times),
        "last_change_at": max(times),
        "participants": len(histories),
        "participants_whole": whole,
        "share_whole": whole / len(histories),
        "missing_beginnings": found.missing_beginnings,
        "older_than_feed": older,
        "changes": found.changes,
        "gaps": found.broken + found.missing_beginnings,
        "links": found.links,
        "broken_links": found.broken,
    } | found.estimates()


def feed_silence(workspace: Workspace) -> list[Row]:
    """List the silences that are longer than usual."""
    rows: list[Row] = [{"scope": "feed", "study_id": None} | one for one in unusual(workspace, workspace.histories)]
    for study_id, histories in workspace.by_study().items():
        if is_watched(workspace, study_id, histories):
            found = (silence for silence in unusual(workspace, histories) if silence["is_open"])
            rows += [{"scope": "study", "study_id": study_id} | silence for silence in found]
    return rows


def is_watched(workspace: Workspace, study_id: str, histories: Iterable[History]) -> bool:
    """Say whether a study is open and somebody is active in it."""
    if workspace.is_closed(study_id):
        return False
    return any(workspace.current_stage(history) in ACTIVE_STAGES for history in histories)


def unusual(workspace: Workspace, histories: Iterable[History]) -> Iterator[Row]:
    """List the silences that are long against those before them."""
    times = sorted(change.occurred_at for history in histories for change in history.observed)
    ended: list[tuple[datetime, timedelta]] = []
    for since, until in zip_longest(times, times[1:]):
        if until is not None and hour(since) == hour(until):
            continue
        length = (until or workspace.as_of) - since
        lately = [one for at, one in ended if at > since - SILENCE_USUAL]
        if length >= SILENCE_MIN and since - times[0] >= SILENCE_HISTORY and length > SILENCE_TIMES * max(lately):
            yield {
                "silent_since": since,
                "silent_until": until,
                "is_open": until is None,
                "silence_hours": length / HOUR,
                "usual_hours": max(lately) / HOUR,
            }
        if until is not None:
            ended.append((until, length))


def hour(at: datetime) -> datetime:
    """Cut to the hour: within one nothing counts as silence."""
    return at.replace(minute=0, second=0, microsecond=0)
