"""Ties of any size: the fewest gaps, and one order whatever order they arrive in. Small ones row by row as the oracle has them."""

import random
from datetime import timedelta
from itertools import pairwise
from itertools import product as product_of

import pytest
from against_oracle import changes as changes_of
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle.history import histories
from oracle.lines import Delivery
from oracle.reference import DEFAULT_STATUSES
from oracle.ties import fewest_gaps
from oracle.workspace import Workspace
from product import END_OF_TIME, Product, Row, rows
from strategies import PERSONS, START, STATUSES, tangles

SIZES = (1, 2, 3, 59, 60, 61, 70)
LARGE = 300
TABLES = ("marts.status_changes", "marts.participants", "audit.gaps")


def tied(participant_id: str, second: int, size: int) -> list[Delivery]:
    """Changes at one instant between few statuses, so that some of them are alike but for the person."""
    dice = random.Random(f"{participant_id} {second}")
    few = dice.sample(STATUSES, 10)
    every = product_of(PERSONS, few, [None, *few])
    at = START + timedelta(seconds=second)
    return [
        Delivery(participant_id, person, "s", status, prior, at)
        for person, status, prior in dice.sample(list(every), size)
    ]


def built(product: Product, deliveries: list[Delivery]) -> dict[str, list[Row]]:
    """Build the tables from deliveries in this order, and sort their rows."""
    with product.warehouse(deliveries, *(table.partition(".")[2] for table in TABLES)) as connection:
        return {table: sorted(rows(connection, table), key=repr) for table in TABLES}


def test_ties_of_any_size_next_to_any_other(product: Product) -> None:
    """Each size alone and between single changes; some between small ties and next to one of their own size, too."""
    next_to_others = [sizes for size in (2, 3, 61) for sizes in ((2, size, 3), (size, size))]
    ties_have_the_fewest_gaps(product, [*alone_and_between(*SIZES), *next_to_others])


@pytest.mark.slow(reason="the work grows faster than the tie; ties of up to 70 are tried always")
def test_a_large_tie(product: Product) -> None:
    ties_have_the_fewest_gaps(product, alone_and_between(LARGE))


def alone_and_between(*sizes: int) -> list[tuple[int, ...]]:
    return [(size,) for size in sizes] + [(1, size, 1) for size in sizes]


def ties_have_the_fewest_gaps(product: Product, ties: list[tuple[int, ...]]) -> None:
    """And one order, however they arrive."""
    instants = {str(sizes): [tied(str(sizes), second, size) for second, size in enumerate(sizes)] for sizes in ties}
    deliveries = [change for groups in instants.values() for group in groups for change in group]
    dice = random.Random(1)
    found, shuffled = (built(product, dice.sample(deliveries, len(deliveries))) for _ in range(2))
    assert found == shuffled
    gaps = dict.fromkeys(instants, 0)
    for row in found["marts.status_changes"]:
        gaps[row["participant_id"]] += row["follows_gap"]
    assert gaps == {name: fewest_gaps(groups) for name, groups in instants.items()}


@pytest.mark.parametrize("instants", [1, 2, 3])
def test_long_ties_that_make_sense(product: Product, instants: int) -> None:
    """All 25 statuses in a row at a few instants, in an order against that of the reference table: no gap."""
    order = random.Random(instants).sample(STATUSES, len(STATUSES))
    links = pairwise([None, *order])
    changes = [
        Delivery("p", "q", "s", status or "", prior, START + timedelta(seconds=place * instants // len(order)))
        for place, (prior, status) in enumerate(links)
    ]
    found = built(product, changes[::-1])
    in_order = sorted(found["marts.status_changes"], key=lambda row: row["sequence_number"])
    assert [row["status"] for row in in_order] == order
    assert found["audit.gaps"] == []


@pytest.mark.slow(reason="a tie of 650 changes; ties of up to 70 are tried always")
def test_every_change_there_can_be(product: Product) -> None:
    """From every status and from none to every status: a gap at each of the 25 that come from none, but the first."""
    changes = [
        Delivery("p", "q", "s", status, prior, START) for status, prior in product_of(STATUSES, [None, *STATUSES])
    ]
    found = built(product, changes)
    assert len(changes) == 650
    assert sum(row["follows_gap"] for row in found["marts.status_changes"]) == 24


AT_ONCE = 5
"""Participants in a warehouse: making it takes longer than putting their ties in order."""


@settings(max_examples=settings().max_examples // AT_ONCE)
@given(drawn=st.tuples(*(tangles(f"participant-{number}", largest=10) for number in range(AT_ONCE))))
def test_ties_that_make_no_sense(product: Product, drawn: tuple[list[Delivery], ...]) -> None:
    """Up to ten changes at one or two instants, whose links can be put right in many ways or none."""
    changes = [change for tangle in drawn for change in dict.fromkeys(tangle)]
    workspace = Workspace(histories(changes, END_OF_TIME, DEFAULT_STATUSES), END_OF_TIME)
    with product.warehouse(changes, *changes_of.MODELS) as connection:
        changes_of.compare(connection, workspace)
