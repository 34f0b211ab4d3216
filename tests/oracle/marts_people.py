"""Section 7: people, over all their studies, and the limits on contacting them."""

from collections import Counter, defaultdict
from dataclasses import dataclass

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
    if any(_opted_out(workspace, history, histories) for history in histories):
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


def _opted_out(workspace: Workspace, history: History, histories: list[History]) -> bool:
    """Say whether this history has an opt-out after which nobody contacted the person."""
    places = [place for place, one in enumerate(history.changes) if one.status in OPT_OUTS]
    if not places:
        return False
    last = places[-1]
    at = history.changes[last].occurred_at
    elsewhere = [
        change for other in histories if other is not history for change in other.changes if change.occurred_at > at
    ]
    later = [*history.changes[last + 1 :], *elsewhere]
    return not any(_is_contact(workspace, change) for change in later)


def _is_contact(workspace: Workspace, change: Change) -> bool:
    return workspace.statuses[change.status].is_contact and not change.is_inferred


def _responded(workspace: Workspace, history: History) -> bool:
    """Say whether anything that only the participant can do follows the first invitation."""
    places = [place for place, one in enumerate(history.observed) if one.status in INVITATIONS]
    later = history.observed[places[0] :]
    return any(workspace.statuses[change.status].funnel_step in RESPONSES for change in later)


@dataclass(frozen=True)
class Limit:
    """At most so many changes to one of the statuses in any window of so many days."""

    name: str
    statuses: frozenset[str]
    at_most: int
    days: int


def contact_limits(workspace: Workspace, limits: list[Limit]) -> list[Row]:
    """Person by rule broken: when first, and by how much at worst."""
    rows: list[Row] = []
    for limit in limits:
        changes: dict[str, list[Change]] = defaultdict(list)
        for history in workspace.histories:
            for change in history.observed:
                if change.status in limit.statuses:
                    changes[history.person_id].append(change)
        for person_id, counted in changes.items():
            instants = sorted(change.occurred_at for change in counted)
            window = limit.days * DAY
            counts = {at: sum(at - window < other <= at for other in instants) for at in instants}
            broken = [at for at, count in counts.items() if count > limit.at_most]
            if broken:
                rows.append(
                    {
                        "person_id": person_id,
                        "rule": limit.name,
                        "first_broken_at": broken[0],
                        "last_broken_at": broken[-1],
                        "most": max(counts.values()),
                        "exceeded_by": max(counts.values()) - limit.at_most,
                    },
                )
    return rows
