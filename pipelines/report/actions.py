"""The list of what needs action, the most urgent first."""

from collections.abc import Iterator

from pipelines.plain import plural, several
from pipelines.report.document import Action
from pipelines.report.formatting import age, completed, count, cut, hours, money, words
from pipelines.report.questions import Answer, Answers
from pipelines.warehouse import Row

_URGENCY = {"bad": 0, "warn": 1, "muted": 2, "": 3}
_UNKNOWN_STATUSES = """studyflow sql "from audit.rejected_lines where reason like 'unknown%'\""""
"""The command for the lines with unknown statuses. The table of rejected lines has those with other reasons, too."""
_TO_DO = {"remind": "remind", "move_by_hand": "move to another status in Rally by hand"}


def actions(answers: Answers, span: str) -> tuple[list[Action], list[str]]:
    """The actions that are needed, the most urgent first, and the names of those that are not."""
    candidates = [
        *_silence(answers),
        _steps(answers),
        _invited(answers),
        *(action for row in answers["incentives"].rows for action in _incentives(row, answers)),
        _stalled(answers),
        _contacted(answers, span),
        _unknown_statuses(answers),
        _silent_studies(answers),
        _gaps(answers, span),
        _full_studies(answers),
    ]
    needed = sorted((action for action in candidates if action.number), key=lambda action: _URGENCY[action.tone])
    return needed, [action.what for action in candidates if not action.number]


def _silence(answers: Answers) -> Iterator[Action]:
    for row in answers["silence"].rows:
        if row["is_of_all"] and row["silence_hours"] >= 1:
            usual = f"longest earlier silence {hours(row['usual_hours'])}: check that webhooks are still arriving"
            silent = int(row["silence_hours"])
            yield Action(
                "silent_hours", silent, "hours without any webhook", [usual], "bad", *_list(answers["silence"])
            )


def _steps(answers: Answers) -> Action:
    answer = answers["steps_below_usual"]
    details = [
        f"{cut(row['study'], 40)}, {words(row['step']).lower()}: {row['went_on']:,} of {row['arrived']:,} continued, "
        f"{count(row['expected'])} expected"
        for row in answer.rows[:2]
    ]
    what = f"{plural(answer.total_rows, 'step')} where far fewer participants continue than usual"
    details.append("look for a broken link or screener")
    return Action("steps_below_usual", answer.total_rows, what, details, "bad", *_list(answer))


def _invited(answers: Answers) -> Action:
    answer = answers["invited_too_many"]
    details = [
        f"{cut(row['study'], 40)}: {row['invited']:,} for {several(row['places_left'], 'place')}"
        for row in answer.rows[:2]
    ]
    full = _first(answer, "full_of_all")
    details += [f"on {full:,} of these days the study was already full"] if full else []
    what = f"{plural(answer.total_rows, 'day')} in the last week with far more invitations than needed"
    return Action(
        "invited_too_many", answer.total_rows, what, [*details, "pause these invitations"], "bad", *_list(answer)
    )


def _incentives(row: Row, answers: Answers) -> Iterator[Action]:
    """The actions for one backlog state (a row of incentives.sql)."""
    people, overdue, hidden = row["people"], row["overdue"], row["hidden"]
    details = [f"oldest {age(row['oldest_days'])}"] if people else []
    if not row["is_sent"]:
        both = row["hidden_overdue"]
        details += filter(None, [_overdue_amounts(row["backlog_state"], answers)])
        details += [f"including {both:,} that no Rally table shows"] if both else []
        what = plural(overdue, "unsent incentive that is overdue", "unsent incentives that are overdue")
        yield Action("overdue", overdue, what, details, "bad", *_list(answers["incentives_owed"], " --overdue"))
        what = f"{plural(hidden - both, 'owed incentive')} that no Rally table shows (not overdue yet)"
        details = ["the participants finished, then opted out or bounced"]
        yield Action("hidden_not_overdue", hidden - both, what, details, "bad", *_list(answers["incentives_hidden"]))
    elif row["is_returned"]:
        what = plural(people, "undelivered incentive")
        details.append("the email bounced: find another address")
        yield Action("returned", people, what, details, "bad", *_list(answers["incentives_returned"]))
    else:
        what = f"{plural(overdue, 'incentive')} sent but unclaimed for too long"
        yield Action(
            "unclaimed",
            overdue,
            what,
            [*details, "remind the participants"],
            "warn",
            *_list(answers["incentives_unclaimed"], " --overdue"),
        )


