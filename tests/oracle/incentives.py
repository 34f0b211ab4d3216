"""Section 6: what a participant is owed, as a fold over their changes."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from .history import Change
from .reference import Statuses, Study

LABELS = {
    "not_sent": "Incentive Not Sent",
    "unclaimed": "Incentive Sent",
    "undelivered": "Incentive Undelivered",
}
ENDINGS = {
    "INCENTIVE_CLAIMED": "Incentive Claimed",
    "INCENTIVE_SKIPPED": "Incentive Skipped",
}


@dataclass(frozen=True)
class Incentive:
    """The backlog state (None: closed), since when, and what the last effect was."""

    state: str | None = None
    since: datetime | None = None
    sent_before: bool = False  # an incentive had been sent before the state began
    ever_sent: bool = False
    is_settled_by_sending: bool = False  # a custom incentive, which has nothing to claim
    last_effect_of: str | None = None  # the status whose effect was the last to take hold

    @property
    def label(self) -> str | None:
        """The `incentive_status` of a participant."""
        if self.state is not None:
            return LABELS[self.state]
        return ENDINGS.get(self.last_effect_of or "") or (LABELS["unclaimed"] if self.is_settled_by_sending else None)


def fold(changes: Iterable[Change], statuses: Statuses, study: Study) -> Incentive:
    """Fold all changes, inferred ones too: those also show that a status was reached."""
    incentive = Incentive()
    for change in changes if study.owes_incentives else ():
        incentive = _after(incentive, change, statuses[change.status].incentive_effect, study)
    return incentive


def _after(was: Incentive, change: Change, effect: str, study: Study) -> Incentive:
    if effect == "neutral" or (effect == "bounces" and was.state != "unclaimed"):
        return was
    state = {
        "owes": "not_sent",
        "sends": None if study.incentive_type == "custom" else "unclaimed",
        "bounces": "undelivered",
        "settles": None,
        "revokes": None,
    }[effect]
    now = replace(
        was,
        state=state,
        ever_sent=was.ever_sent or effect == "sends",
        is_settled_by_sending=effect == "sends",
        last_effect_of=change.status,
    )
    if state == was.state:  # it goes on: the first time is kept
        return now
    since = None if state is None else change.occurred_at
    return replace(now, since=since, sent_before=was.ever_sent)
