"""`studyflow what-if`: the same as an oracle that goes through the history of each person."""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import NamedTuple

import duckdb
import pytest
from oracle.history import histories
from oracle.lines import deliveries, read_lines
from oracle.reference import DEFAULT_STATUSES
from oracle.what_if import Replayed, age, replay
from oracle.workspace import DAY, Workspace
from product import Product, rows
from sample import sample_files, sample_studies

from pipelines.ask.what_if import ProposedRule, find_rule, what_if
from pipelines.errors import UsageError
from pipelines.settings import sample_as_of

RULES = {
    "invitations 1 in 90 days": ProposedRule("invitation", "invitation", 1, 90),
    "Study-Invitations 1 in 60 days": ProposedRule("study_invitation", "study_invitation", 1, 60),
    "20 days after a participation": ProposedRule("study_invitation", "participation", 0, 20),
    "invitation 40 days after study invitations": ProposedRule("invitation", "study_invitation", 0, 40),
    "30 days after study invitations": ProposedRule("study_invitation", "study_invitation", 1, 30),
    "interviews 1 in 90 days": ProposedRule("interview", "interview", 1, 90),
    "study_invitations": ProposedRule("study_invitation", "study_invitation", 2, 30),
}


class Sample(NamedTuple):
    """A warehouse of the sample, and what the oracle knows of it."""

    connection: duckdb.DuckDBPyConnection
    workspace: Workspace


@pytest.fixture(scope="module")
def sample(product: Product) -> Iterator[Sample]:
    """Five weeks before its end, when people were still on their way."""
    changes = list(dict.fromkeys(deliveries(read_lines(sample_files(), DEFAULT_STATUSES))))
    as_of = sample_as_of().replace(month=6, day=28, hour=15)
    workspace = Workspace(histories(changes, as_of, DEFAULT_STATUSES), as_of, studies=sample_studies())
    optional = {"stg_studies": [{"study_id": name} | asdict(study) for name, study in workspace.studies.items()]}
    models = (
        "study_forecast",
        "study_incidence",
        "participants",
        "built_as_of",
        "int_governed_events",
        "stg_governance_rules",
    )
    with product.warehouse(changes, *models, as_of=as_of, optional=optional) as connection:
        yield Sample(connection, workspace)


@pytest.mark.parametrize("words", RULES)
def test_it_stops_what_the_oracle_stops(sample: Sample, words: str) -> None:
    """In all, and in each study: a stopped invitation no longer counts, nor what followed from it."""
    connection, workspace = sample
    rule = find_rule(connection, words)
    assert rule == RULES[words]
    chance = chances(connection)
    wanted: dict[str, list[Replayed]] = {}
    for one in replay(workspace, *rule):
        wanted.setdefault(one.history.study_id, []).append(one)

    connection.execute("drop table if exists listing")
    answer = what_if(connection, words)
    made = {row["study_id"]: row for row in answer.rows.records()}

    assert made.keys() == wanted.keys()
    for study_id, found in wanted.items():
        active = [
            one for one in found if one.is_uninvited and not one.completed_at and not workspace.is_terminal(one.history)
        ]
        expected = sum(chance(study_id, age(workspace, one.history) // DAY) for one in active)
        assert made[study_id] == made[study_id] | {
            "invitations": sum(one.invitations for one in found),
            "stopped": sum(len(one.stopped) for one in found),
            "people_spared": len({one.history.person_id for one in found if one.stopped}),
            "completed": sum(one.completed_at is not None for one in found),
            "completions_lost": sum(one.is_uninvited and one.completed_at is not None for one in found),
            "expected_lost": pytest.approx(expected, abs=0.0051),
        }, study_id
    everybody = [one for found in wanted.values() for one in found]
    assert answer.totals is not None
    assert answer.totals["people_spared"] == len({one.history.person_id for one in everybody if one.stopped})
    assert answer.totals["stopped"] == sum(len(one.stopped) for one in everybody) > 0


def chances(connection: duckdb.DuckDBPyConnection) -> Callable[[str, int], float]:
    """The chance that somebody still active after so many days completes, by the published incidence."""
    types = {row["study_id"]: row for row in rows(connection, "marts.study_forecast")}
    curves = [
        row
        for row in rows(connection, "marts.study_incidence")
        if row["begins_with"] == "any_invitation"
        and row["started_month"] is None
        and row["completed_share"] is not None
    ]

    def chance(study_id: str, days: int) -> float:
        study = types[study_id]
        key = (study_id if study["rests_on"] == "study" else None, study["study_type"])
        own = sorted(
            (row for row in curves if (row["study_id"], row["study_type"]) == key), key=lambda row: row["days"]
        )
        past = [row for row in own if row["days"] <= days]
        if not own:
            return 0.0
        before, lost = (past[-1]["completed_share"], past[-1]["lost_share"]) if past else (0.0, 0.0)
        return float((own[-1]["completed_share"] - before) / (1 - before - lost))

    return chance


@pytest.mark.parametrize(
    "words", ["", "often", "tests 3 in 90 days", "interviews 5 days after interviews", "invitations 3 in 0.5 days"]
)
def test_what_is_no_rule(sample: Sample, words: str) -> None:
    """The error says how a rule is written, or what can be counted."""
    with pytest.raises(UsageError, match=r"--rule: "):
        find_rule(sample.connection, words)
