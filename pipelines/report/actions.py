"""Who needs action today: the first thing a reader looks for, the most urgent first."""

from collections.abc import Iterator, Mapping

from pipelines.plain import plural, several
from pipelines.report.document import Action
from pipelines.report.formatting import amount, count, cut, days, hours, shown
from pipelines.report.questions import Answer
from pipelines.warehouse import Row

Answers = Mapping[str, Answer]

_URGENCY = {"bad": 0, "warn": 1, "muted": 2, "": 3}


def actions(answers: Answers, span: str) -> tuple[list[Action], list[str]]:
    """What is to be done, and of what there is nothing to be done."""
    found = [
        *_silence(answers),
        *(action for row in answers["incentives"].rows for action in _incentives(row)),
        _stalled(answers),
        _contacted(answers, span),
        _unknown_statuses(answers),
        _silent_studies(answers),
        _gaps(answers, span),
        _full_studies(answers),
    ]
    waiting = sorted((one for one in found if one.number), key=lambda one: _URGENCY[one.tone])
    return waiting, [one.what for one in found if not one.number]


def _silence(answers: Answers) -> Iterator[Action]:
    for row in answers["silence"].rows:
        if row["is_of_all"] and row["silence_hours"] >= 1:
            usual = f"longest normal gap {hours(row['usual_hours'])}: check that webhooks are still arriving"
            silent = int(row["silence_hours"])
            yield Action("silent_hours", silent, "hours without any webhook", [usual], "silence", "bad")


def _incentives(row: Row) -> Iterator[Action]:
    """What is to be done for those in one state of the backlog."""
    people, overdue, hidden = row["people"], row["overdue"], row["hidden"]
    details = [f"oldest {days(row['oldest_days'])}"] if people else []
    if not row["is_sent"]:
        if row["overdue_amount"]:
            details.append(f"{amount(row['overdue_amount'])} in all")
        if row["overdue_without_amount"]:
            details.append(f"{row['overdue_without_amount']:,} more of unknown amount")
        what = f"{plural(overdue, 'incentive')} overdue, not sent"
        yield Action("overdue", overdue, what, details, "incentives_owed", "bad")
        what = f"{plural(hidden, 'owed incentive')} that Rally hides"
        details = ["not shown in any Rally table: they finished, then opted out or bounced"]
        yield Action("hidden", hidden, what, details, "incentives_hidden", "bad")
    elif row["is_returned"]:
        what = f"{plural(people, 'incentive')} not delivered"
        details.append("the email bounced: find another address")
        yield Action("returned", people, what, details, "incentives_returned", "bad")
    else:
        what = f"{plural(overdue, 'incentive')} sent, overdue unclaimed"
        yield Action("unclaimed", overdue, what, [*details, "remind them"], "incentives", "warn")


def _stalled(answers: Answers) -> Action:
    number = answers["stalled_participants"].of_all
    by_stage = answers["stalled_by_stage"].rows
    details = [", ".join(f"{row['stalled']:,} {shown(row['stage'])}" for row in by_stage)]
    if by_stage and by_stage[0]["to_move_in_all"]:
        details.append(f"{by_stage[0]['to_move_in_all']:,} may have finished: move them by hand")
    what = f"{plural(number, 'participant')} stalled"
    return Action("stalled", number, what, details, "stalled_participants", "warn")


def _contacted(answers: Answers, span: str) -> Action:
    number = answers["contacted"].of_all
    newly = _first(answers["contacted"], "new_of_all")
    details = [f"{newly:,} went over a limit {span}", "don't contact them until they are back under the limit"]
    what = f"{plural(number, 'person', 'people')} contacted too much"
    return Action("contacted", number, what, details, "contacted", "warn" if newly else "muted")


def _unknown_statuses(answers: Answers) -> Action:
    number = _first(answers["rejected"], "unknown_in_all")
    unknown = [row["value"] for row in answers["rejected"].rows if row["value"] is not None]
    details = [", ".join(cut(value, 30) for value in unknown[:3]), "add them to participant_statuses.csv"]
    what = f"{plural(number, 'webhook')} with unknown statuses"
    return Action("unknown_statuses", number, what, details, "rejected", "warn")


def _silent_studies(answers: Answers) -> Action:
    quiet = [row for row in answers["silence"].rows if not row["is_of_all"]]
    details = [", ".join(cut(row["study"], 40) for row in quiet[:2]), "done, or stuck?"]
    what = f"{plural(len(quiet), 'study', 'studies')} gone quiet"
    return Action("silent_studies", len(quiet), what, details, "silence", "muted")


def _gaps(answers: Answers, span: str) -> Action:
    known, newly = (_first(answers["gaps"], column) for column in ("gaps_in_all", "newly_in_all"))
    lost = [
        f"some {count(row['lost'])} lost in all, by estimate ({count(row['lost_low'])} to {count(row['lost_high'])})"
        for row in answers["feed"].rows
        if row["lost"] is not None
    ]
    details = [f"{newly:,} {span}", *lost, "look in the delivery log of Rally or Svix"]
    what = f"{plural(known, 'webhook')} known to be missing"
    return Action("gaps", known, what, details, "gaps", "warn" if newly else "muted")


def _full_studies(answers: Answers) -> Action:
    number, full = answers["full_studies"].of_all, answers["full_studies"].rows
    details = [f"{cut(row['study'], 40)}: {several(row['remaining'], 'place')} left" for row in full[:2]]
    what = f"{plural(number, 'study', 'studies')} full or nearly"
    is_full = any(row["remaining"] == 0 for row in full)
    return Action("full_studies", number, what, details, "full_studies", "warn" if is_full else "muted")


def _first(answer: Answer, column: str) -> int:
    """What every row says of all."""
    return int(answer.rows[0][column]) if answer.rows else 0
