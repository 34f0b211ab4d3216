"""What the warehouse remembers of its builds and checks, for the next run to know what need not be done again."""

import pytest
from check_warehouse import AS_OF, broken_sample, warehouse
from product import Product

from pipelines.check import check
from pipelines.settings import resolve
from pipelines.state import build_hash, last_build, record_check, up_to_date, was_checked

BUILD_8 = (
    "create schema state",
    f"""
    create table state.last_build as
    select 8 as build_id, null::integer as previous_build_id, timestamptz '{AS_OF}' as as_of, 1 as load_id, '' as fingerprint
    """,
)
OLD = "update staging.stg_changes set occurred_at = '1990-01-01 00:00:00+00' where prior_rank = 0"


def test_nothing_is_known_of_a_warehouse_that_was_never_built() -> None:
    """The questions can be asked at any time."""
    with warehouse() as connection:
        assert last_build(connection) is None
        assert build_hash(connection) is None
        assert up_to_date(connection, resolve()) is None
        assert not was_checked(connection, 1)


@pytest.mark.parametrize("strict", [False, True])
def test_a_check_is_remembered(product: Product, *, strict: bool) -> None:
    """Rejected lines make no table wrong, so they do not matter; another build does."""
    with broken_sample(product) as connection:
        report = check(connection, AS_OF, strict=strict)
        assert report.warnings
        for build_id in (1, 2):
            record_check(connection, build_id, report)
            assert was_checked(connection, build_id)
        assert not was_checked(connection, 1)


def test_wrong_tables_are_not_built_on(product: Product) -> None:
    """A build would leave in place what is wrong with rows that it does not touch, so the next one makes all anew."""
    wrong = "update marts.status_changes set stage = 'Waiting' where participant_id = getvariable('victim')"
    with broken_sample(product, *BUILD_8, wrong) as connection:
        assert last_build(connection)
        record_check(connection, 8, check(connection, AS_OF))
        assert not was_checked(connection, 8)
        assert last_build(connection) is None


def test_a_clock_that_was_never_set_does_not_make_every_build_a_full_one(product: Product) -> None:
    """The webhook is wrong, not the tables."""
    with broken_sample(product, *BUILD_8, OLD) as connection:
        report = check(connection, AS_OF)
        report.failures[:] = [failure for failure in report.failures if "is not before 2000" in failure.rule]
        assert report.failures
        record_check(connection, 8, report)
        assert not was_checked(connection, 8)
        assert last_build(connection)
