"""Section 3: a participant's changes in order, the gaps between them, and what those show."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import groupby
from typing import NamedTuple

from .lines import Delivery
from .reference import Statuses


class Plan(NamedTuple):
    """An order of some last changes. The smallest is the best: its fields are compared in turn."""

    broken: int
    ranks: tuple[int, ...]
    others: tuple[tuple[int, str, str], ...]  # prior status (none first), person, study
    changes: tuple[Delivery, ...]


@dataclass(frozen=True)
class Change:
    """A change in its place. An inferred one was delivered by no webhook."""

    status: str
    prior_status: str | None
    occurred_at: datetime
    deliveries: int
    is_inferred: bool
    follows_gap: bool
    person_id: str  # as this change says; the participant's is in its history
    study_id: str


@dataclass(frozen=True)
class History:
    """A participant up to as-of; person and study are those of the last change."""

    participant_id: str
    person_id: str
    study_id: str
    changes: tuple[Change, ...]

    @property
    def observed(self) -> tuple[Change, ...]:
        """The changes that were delivered."""
        return tuple(change for change in self.changes if not change.is_inferred)


def histories(
    deliveries: Iterable[Delivery],
    as_of: datetime,
    statuses: Statuses,
) -> list[History]:
    """Make the histories of all participants from deliveries in any order and number."""
    counts = Counter(delivery for delivery in deliveries if delivery.updated_at <= as_of)
    by_participant: dict[str, list[Delivery]] = defaultdict(list)
    for change in counts:
        by_participant[change.participant_id].append(change)
    return [_history(ordered(changes, statuses), counts) for _, changes in sorted(by_participant.items())]


def _history(changes: Sequence[Delivery], counts: Counter[Delivery]) -> History:
    placed: list[Change] = []
    before: str | None = None
    for change in changes:
        gap = change.prior_status != before
        if gap and change.prior_status is not None:
            placed.append(
                Change(
                    status=change.prior_status,
                    prior_status=None,
                    occurred_at=change.updated_at,
                    deliveries=0,
                    is_inferred=True,
                    follows_gap=False,
                    person_id=change.person_id,
                    study_id=change.study_id,
                ),
            )
        placed.append(
            Change(
                status=change.status,
                prior_status=change.prior_status,
                occurred_at=change.updated_at,
                deliveries=counts[change],
                is_inferred=False,
                follows_gap=gap,
                person_id=change.person_id,
                study_id=change.study_id,
            ),
        )
        before = change.status
    last = changes[-1]
    return History(last.participant_id, last.person_id, last.study_id, tuple(placed))


def ordered(changes: Iterable[Delivery], statuses: Statuses) -> tuple[Delivery, ...]:
    """Put one participant's distinct changes in the order that breaks the fewest links.

    All links of the history count. Of the orders with the fewest broken, the one whose statuses
    come first in the reference table holds; of those, the one whose other values come first.
    """
    by_time = sorted(changes, key=lambda change: change.updated_at)
    instants = [list(tied) for _, tied in groupby(by_time, key=lambda change: change.updated_at)]
    # From the last instant back: the best plan for all later changes, given the status before.
    tails: dict[str | None, Plan] = {change.status: Plan(0, (), (), ()) for change in instants[-1]}
    for position in reversed(range(len(instants))):
        befores: set[str | None] = {None}
        if position > 0:
            befores = {change.status for change in instants[position - 1]}
        tails = _plans(instants[position], befores, tails, statuses)
    return tails[None].changes


def _plans(
    tied: list[Delivery],
    befores: set[str | None],
    tails: dict[str | None, Plan],
    statuses: Statuses,
) -> dict[str | None, Plan]:
    """Find the best plan from this instant on, for each status that can stand before it."""

    def others(change: Delivery) -> tuple[int, str, str]:
        prior = -1 if change.prior_status is None else statuses[change.prior_status].rank
        return prior, change.person_id, change.study_id

    def put_first(change: Delivery, before: str | None, rest: Plan) -> Plan:
        return Plan(
            rest.broken + (change.prior_status != before),
            (statuses[change.status].rank, *rest.ranks),
            (others(change), *rest.others),
            (change, *rest.changes),
        )

    @cache
    def best(left: tuple[Delivery, ...], before: str | None) -> Plan:
        if not left:
            return tails[before]
        # Of changes alike but for person and study, the smaller goes first in any best plan.
        firsts = {(change.status, change.prior_status): change for change in reversed(left)}
        return min(put_first(change, before, best(_without(left, change), change.status)) for change in firsts.values())

    everything = tuple(sorted(tied, key=others))
    return {before: best(everything, before) for before in befores}


def _without(changes: tuple[Delivery, ...], gone: Delivery) -> tuple[Delivery, ...]:
    return tuple(change for change in changes if change != gone)
