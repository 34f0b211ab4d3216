"""Section 7: people, over all their studies, and the limits on contacting them."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from .history import Change, History
from .reference import COMPLETIONS, INVITATIONS
from .workspace import DAY, Row, Workspace, ratio

ACTIVE_STAGES = frozenset({"Invited", "Screening", "In Progress", "Pending Incentive"})
OPT_OUTS = frozenset({"OPTED_OUT", "EMAIL_HARD_BOUNCED"})
RESPONSES = frozenset(
    {
        "screener_started",
        "screener_completed",
        "qualified",
        "activity_started",
        "activity_completed",
    },
)
WINDOWS = (30, 90, 365)


def people(workspace: Workspace) -> list[Row]:
    """Return a row for each person."""
    by_person: dict[str, list[History]] = defaultdict(list)
    for history in workspace.histories:
        by_person[history.person_id].append(history)
    return [_person(workspace, *item) for item in sorted(by_person.items())]


def _person(workspace: Workspace, person_id: str, histories: list[History]) -> Row:
    observed = [change for history in histories for change in history.observed]
    contacts = [one.occurred_at for one in observed if workspace.statuses[one.status].is_contact]
    stages = Counter(workspace.current_stage(history) for history in histories)
    statuses = Counter(change.status for change in observed)
    invited = [one for one in histories if any(x.status in INVITATIONS for x in one.observed)]
    row: Row = {
        "person_id": person_id,
        "last_contact_at": max(contacts, default=None),
        "contacts": len(contacts),
        "contacts_30d": sum(workspace.within(at, 30) for at in contacts),
        "contacts_90d": sum(workspace.within(at, 90) for at in contacts),
        "contact_status": contact_status(workspace, person_id, histories),
        "is_active_in_study": any(stages[stage] for stage in ACTIVE_STAGES),
        "studies": len({history.study_id for history in histories}),
        "studies_not_started": stages["Not Started"],
        "studies_active": sum(stages[stage] for stage in ACTIVE_STAGES),
        "studies_done": stages["Done"],
        "studies_cancelled": stages["Cancelled"],
        "no_shows": statuses["INTERVIEW_NO_SHOWED"],
        "incentives_sent": statuses["INCENTIVE_SENT"],
        "incentives_claimed": statuses["INCENTIVE_CLAIMED"],
        "response_rate": ratio(sum(_responded(workspace, one) for one in invited), len(invited)),
    }
    for status, activity in COMPLETIONS.items():
        times = [change.occurred_at for change in observed if change.status == status]
        row[f"{activity}s_completed"] = len(times)
        for days in WINDOWS:
            row[f"{activity}s_completed_{days}d"] = sum(workspace.within(at, days) for at in times)
    return row


def contact_status(workspace: Workspace, person_id: str, histories: list[History]) -> str:
    """Name the first of the statuses, in the specification's order, that fits."""
    changes = [change for history in histories for change in history.changes]
    flag = workspace.contact_flags.get(person_id)
    events = [event for event in workspace.opt_outs.get(person_id, []) if event[0] <= workspace.as_of]
    if _opted_out_by_event(events, histories) or any(_opted_out(one, histories, events) for one in histories):
        return "Opted Out"
    if flag in {"In Blocklist", "Do Not Contact"}:
        return str(flag)
    cooldowns = {
        **dict.fromkeys(INVITATIONS, workspace.invitation_cooldown_days),
        **dict.fromkeys(COMPLETIONS, workspace.participation_cooldown_days),
    }
    if any(workspace.within(one.occurred_at, cooldowns.get(one.status, 0)) for one in changes):
        return "In Cooldown"
    return "Free to Contact"


def _opted_out(history: History, histories: list[History], events: list[tuple[datetime, bool]]) -> bool:
    """Say whether this history has an opt-out after which nobody invited the person, nor did they opt in."""
    places = [place for place, one in enumerate(history.changes) if one.status in OPT_OUTS]
    if not places:
        return False
    last = places[-1]
    at = history.changes[last].occurred_at
    elsewhere = [
        change for other in histories if other is not history for change in other.changes if change.occurred_at > at
    ]
    later = [*history.changes[last + 1 :], *elsewhere]
    opted_in = any(not is_out and when > at for when, is_out in events)
    return not opted_in and not any(_is_invitation(change) for change in later)


