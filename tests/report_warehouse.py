"""Warehouses to report on: the sample, and people who make it hard. And the golden report of the sample.

`python tests/report_warehouse.py` writes tests/golden/report.md again. Read what changed in it before you commit it:
those who receive the report will see the same.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
from oracle.lines import Delivery
from product import Product, Row, compile_project
from tables_page import build_sample, describe

from pipelines.report import ReportRequest, write
from pipelines.warehouse import connect

GOLDEN = Path(__file__).parent / "golden" / "report.md"
MONDAY = datetime(2026, 7, 27, 9, tzinfo=UTC)
AS_OF = MONDAY + timedelta(days=14)
WEEK = timedelta(days=7)
HOSTILE = (
    '<script>alert("x")</script>',
    "'); drop table marts.participants; --",
    "`code` | cell ``` *bold* [link](https://example.org) &amp;",
    "line\nbreak\u2028 tab\t \u202eright to left\u202c \x00 nul",
    "--> ]]> </style></title> {{ 7 * 7 }} {% raw %}",
    "long " + "x" * 300,
)


@contextmanager
def warehouse(
    product: Product,
    deliveries: Sequence[Delivery],
    studies: Sequence[Row] = (),
    as_of: datetime = AS_OF,
    **more: Any,  # noqa: ANN401
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A warehouse of these deliveries, with every model. `more`: `people` of people.csv, and what `Product.build` takes."""
    models = [model["name"] for model in product.models.values()]
    optional = {"stg_studies": studies, "stg_people": more.pop("people", ())}
    with product.warehouse(deliveries, *models, as_of=as_of, optional=optional, **more) as connection:
        describe(product, connection)
        yield connection


def journey(
    participant: str, study: str, *statuses: str, start: datetime = MONDAY, hours: float = 20
) -> list[Delivery]:
    """Deliveries of one participant, so many hours apart, each with the status before it."""
    return [
        Delivery(participant, f"person of {participant}", study, status, before, start + timedelta(hours=hours * place))
        for place, (before, status) in enumerate(zip((None, *statuses), statuses, strict=False))
    ]


def finished(participant: str, study: str) -> list[Delivery]:
    """Someone who completed an interview and is owed."""
    return journey(participant, study, "NOT_STARTED", "INVITE_SENT", "INTERVIEW_SCHEDULED", "INTERVIEW_COMPLETED")


def hostile(product: Product) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
    """Studies and people whose names and ids are what nobody would want in a page, a table or a query."""
    deliveries = [one for bad in HOSTILE for one in finished(f"p {bad}", bad)]
    deliveries += [one for number in range(6) for one in finished(f"p{number}", "plain")]
    names = [{"study_id": bad, "study_name": f"name {bad}"} for bad in HOSTILE[:3]]
    return warehouse(product, deliveries, [{"study_id": "plain", "study_name": HOSTILE[0]}, *names])


def main() -> None:
    """Write the golden report."""
    with tempfile.TemporaryDirectory() as folder, connect(Path(folder) / "sample.duckdb") as connection:
        build_sample(compile_project(Path(folder) / "dbt"), connection)
        [file] = write(connection, Path(folder), ReportRequest(formats=("md",))).files
        GOLDEN.write_bytes(file.read_bytes())


if __name__ == "__main__":
    main()
