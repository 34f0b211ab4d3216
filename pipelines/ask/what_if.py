"""`studyflow what-if`: what a limit or a cooldown would have changed about the invitations of the last year."""

import re
from typing import Any, NamedTuple

import duckdb

from pipelines.ask.reply import Listing
from pipelines.ask.show import Headings, Line, study_label, tenths
from pipelines.ask.warehouse import ask, marts_as_of
from pipelines.errors import UsageError
from pipelines.reference import COUNTED

COLUMNS = Headings(
    ("study", "invitations", "stopped", "people spared", "completed", "completions lost", "expected lost"),
    right=("invitations", "stopped", "people spared", "completed", "completions lost", "expected lost"),
    shrink="study",
)
NOTES = (
    "people spared: at least one of their invitations would have been stopped. completions lost: completions of",
    "people who would not have been invited. expected lost: an estimate of further completions of such people.",
)
EXAMPLES = '"invitations 3 in 90 days", "14 days after participation", or a rule_id from governance_rules.csv'

_KIND = r"(?P<{}>[a-z][a-z _-]*?)"
_LIMIT = re.compile(rf"{_KIND.format('counted')} (?P<at_most>\d{{1,6}}) in (?P<days>\d{{1,4}}) days?")
_COOLDOWN = re.compile(
    rf"(?:{_KIND.format('judged')} )?(?P<days>\d{{1,4}}) days? after (?:an? )?{_KIND.format('counted')}"
)


class ProposedRule(NamedTuple):
    """A rule in the form of models/staging/stg_governance_rules.sql.

    It stops an invitation of `judged_kind` after `at_most` contacts of `counted_kind` within the days before.
    """

    judged_kind: str
    counted_kind: str
    at_most: int
    within_days: int


def what_if(connection: duckdb.DuckDBPyConnection, rule: str) -> Listing:
    """What the rule would have stopped in each study, and in total.

    Raises:
        StudyflowError: the tables are not built, or the rule is invalid.
    """
    as_of = marts_as_of(connection)
    ask(connection, "what_if", **find_rule(connection, rule)._asdict())
    [totals] = ask(connection, "what_if_totals").records()
    notes = [(_summary(totals), "bold"), *((note, "dim") for note in NOTES)]
    return Listing(as_of, "studies", ask(connection, "what_if_studies"), COLUMNS, _line, totals, notes)


def find_rule(connection: duckdb.DuckDBPyConnection, rule: str) -> ProposedRule:
    """The rule that a text describes, or the rule of governance_rules.csv with this id.

    Raises:
        UsageError: the text is neither.
    """
    words = " ".join(rule.lower().split())
    for match in (_LIMIT.fullmatch(words), _COOLDOWN.fullmatch(words)):
        if match:
            return _rule(**match.groupdict())
    for row in ask(connection, "what_if_rule", rule_id=rule.strip()).rows:
        return ProposedRule(*row)
    msg = f"--rule: {rule!r} is not a rule. Write it like {EXAMPLES}."
    raise UsageError(msg)


def _rule(counted: str, days: str, at_most: str | None = None, judged: str | None = None) -> ProposedRule:
    kind = _kind(counted)
    if at_most is not None:
        return ProposedRule(kind, kind, int(at_most), int(days))
    stopped = _kind(judged) if judged else "study_invitation"
    if stopped not in {"invitation", "study_invitation"}:
        msg = f"--rule: a cooldown stops invitations or study invitations, not {judged}."
        raise UsageError(msg)
    # As in governance_rules.csv: a cooldown allows nothing except the invitation that started it.
    return ProposedRule(stopped, kind, 1 if stopped == kind else 0, int(days))


def _kind(words: str) -> str:
    name = re.sub("[ -]", "_", words).removesuffix("s")
    if name not in COUNTED:
        msg = f"--rule: a rule cannot count {words!r}. It can count one of: {', '.join(sorted(COUNTED))}."
        raise UsageError(msg)
    return name


def _summary(totals: dict[str, Any]) -> str:
    return (
        f"The rule would have stopped {totals['stopped']:,} of {totals['invitations']:,} invitations of the last year: "
        f"{totals['people_spared']:,} people spared, {totals['completions_lost']:,} of {totals['completed']:,} "
        "completions lost."
    )


def _line(row: dict[str, Any]) -> Line:
    return [
        study_label(row["study_id"], row["study_name"]),
        *(f"{row[name]:,}" for name in ("invitations", "stopped", "people_spared", "completed", "completions_lost")),
        tenths(row["expected_lost"]),
    ]