def _opted_out_by_event(events: list[tuple[datetime, bool]], histories: list[History]) -> bool:
    """Say whether the last event is an opt-out, and nobody invited the person after it."""
    outs = [when for when, is_out in events if is_out]
    ins = [when for when, is_out in events if not is_out]
    invited = [one.occurred_at for history in histories for one in history.changes if _is_invitation(one)]
    return bool(outs) and max(outs) >= max([*ins, *invited], default=max(outs))


def _is_invitation(change: Change) -> bool:
    return change.status in INVITATIONS and not change.is_inferred


def _responded(workspace: Workspace, history: History) -> bool:
    """Say whether anything that only the participant can do follows the first invitation."""
    places = [place for place, one in enumerate(history.observed) if one.status in INVITATIONS]
    later = history.observed[places[0] :]
    return any(workspace.statuses[change.status].funnel_step in RESPONSES for change in later)


@dataclass(frozen=True)
class Limit:
    """At most so many in any window of so many days, judged at each change that counts.

    For a cooldown `after` says what may not have come before in the window. Both are sets of statuses;
    with `once_per_study` only the first change of a participant to one of a set counts.
    """

    name: str
    statuses: frozenset[str]
    at_most: int
    days: int
    once_per_study: bool = False
    after: frozenset[str] | None = None


def contact_limits(workspace: Workspace, limits: Iterable[Limit]) -> list[Row]:
    """Person by rule broken: when first, and by how much at worst."""
    rows: list[Row] = []
    for limit in limits:
        judged = _instants(workspace, limit.statuses, once_per_study=limit.once_per_study)
        counted = _instants(workspace, limit.after or limit.statuses, once_per_study=limit.once_per_study)
        window = limit.days * DAY
        for person_id, instants in judged.items():
            others = counted[person_id]
            counts = [(at, sum(at - window < other <= at for other in others)) for at in instants]
            broken = [at for at, count in counts if count > limit.at_most]
            if broken:
                most = max(count for _, count in counts)
                rows.append(
                    {
                        "person_id": person_id,
                        "rule_id": limit.name,
                        "first_exceeded_at": min(broken),
                        "last_exceeded_at": max(broken),
                        "times_exceeded": len(broken),
                        "most_in_window": most,
                        "exceeded_by": most - limit.at_most,
                        "in_window_now": sum(workspace.within(at, limit.days) for at in others),
                    },
                )
    return rows


def kept_from_inviting(workspace: Workspace, limits: Iterable[Limit]) -> dict[tuple[str, bool], set[str]]:
    """Whom each limit on invitations (true) or contact status (false) keeps from one more study invitation at as-of."""
    kept: dict[tuple[str, bool], set[str]] = defaultdict(set)
    for limit in limits:
        counted = _instants(workspace, limit.after or limit.statuses, once_per_study=limit.once_per_study)
        for person_id, instants in counted.items():
            now = sum(workspace.within(at, limit.days) for at in instants)
            if now and now + (limit.after is None) > limit.at_most:
                kept[limit.name, True].add(person_id)
    by_a_rule = set().union(*kept.values())
    for row in people(workspace):
        status = row["contact_status"]
        if status != "Free to Contact" and not (status == "In Cooldown" and row["person_id"] in by_a_rule):
            kept[status, False].add(row["person_id"])
    return kept


def _instants(workspace: Workspace, statuses: frozenset[str], *, once_per_study: bool) -> dict[str, list[datetime]]:
    """When each person had one of the statuses, by delivered changes."""
    instants: dict[str, list[datetime]] = defaultdict(list)
    for history in workspace.histories:
        times = [change.occurred_at for change in history.observed if change.status in statuses]
        instants[history.person_id] += times[:1] if once_per_study else times
    return instants
