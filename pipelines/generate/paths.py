"""Which status follows which, how often and how fast, in each kind of study.

A path table maps a place to its branches: (share of a hundred, next place, pace). Whoever takes no branch stays. A
place is a status, or a status with a note after a space where what follows depends on how it was reached.
"""

from typing import Literal

Kind = Literal["interview", "survey", "unmoderated_test", "mixed"]
Screener = Literal["none", "automatic", "manual"]
Pace = Literal["at once", "person in minutes", "person in hours", "person in days", "team in hours", "team in days"]
Branch = tuple[int, str, Pace]
Paths = dict[str, tuple[Branch, ...]]

_FIRST_PLACE = {
    "interview": "INTERVIEW_INVITE_SENT",
    "survey": "SURVEY_STARTED",
    "unmoderated_test": "UNMODERATED_TEST_INVITE_SENT",
    "mixed": "INTERVIEW_INVITE_SENT",
}


def paths(kind: Kind, screener: Screener, *, pays: bool) -> Paths:
    """The path table of a study, from `NOT_STARTED` on. `pays` says that it gives incentives."""
    return {
        **_outreach(kind, screener),
        **_screening(kind, screener),
        **_interview(),
        **_test(),
        **_survey(),
        **_completed(kind, pays=pays),
        **_incentive(),
    }


def _outreach(kind: Kind, screener: Screener) -> Paths:
    opening = "SURVEY_STARTED" if kind == "survey" else "SCREENER_STARTED"
    direct = screener == "none" and kind in {"interview", "unmoderated_test"}
    invite = _FIRST_PLACE[kind] if direct else "INVITE_SENT"
    # Some are invited straight to the activity although the study has a screener.
    bypass = 0 if direct or kind == "survey" else 10
    return {
        "NOT_STARTED": (
            (85 - bypass, invite, "team in hours"),
            (bypass, _FIRST_PLACE[kind], "team in hours"),
            (5, "NOT_ELIGIBLE", "team in hours"),
            (2, "CANCELLED", "team in days"),
        ),
        "NOT_ELIGIBLE": ((12, invite, "team in days"),),
        **_emailed("INVITE_SENT", (66, opening, "person in hours")),
    }


def _emailed(place: str, *accepted: Branch) -> Paths:
    """An invitation: accepted, sent again, bounced, or answered with an opt-out."""
    return {
        place: (
            *accepted,
            (15, place, "team in days"),
            (3, f"EMAIL_SOFT_BOUNCED {place}", "person in minutes"),
            (2, "EMAIL_HARD_BOUNCED", "person in minutes"),
            (3, "OPTED_OUT", "person in days"),
            (1, "CANCELLED", "team in days"),
        ),
        f"EMAIL_SOFT_BOUNCED {place}": ((45, place, "team in days"),),
    }


def _screening(kind: Kind, screener: Screener) -> Paths:
    activity = _FIRST_PLACE[kind]
    outcome: tuple[Branch, ...] = (
        ((80, "SCREENER_COMPLETED", "person in minutes"),)
        if screener == "manual"
        else (
            (38, "SCREENER_COMPLETED automatic", "person in minutes"),
            (32, "SCREENER_QUALIFIED", "person in minutes"),
            (12, "SCREENER_DISQUALIFIED", "person in minutes"),
        )
    )
    book: Branch = (12, "INTERVIEW_SCHEDULED", "person in hours")
    return {
        "SCREENER_STARTED": (*outcome, (1, "OPTED_OUT", "person in hours")),
        "SCREENER_COMPLETED automatic": (
            (72, "SCREENER_QUALIFIED", "at once"),
            (28, "SCREENER_DISQUALIFIED", "at once"),
        ),
        "SCREENER_COMPLETED": (
            (66, activity, "team in hours"),
            (8, "SCREENER_QUALIFIED", "team in days"),
            (14, "SCREENER_DISQUALIFIED", "team in days"),
            (1, "OPTED_OUT", "person in days"),
        ),
        "SCREENER_QUALIFIED": (
            (76, activity, "team in hours"),
            *((book,) if kind in {"interview", "mixed"} else ()),
            (2, "OPTED_OUT", "person in days"),
        ),
        "SCREENER_DISQUALIFIED": ((4, "SCREENER_QUALIFIED", "team in days"), (8, "CANCELLED", "team in days")),
    }


def _interview() -> Paths:
    return {
        **_emailed("INTERVIEW_INVITE_SENT", (67, "INTERVIEW_SCHEDULED", "person in hours")),
        "INTERVIEW_SCHEDULED": (
            (73, "INTERVIEW_COMPLETED", "team in days"),
            (11, "INTERVIEW_NO_SHOWED", "team in days"),
            (11, "INTERVIEW_CANCELLED", "person in days"),
            (1, "OPTED_OUT", "person in days"),
        ),
        "INTERVIEW_NO_SHOWED": (
            (40, "INTERVIEW_SCHEDULED", "person in days"),
            (15, "INTERVIEW_INVITE_SENT", "team in hours"),
            (15, "CANCELLED", "team in days"),
        ),
        "INTERVIEW_CANCELLED": (
            (48, "INTERVIEW_SCHEDULED", "person in hours"),
            (14, "INTERVIEW_INVITE_SENT", "team in days"),
        ),
    }


def _test() -> Paths:
    return {
        **_emailed("UNMODERATED_TEST_INVITE_SENT", (66, "UNMODERATED_TEST_STARTED", "person in hours")),
        "UNMODERATED_TEST_STARTED": (
            (78, "UNMODERATED_TEST_COMPLETED", "person in minutes"),
            (1, "OPTED_OUT", "person in days"),
        ),
    }


def _survey() -> Paths:
    return {
        "SURVEY_STARTED": (
            (74, "SURVEY_COMPLETED", "person in minutes"),
            (1, "OPTED_OUT", "person in days"),
        ),
    }


def _completed(kind: Kind, *, pays: bool) -> Paths:
    settled: tuple[Branch, ...] = (
        (
            (76, "INCENTIVE_SENT", "team in days"),
            (4, "INCENTIVE_SKIPPED", "team in days"),
            (3, "COMPLETED_STUDY", "team in days"),
        )
        if pays
        else ((60, "COMPLETED_STUDY", "team in days"),)
    )
    leaves: tuple[Branch, ...] = ((3, "OPTED_OUT", "person in days"), (1, "EMAIL_HARD_BOUNCED", "person in hours"))
    follow_up: tuple[Branch, ...] = ((70, "SURVEY_STARTED", "person in hours"),) if kind == "mixed" else settled
    return {
        "INTERVIEW_COMPLETED": (*follow_up, *leaves, (4, "INTERVIEW_NO_SHOWED", "team in hours")),
        "UNMODERATED_TEST_COMPLETED": (*settled, *leaves),
        "SURVEY_COMPLETED": (*settled, *leaves),
    }


def _incentive() -> Paths:
    return {
        "INCENTIVE_SENT": (
            (72, "INCENTIVE_CLAIMED", "person in hours"),
            (5, "EMAIL_SOFT_BOUNCED INCENTIVE_SENT", "person in minutes"),
            (2, "EMAIL_HARD_BOUNCED", "person in minutes"),
            (5, "INCENTIVE_SENT", "team in days"),
            (2, "OPTED_OUT", "person in days"),
        ),
        "EMAIL_SOFT_BOUNCED INCENTIVE_SENT": ((55, "INCENTIVE_SENT", "team in days"),),
        "INCENTIVE_CLAIMED": ((10, "COMPLETED_STUDY", "team in days"), (2, "OPTED_OUT", "person in days")),
    }
