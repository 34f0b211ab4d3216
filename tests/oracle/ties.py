"""The fewest links that must break among tied changes, counted as trails: exact for any number of changes."""

from collections import Counter
from collections.abc import Iterable, Sequence

from .lines import Delivery

Link = tuple[str | None, str | None]  # prior status, status


def fewest_gaps(instants: Sequence[Iterable[Delivery]]) -> int:
    """Count the gaps that a participant's changes must have, given instant by instant."""
    later: dict[str | None, int] = {None: 0}  # the fewest from here on, by the status before
    for position in reversed(range(len(instants))):
        links = [(change.prior_status, change.status) for change in instants[position]]
        befores: set[str | None] = {None}
        if position > 0:
            befores = {change.status for change in instants[position - 1]}
        # After the last instant comes nothing: a link to None, which no change holds, breaks in every order.
        nothing_follows = position == len(instants) - 1
        later = {
            before: min(fewest_broken(links, before, after) + rest for after, rest in later.items()) - nothing_follows
            for before in befores
        }
    return later[None]


def fewest_broken(links: Sequence[Link], before: str | None, after: str | None) -> int:
    """Count the links that break in the best order, between the status before and the prior status after.

    A link from the end back to the start closes a ring, which breaks into as many parts as there are trails.
    """
    ring = [*links, (after, before)]
    surplus: Counter[str | None] = Counter()
    parts: list[set[str | None]] = []
    for prior, status in ring:
        surplus[prior] += 1
        surplus[status] -= 1
        touched = [part for part in parts if part & {prior, status}]
        parts = [part for part in parts if part not in touched] + [{prior, status}.union(*touched)]
    trails = [sum(max(0, surplus[status]) for status in part) for part in parts]
    return 0 if trails == [0] else sum(max(1, count) for count in trails)
