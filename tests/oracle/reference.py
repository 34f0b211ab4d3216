"""Section 4: statuses, stages, steps, and what a user says about their studies."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

STAGES = (
    "Not Started",
    "Invited",
    "Screening",
    "In Progress",
    "Pending Incentive",
    "Done",
    "Cancelled",
)
TERMINAL_STAGES = frozenset({"Done", "Cancelled"})

STEPS = (
    "added",
    "invited",
    "screener_started",
    "screener_completed",
    "qualified",
    "activity_invited",
    "activity_started",
    "activity_completed",
    "incentive_sent",
    "incentive_claimed",
)

INVITATIONS = frozenset({"INVITE_SENT", "INTERVIEW_INVITE_SENT", "UNMODERATED_TEST_INVITE_SENT"})
COMPLETIONS = {
    "INTERVIEW_COMPLETED": "interview",
    "SURVEY_COMPLETED": "survey",
    "UNMODERATED_TEST_COMPLETED": "unmoderated_test",
}
# What to do about someone who is stalled in a status; of all others, remind.
LET_GO = frozenset({"NOT_ELIGIBLE", "SCREENER_DISQUALIFIED"})
MOVED_ON_BY_TEAM = frozenset({"SCREENER_STARTED", "SCREENER_COMPLETED", "SCREENER_QUALIFIED", "SURVEY_STARTED"})
BOUNCES = frozenset({"EMAIL_SOFT_BOUNCED", "EMAIL_HARD_BOUNCED"})


@dataclass(frozen=True)
class Status:
    """A row of the reference table; `rank` is its place there."""

    status: str
    rank: int
    label: str
    stage: str
    funnel_step: str
    incentive_effect: str
    is_contact: bool


@dataclass(frozen=True)
class Study:
    """A row of studies.csv, of which every column but the first is optional."""

    study_type: str | None = None
    incentives_enabled: bool | None = None
    incentive_type: str | None = None
    incentive_cents: int | None = None
    currency: str | None = None
    participation_limit: int | None = None
    closed_on: str | None = None

    @property
    def pays_incentives(self) -> bool:
        """Unless the user says that it does not."""
        return self.incentives_enabled is not False

    @property
    def owes_incentives(self) -> bool:
        """Unless nobody is paid, or an external panel pays."""
        return self.pays_incentives and self.incentive_type != "external"


ACTIVITIES = {
    "INTERVIEW_": "interview",
    "SURVEY_": "survey",
    "UNMODERATED_TEST_": "unmoderated_test",
}

Statuses = Mapping[str, Status]
Studies = Mapping[str, Study]

# Copied from the specification by hand, so that a wrong seed in the product is seen here.
TABLE = """
NOT_STARTED | Not Contacted | Not Started | added | revokes | |
NOT_ELIGIBLE | Not Eligible | Not Started | added | neutral | |
INVITE_SENT | Study Invited | Invited | invited | revokes | yes |
SCREENER_STARTED | Screener Started | Screening | screener_started | revokes | |
SCREENER_COMPLETED | Screener Completed | Screening | screener_completed | revokes | |
SCREENER_DISQUALIFIED | Screener Not Qualified | Screening | screener_completed | revokes | |
SCREENER_QUALIFIED | Screener Qualified | Screening | qualified | revokes | |
INTERVIEW_INVITE_SENT | Interview Invited | In Progress | activity_invited | revokes | yes |
INTERVIEW_SCHEDULED | Interview Scheduled | In Progress | activity_started | revokes | |
INTERVIEW_COMPLETED | Interview Completed | Pending Incentive | activity_completed | owes | |
INTERVIEW_CANCELLED | Interview Canceled | Cancelled | activity_started | revokes | |
INTERVIEW_NO_SHOWED | No Showed | Cancelled | activity_started | revokes | |
SURVEY_STARTED | Survey Started | In Progress | activity_started | revokes | |
SURVEY_COMPLETED | Survey Completed | Pending Incentive | activity_completed | owes | |
INCENTIVE_SENT | Incentive Sent | Done | incentive_sent | sends | yes |
INCENTIVE_CLAIMED | Incentive Claimed | Done | incentive_claimed | settles | |
INCENTIVE_SKIPPED | Incentive Skipped | Done | activity_completed | settles | |
UNMODERATED_TEST_INVITE_SENT | Test Invited | In Progress | activity_invited | revokes | yes |
UNMODERATED_TEST_STARTED | Test Started | In Progress | activity_started | revokes | |
UNMODERATED_TEST_COMPLETED | Test Completed | Pending Incentive | activity_completed | owes | |
COMPLETED_STUDY | Completed Study | Done | activity_completed | settles | |
CANCELLED | Canceled | Cancelled | added | revokes | |
OPTED_OUT | Opted Out | Cancelled | added | neutral | |
EMAIL_SOFT_BOUNCED | Soft Bounced | Cancelled | added | bounces | |
EMAIL_HARD_BOUNCED | Hard Bounced | Cancelled | added | bounces | |
"""


def _default() -> dict[str, Status]:
    statuses: dict[str, Status] = {}
    for rank, row in enumerate(TABLE.strip().splitlines()):
        status, label, stage, step, effect, contact, _ = (cell.strip() for cell in row.split("|"))
        statuses[status] = Status(status, rank, label, stage, step, effect, contact == "yes")
    return statuses


DEFAULT_STATUSES: Statuses = _default()


def read_statuses(path: Path) -> dict[str, Status]:
    """Read the table a user edits; its row order is the rank."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        return {
            row["status"]: Status(
                status=row["status"],
                rank=rank,
                label=row["label"],
                stage=row["stage"],
                funnel_step=row["funnel_step"],
                incentive_effect=row["incentive_effect"],
                is_contact=row["is_contact"].strip().lower() in {"true", "yes", "1", "t", "y"},
            )
            for rank, row in enumerate(csv.DictReader(file))
        }


def study_of(studies: Studies, study_id: str) -> Study:
    """Return what is said of a study, or the defaults where nothing is."""
    return studies.get(study_id, Study())


def stage_of(status: str, study_id: str, statuses: Statuses, studies: Studies) -> str:
    """Name the stage: nothing is pending where a study pays no incentives."""
    stage = statuses[status].stage
    if stage == "Pending Incentive" and not study_of(studies, study_id).pays_incentives:
        return "Done"
    return stage


def activity_of(status: str) -> str | None:
    """Say which kind of study a status belongs to, if only one has it."""
    for prefix, activity in ACTIVITIES.items():
        if status.startswith(prefix):
            return activity
    return None
