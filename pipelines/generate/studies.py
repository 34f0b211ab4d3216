"""Makes the studies of a recipe."""

from dataclasses import dataclass

from pipelines.generate.clock import DAY, SECOND, at_work
from pipelines.generate.journeys import BulkEdit, Place, places
from pipelines.generate.people import IdSource
from pipelines.generate.recipe import Recipe

RECRUITED = 0.85
"""The share of the days on which participants are added."""
OPENED = 0.7
"""The share of all participants who are added before the last study opens."""
RECRUITING = 0.5
"""How long a study recruits, as a share of all participants added meanwhile."""

# study type, screener, incentives
_DESIGNS = (
    ("interview", "automatic", "pays"),
    ("survey", "none", "pays"),
    ("unmoderated_test", "manual", "pays"),
    ("interview", "none", "pays"),
    ("survey", "none", "pays_nothing"),
    ("mixed", "automatic", "pays"),
    ("unmoderated_test", "none", "pays"),
    ("interview", "manual", "pays"),
)
_ACTIVITIES = {
    "interview": "INTERVIEW_INVITE_SENT",
    "survey": "SURVEY_STARTED",
    "unmoderated_test": "UNMODERATED_TEST_INVITE_SENT",
    "mixed": "INTERVIEW_INVITE_SENT",
}
_EDITS = {
    # Rally does not learn of completions in a linked survey, so the team enters them by hand.
    "survey": (frozenset({"SURVEY_STARTED"}), "SURVEY_COMPLETED"),
    # Recruiting is over.
    "interview": (frozenset({"INVITE_SENT", "SCREENER_STARTED", "INTERVIEW_INVITE_SENT"}), "CANCELLED"),
    "mixed": (frozenset({"NOT_STARTED", "INVITE_SENT"}), "CANCELLED"),
    # Paid outside Rally.
    "unmoderated_test": (frozenset({"UNMODERATED_TEST_STARTED", "UNMODERATED_TEST_COMPLETED"}), "INCENTIVE_SKIPPED"),
}
_EDIT_AFTER = 0.42


@dataclass(frozen=True, slots=True)
class Study:
    """A study. It opens when the share `opens` of all participants has been added. They enter at `start`."""

    number: int
    study_id: str
    opens: float
    start: Place
    edit: BulkEdit | None


def make_studies(recipe: Recipe, ids: IdSource) -> list[Study]:
    """The studies in the order they open, with designs in turn. Three of four have a bulk edit."""
    designs = [(kind, _paths(kind, screener, incentives)) for kind, screener, incentives in _DESIGNS]
    studies = []
    for number in range(recipe.studies):
        kind, linked = designs[number % len(designs)]
        opens = number / recipe.studies * OPENED
        opened = recruited_at(opens, recipe)
        statuses, place = _EDITS[kind]
        edited = at_work(opened + int(_EDIT_AFTER * recipe.days * DAY)) // SECOND * SECOND
        edit = BulkEdit(edited, statuses, linked[place]) if number % 4 else None
        studies.append(Study(number, ids.make(opened), opens, linked["NOT_STARTED"], edit))
    return studies


def recruited_at(share: float, recipe: Recipe) -> int:
    """When this share of all participants has been added: in working hours, unless the recipe's days end before."""
    passed = int(share * recipe.days * RECRUITED * DAY)
    if recipe.burst_days:
        passed -= passed % (recipe.burst_days * DAY)
    moment = recipe.begins + passed
    working_time = at_work(moment)
    return working_time if working_time < recipe.ends else moment


def _paths(kind: str, screener: str, incentives: str) -> dict[str, Place]:
    activity = _ACTIVITIES[kind]
    is_direct = screener == "none" and kind != "survey"
    invitation = activity if is_direct else "INVITE_SENT"
    return places({kind, screener, incentives}, {"activity": activity, "invitation": invitation})
