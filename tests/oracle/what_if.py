"""A rule on invitations replayed: person by person and event by event, as somebody would do it with pen and paper."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from .history import History
from .marts_study import standing_completions
from .reference import COMPLETIONS, INVITATIONS
from .workspace import DAY, Workspace

YEAR = 365 * DAY
INVITING = ("invitation", "study_invitation")


@dataclass
class Replayed:
    """What became of the invitations of a participant in the last year."""

    history: History
    invitations: int = 0
    stopped: list[datetime] = field(default_factory=list)
    kept: list[datetime] = field(default_factory=list)
    completed_at: datetime | None = None
    was_invited_before: bool = False

    @property
    def is_uninvited(self) -> bool:
        """Nobody would have invited them before they completed, or at all."""
        if not self.stopped or self.was_invited_before:
            return False
        if self.completed_at is None:
            return not self.kept
        return self.completed_at > self.stopped[0] and all(kept > self.completed_at for kept in self.kept)


def replay(  # noqa: C901 - one loop over events reads better whole
    workspace: Workspace, judged: str, counted: str, at_most: int, days: int
) -> list[Replayed]:
    """Every participant who was invited in the last year. An activity stops the invitation to another study."""
    if judged not in INVITING:
        judged, at_most = "study_invitation", at_most - 1
    persons: dict[str, list[tuple[datetime, bool, str, str, History, str]]] = defaultdict(list)
    for history in workspace.histories:
        for kind in {judged, counted}:
            for at in _times(history, kind):
                persons[history.person_id].append(
                    (at, kind == judged, history.study_id, history.participant_id, history, kind)
                )
    found: dict[str, Replayed] = {}
    for events in persons.values():
        counts: list[datetime] = []
        uninvited: set[str] = set()
        for at, is_invitation, _, participant, history, kind in sorted(events, key=lambda event: event[:4]):
            if not is_invitation:
                if participant not in uninvited:
                    counts.append(at)
                continue
            one = found.setdefault(participant, Replayed(history, completed_at=_completed_at(workspace, history)))
            in_window = sum(at - days * DAY < earlier for earlier in counts) + (kind == counted)
            if at <= workspace.as_of - YEAR:
                one.was_invited_before = True
            else:
                one.invitations += 1
                if in_window > at_most:
                    one.stopped.append(at)
                    uninvited.add(participant)
                    continue
            one.kept.append(at)
            uninvited.discard(participant)
            if kind == counted:
                counts.append(at)
    return [one for one in found.values() if one.invitations]


def _times(history: History, kind: str) -> list[datetime]:
    """When something happened that the kind counts: of all but emails, the first in the study."""
    if kind in INVITING:
        times = [change.occurred_at for change in history.observed if change.status in INVITATIONS]
        return times if kind == "invitation" else times[:1]
    completed = {status for status, activity in COMPLETIONS.items() if kind in {"participation", activity}}
    return [change.occurred_at for change in history.observed if change.status in completed][:1]


def _completed_at(workspace: Workspace, history: History) -> datetime | None:
    numbers = standing_completions(workspace, history).values()
    return min((history.changes[number - 1].occurred_at for number in numbers), default=None)


def age(workspace: Workspace, history: History) -> timedelta:
    """How long ago a participant was first invited."""
    return workspace.as_of - next(one.occurred_at for one in history.observed if one.status in INVITATIONS)
