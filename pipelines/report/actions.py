"""Who needs action today: the first thing a reader looks for, the most urgent first."""

from collections.abc import Iterator, Mapping

from pipelines.report import figures
from pipelines.report.document import Action
from pipelines.report.questions import Answer

several = figures.several


def actions(answers: Mapping[str, Answer], span: str) -> tuple[list[Action], list[str]]:
    """What is to be done, and of what there is nothing to be done."""
    found = list(_all(answers, span))
    waiting = [one for one in found if one.number]
    order = {"bad": 0, "warn": 1, "muted": 2, "": 3}
    return sorted(waiting, key=lambda one: order[one.tone]), [one.what for one in found if not one.number]


def _all(answers: Mapping[str, Answer], span: str) -> Iterator[Action]:
    yield from _incentives(answers)
    by_stage = answers["stalled_by_stage"].rows
    by_hand = by_stage[0]["to_move_in_all"] if by_stage else 0
    yield Action(
        "stalled",
        answers["stalled_participants"].of_all,
        "participants stalled",
        [
            ", ".join(f"{row['stalled']:,} {figures.shown(row['stage'])}" for row in by_stage),
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
        "studies full or nearly",
        [f"{figures.cut(row['study'], 40)}: {several(row['remaining'], 'place')} left" for row in full[:2]],
        "#list-full_studies",
        "warn" if any(row["remaining"] == 0 for row in full) else "muted",
    )


def _incentives(answers: Mapping[str, Answer]) -> Iterator[Action]:
    rows = answers["incentives"].rows
    for row in rows:
        details = [f"oldest {figures.days(row['oldest_days'])}"] if row["people"] else []
        if not row["is_sent"]:
            money = [f"{figures.amount(row['overdue_amount'])} in all"] if row["overdue_amount"] else []
            unknown = row["overdue_without_amount"]
            money += [f"{several(unknown, 'more', 'more')} of unknown amount"] if unknown else []
            yield Action(
                "overdue",
                row["overdue"],
                "incentives overdue, not sent",
                details + money,
                "#list-incentives_owed",
                "bad",
            )
            yield Action(
                "hidden",
                row["hidden"],
                "owed incentives that Rally hides",
                ["in no table there: they finished, then opted out or bounced"],
                "#list-incentives_hidden",
                "bad",
            )
        elif row["is_returned"]:
            yield Action(
                "returned",
                row["people"],
                "incentives not delivered",
                [*details, "the email bounced: find another address"],
                "#list-incentives_returned",
                "bad",
            )
        else:
            yield Action(
                "unclaimed",
                row["overdue"],
                "incentives sent, overdue unclaimed",
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
        "people contacted too much",
        [f"{newly:,} went over a limit {span}", "leave them alone until it has passed"],
        "#list-contacted",
        "warn" if newly else "muted",
    )


def _data(answers: Mapping[str, Answer], span: str) -> Iterator[Action]:
    rejected = answers["rejected"].rows
    unknown = [row["value"] for row in rejected if row["value"] is not None]
    yield Action(
        "unknown_statuses",
        rejected[0]["unknown_in_all"] if rejected else 0,
        "webhooks with unknown statuses",
        [", ".join(figures.cut(value, 30) for value in unknown[:3]), "add them to participant_statuses.csv"],
        "#list-rejected",
        "warn",
    )
    gaps = answers["gaps"].rows
    newly = gaps[0]["newly_in_all"] if gaps else 0
    yield Action(
        "gaps",
        gaps[0]["gaps_in_all"] if gaps else 0,
        "webhooks missing",
        [f"{newly:,} {span}", "look in the delivery log of Rally or Svix"],
        "#list-gaps",
        "warn" if newly else "muted",
    )
