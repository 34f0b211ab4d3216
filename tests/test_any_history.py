"""All tables, row by row as the oracle has them: any history, as of any moment, however it arrives."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import against_oracle
import pytest
from against_oracle import people
from hypothesis import given, settings
from hypothesis import strategies as st
from inbox import inbox
from oracle.history import histories
from oracle.lines import Delivery, deliveries, read_lines
from oracle.marts import Limit
from oracle.reference import COMPLETIONS, DEFAULT_STATUSES, INVITATIONS
from oracle.workspace import Workspace
from product import Product
from strategies import PERSONS, START, as_ofs, feeds, first_days, study_infos, workspaces

from pipelines.check import check
from pipelines.check.remedies import WRONG_CLOCK

LATER = START + timedelta(days=9)

# Days of other lengths than 24 hours, and offsets that are no whole hours.
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "Pacific/Apia")


def contact_flags() -> st.SearchStrategy[dict[str, str]]:
    """What people.csv says, of some people and of one never seen."""
    flags = st.sampled_from(["In Blocklist", "Do Not Contact", "Opted Out", "Free to Contact"])
    return st.dictionaries(st.sampled_from([*PERSONS, "person-unseen"]), flags)


def opt_outs(changes: Sequence[Delivery]) -> st.SearchStrategy[dict[str, list[tuple[datetime, bool]]]]:
    """Events of some people and of one never seen: at a change, just after one, or at any other time."""
    instants = sorted({change.updated_at for change in changes} | {START})
    when = st.sampled_from([one + step for one in instants for step in (timedelta(), timedelta(microseconds=1))])
    return st.dictionaries(
        st.sampled_from([*PERSONS, "person-unseen"]), st.lists(st.tuples(when, st.booleans()), max_size=3)
    )


def limits() -> st.SearchStrategy[list[Limit]]:
    """Rules of every kind: limits on emails, studies and activities, and cooldowns."""
    invited, completed = frozenset(INVITATIONS), frozenset(COMPLETIONS)
    number, days = st.integers(0, 3), st.sampled_from([1, 3, 8, 30])
    return st.tuples(
        st.builds(Limit, st.just("invitation"), st.just(invited), number, days),
        st.builds(Limit, st.just("study_invitation"), st.just(invited), number, days, st.just(True)),  # noqa: FBT003
        st.builds(Limit, st.just("participation"), st.just(completed), number, days, st.just(True)),  # noqa: FBT003
        st.builds(Limit, st.just("survey"), st.just(frozenset({"SURVEY_COMPLETED"})), number, days, st.just(True)),  # noqa: FBT003
        st.builds(Limit, st.just("after"), st.just(invited), st.just(0), days, st.just(True), st.just(completed)),  # noqa: FBT003
    ).map(list)


def compare(product: Product, changes: Sequence[Delivery], workspace: Workspace) -> None:
    """Build every table and compare."""
    with product.warehouse(changes, *product.names, **against_oracle.settings_of(workspace)) as connection:
        against_oracle.compare(connection, workspace)


@settings(max_examples=settings().max_examples * 3 // 10)
@given(st.data())
def test_any_history_as_of_any_moment(product: Product, data: st.DataObject) -> None:
    """As `any_history` says, of some histories. Many runs see many."""
    any_history(product, data)


@pytest.mark.slow(reason="the same for more histories")
@settings(max_examples=settings().max_examples * 4 // 3)
@given(st.data())
def test_more_histories_as_of_any_moment(product: Product, data: st.DataObject) -> None:
    any_history(product, data)


def any_history(product: Product, data: st.DataObject) -> None:
    """From the bytes of files, loaded in batches, all the way to the last table, and the checks raise no false alarm.

    Lost, repeated, tied, handmade and contradictory changes, clocks that were never set; any studies, people and rules;
    in any time zone; as of a change, just beside one, or long after.
    """
    changes = data.draw(workspaces(most=6))
    states = data.draw(feeds(changes))
    as_of = data.draw(as_ofs(changes))
    workspace = Workspace(
        histories(deliveries(read_lines(states[-1], DEFAULT_STATUSES)), as_of, DEFAULT_STATUSES),
        as_of,
        studies=data.draw(study_infos()),
        contact_flags=data.draw(contact_flags()),
        opt_outs=data.draw(opt_outs(changes)),
        report_timezone=ZoneInfo(data.draw(st.sampled_from(ZONES))),
        daily_tables_from=data.draw(first_days()),
    )
    drawn = data.draw(limits())
    with inbox(product) as box:
        for state in states:
            box.put(state)
            box.load()
        box.put({"events.jsonl": people.opt_out_lines(workspace)})
        box.load()
        product.build(
            box.connection, *product.names, **against_oracle.settings_of(workspace, drawn), with_constraints=True
        )
        against_oracle.compare(box.connection, workspace, drawn)
        if data.draw(st.sampled_from([False, False, True]), label="check"):  # it takes as long as the rest
            report = check(box.connection, as_of)
            assert [finding for finding in report.failures if finding.meaning != WRONG_CLOCK] == []
            assert {finding.table for finding in report.warnings} <= {"audit.rejected_lines"}


def test_an_empty_warehouse(product: Product) -> None:
    """Tables without rows, not errors."""
    compare(product, [], Workspace([], datetime.fromisoformat("2026-08-01T00:00:00Z")))


@pytest.mark.parametrize("size", [people.BULK - 1, people.BULK])
def test_bulk_edits(product: Product, size: int) -> None:
    """One fewer than the minimum is chance. The strategies rarely draw as many in one second."""
    changes = [
        Delivery(f"participant-{number}", "person-1", "study-1", status, prior, START.replace(microsecond=number))
        for number in range(size)
        for status, prior in (("SURVEY_STARTED", None), ("SURVEY_COMPLETED", "SURVEY_STARTED"))
    ]
    workspace = Workspace(histories(changes, LATER, DEFAULT_STATUSES), LATER)
    edited = people.unexpected_changes(workspace.histories, {"study-1": "survey"})
    assert len(edited) == (size if size == people.BULK else 0)
    compare(product, changes, workspace)
