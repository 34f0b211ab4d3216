"""Who needs action today: the first thing a reader looks for, the most urgent first."""

from collections.abc import Iterator, Mapping

from pipelines.report import formatting
from pipelines.report.document import Action
from pipelines.report.questions import Answer

several = formatting.several


def actions(answers: Mapping[str, Answer], span: str) -> tuple[list[Action], list[str]]:
    """What is to be done, and of what there is nothing to be done."""
    found = list(_all(answers, span))
    waiting = [one for one in found if one.number]
    order = {"bad": 0, "warn": 1, "muted": 2, "": 3}
    return sorted(waiting, key=lambda one: order[one.tone]), [
        one.what for one in found if not one.number and one.key != "silent_hours"
    ]


def _all(answers: Mapping[str, Answer], span: str) -> Iterator[Action]:
    silence = answers["silence"].rows
    of_all = [row for row in silence if row["is_of_all"]]
    yield Action(
        "silent_hours",
        int(of_all[0]["silence_hours"]) if of_all else 0,
        "hours without any webhook",
        [
            f"longest normal gap {formatting.hours(row['usual_hours'])}: check that webhooks are still arriving"
            for row in of_all
        ],
        "#list-silence",
        "bad",
    )
    yield from _incentives(answers)
    by_stage = answers["stalled_by_stage"].rows
    by_hand = by_stage[0]["to_move_in_all"] if by_stage else 0
    yield Action(
        "stalled",
        answers["stalled_participants"].of_all,
        _plural(answers["stalled_participants"].of_all, "participant", " stalled"),
        [
            ", ".join(f"{row['stalled']:,} {formatting.shown(row['stage'])}" for row in by_stage),
            *([f"{by_hand:,} may have finished: move them by hand"] if by_hand else []),
        ],
        "#list-stalled_participants",
        "warn",
    )
    yield _contacted(answers, span)
    yield from _data(answers, span)
    full = answers["full_studies"].rows
    yield Action(
        "full_studies",
        answers["full_studies"].of_all,
        "study full or nearly" if answers["full_studies"].of_all == 1 else "studies full or nearly",
        [f"{formatting.cut(row['study'], 40)}: {several(row['remaining'], 'place')} left" for row in full[:2]],
        "#list-full_studies",
        "warn" if any(row["remaining"] == 0 for row in full) else "muted",
    )


def _incentives(answers: Mapping[str, Answer]) -> Iterator[Action]:
    rows = answers["incentives"].rows
    for row in rows:
        details = [f"oldest {formatting.days(row['oldest_days'])}"] if row["people"] else []
        if not row["is_sent"]:
            money = [f"{formatting.amount(row['overdue_amount'])} in all"] if row["overdue_amount"] else []
            unknown = row["overdue_without_amount"]
            money += [f"{several(unknown, 'more', 'more')} of unknown amount"] if unknown else []
            yield Action(
                "overdue",
                row["overdue"],
                _plural(row["overdue"], "incentive", " overdue, not sent"),
                details + money,
                "#list-incentives_owed",
                "bad",
            )
            yield Action(
                "hidden",
                row["hidden"],
                _plural(row["hidden"], "owed incentive", " that Rally hides"),
                ["not shown in any Rally table: they finished, then opted out or bounced"],
                "#list-incentives_hidden",
                "bad",
            )
        elif row["is_returned"]:
            yield Action(
                "returned",
                row["people"],
                _plural(row["people"], "incentive", " not delivered"),
                [*details, "the email bounced: find another address"],
                "#list-incentives_returned",
                "bad",
            )
        else:
            yield Action(
                "unclaimed",
                row["overdue"],
                _plural(row["overdue"], "incentive", " sent, overdue unclaimed"),
                [*details, "remind them"],
                "#list-incentives",
                "warn",
            )


def _contacted(answers: Mapping[str, Answer], span: str) -> Action:
    rows = answers["contacted"].rows
    newly = rows[0]["new_of_all"] if rows else 0
    return Action(
        "contacted",
        answers["contacted"].of_all,
        "person contacted too much" if answers["contacted"].of_all == 1 else "people contacted too much",
        [f"{newly:,} went over a limit {span}", "don't contact them until they are back under the limit"],
        "#list-contacted",
        "warn" if newly else "muted",
    )


def _data(answers: Mapping[str, Answer], span: str) -> Iterator[Action]:
    rejected = answers["rejected"].rows
    unusable = rejected[0]["unknown_in_all"] if rejected else 0
    unknown = [row["value"] for row in rejected if row["value"] is not None]
    yield Action(
        "unknown_statuses",
        unusable,
        _plural(unusable, "webhook", " with unknown statuses"),
        [", ".join(formatting.cut(value, 30) for value in unknown[:3]), "add them to participant_statuses.csv"],
        "#list-rejected",
        "warn",
    )
    quiet = [row for row in answers["silence"].rows if not row["is_of_all"]]
    yield Action(
        "silent_studies",
        len(quiet),
        "study gone quiet" if len(quiet) == 1 else "studies gone quiet",
        [", ".join(formatting.cut(row["study"], 40) for row in quiet[:2]), "done, or stuck?"],
        "#list-silence",
        "muted",
    )
    gaps = answers["gaps"].rows
    lost = [
        f"some {formatting.count(row['lost'])} lost in all, by estimate ({formatting.count(row['lost_low'])} to {formatting.count(row['lost_high'])})"
        for row in answers["feed"].rows
        if row["lost"] is not None
    ]
    known = gaps[0]["gaps_in_all"] if gaps else 0
    newly = gaps[0]["newly_in_all"] if gaps else 0
    yield Action(
        "gaps",
        known,
        _plural(known, "webhook", " known to be missing"),
        [f"{newly:,} {span}", *lost, "look in the delivery log of Rally or Svix"],
        "#list-gaps",
        "warn" if newly else "muted",
    )


def _plural(number: int, one: str, rest: str) -> str:
    return f"{one}{'' if number == 1 else 's'}{rest}"