def _overdue_amounts(state: str, answers: Answers) -> str:
    """The overdue amount in a backlog state by currency: `EUR 2,630, USD 400, plus 8 of unknown amount`."""
    rows = [row for row in answers["incentives_money"].rows if row["backlog_state"] == state and row["overdue"]]
    return ", ".join(
        _overdue_amount(row) if row["is_known"] else f"plus {row['overdue']:,} of unknown amount" for row in rows
    )


def _overdue_amount(row: Row) -> str:
    amount = money(row["overdue_amount"], row["currency"])
    return amount if row["currency"] else f"{amount} without a currency"


def _stalled(answers: Answers) -> Action:
    groups = answers["stalled_by_action"].rows
    number = sum(row["participants"] for row in groups if row["is_actionable"])
    details = [f"{row['participants']:,} to {_TO_DO[row['action']]}" for row in groups if row["is_actionable"]]
    let_go = sum(row["participants"] for row in groups if not row["is_actionable"])
    if let_go:
        details.append(f"{let_go:,} others need no action: disqualified, or the study is closed or full")
    what = f"{plural(number, 'participant')} stalled"
    return Action("stalled", number, what, details, "warn", *_list(answers["stalled_participants"]))


def _contacted(answers: Answers, span: str) -> Action:
    number = answers["contacted"].total_rows
    newly = _first(answers["contacted"], "new_of_all")
    details = ["don't contact them until they are back under the limit", f"{newly:,} of them went over a limit {span}"]
    what = f"{plural(number, 'person', 'people')} contacted too often"
    return Action("contacted", number, what, details, "warn" if newly else "muted", *_list(answers["contacted"]))


def _unknown_statuses(answers: Answers) -> Action:
    number = _first(answers["rejected"], "unknown_in_all")
    unknown = [row["value"] for row in answers["rejected"].rows if row["value"] is not None]
    details = [", ".join(cut(value, 30) for value in unknown[:3]), "add these statuses to participant_statuses.csv"]
    what = f"{plural(number, 'webhook')} with unknown statuses"
    return Action("unknown_statuses", number, what, details, "warn", answers["rejected"].name, _UNKNOWN_STATUSES)


def _silent_studies(answers: Answers) -> Action:
    quiet = [row for row in answers["silence"].rows if not row["is_of_all"]]
    details = [", ".join(cut(row["study"], 40) for row in quiet[:2]), "finished or stuck?"]
    what = f"{plural(len(quiet), 'study that has', 'studies that have')} gone quiet"
    return Action("silent_studies", len(quiet), what, details, "muted", *_list(answers["silence"]))


def _gaps(answers: Answers, span: str) -> Action:
    known, newly = (_first(answers["gaps"], column) for column in ("gaps_in_all", "newly_in_all"))
    lost = [
        f"about {count(row['lost'])} webhooks lost in total, estimated from breaks in histories "
        f"(95% interval: {count(row['lost_low'])} to {count(row['lost_high'])})"
        for row in answers["feed"].rows
        if row["lost"] is not None
    ]
    details = [f"{newly:,} {span}", *lost, "look in the delivery log of Rally or Svix (Svix delivers Rally's webhooks)"]
    what = f"{plural(known, 'gap')} where webhooks are missing"
    return Action("gaps", known, what, details, "warn" if newly else "muted", *_list(answers["gaps"]))


def _full_studies(answers: Answers) -> Action:
    number, full = answers["full_studies"].total_rows, answers["full_studies"].rows
    over = _first(answers["full_studies"], "over_of_all")
    details = [f"{over:,} of them over the limit"] if over else []
    details += [
        f"{cut(row['study'], 40)} ({completed(row['completed'], row['participation_limit'], row['over_limit'])})"
        for row in full[:2]
    ]
    details.append("before you invite more people, see when studies will be full")
    what = f"{plural(number, 'study', 'studies')} full or nearly full"
    is_full = any(row["remaining"] == 0 for row in full)
    return Action(
        "full_studies", number, what, details, "warn" if is_full else "muted", *_list(answers["full_studies"])
    )


def _list(answer: Answer, option: str = "") -> tuple[str, str]:
    """The name of the table with the first rows, and the command for the whole list, with an option appended."""
    return answer.name, f"{answer.list_command}{option}"


def _first(answer: Answer, column: str) -> int:
    """The value of a column that is the same in all rows; 0 without rows."""
    return int(answer.rows[0][column]) if answer.rows else 0
