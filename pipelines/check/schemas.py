"""What each row of a table must be: one pandera schema a table.

A new table is a function here and a line in TABLES, or an entry in marts.py. Rules look at one row at a time, because tables are read in
batches; what takes more rows to see is in keys.py, histories.py and accounting.py.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import polars as pl
from pandera.polars import Check, Column, DataFrameSchema

from pipelines.check.known import Known
from pipelines.check.marts import MARTS, REFERENCES
from pipelines.check.meanings import AFTER_AS_OF, NOT_IN_REFERENCE, REBUILD, WRONG_CLOCK, WRONG_REFERENCE
from pipelines.check.report import SAMPLE_ROWS
from pipelines.check.times import LAST_INSTANT

INSTANT = pl.Datetime("us", "UTC")


def stg_statuses(known: Known) -> DataFrameSchema:
    """One row per status of the reference table."""
    return _schema(
        "staging.stg_statuses",
        ["status"],
        {
            "status": _text(),
            "label": _text(),
            "stage_with_incentives": _among(known.stages, "is in reference.stages", WRONG_REFERENCE),
            "stage_without_incentives": _among(known.stages, "is in reference.stages", WRONG_REFERENCE),
            "funnel_step": _among(known.steps, "is in reference.funnel_steps", WRONG_REFERENCE),
        },
    )


def stg_changes(known: Known) -> DataFrameSchema:
    """One row per distinct change that was delivered, whenever it happened."""
    return _schema(
        "staging.stg_changes",
        ["participant_id", "status", "prior_status", "occurred_at"],
        {
            "participant_id": _text(),
            "person_id": _text(),
            "study_id": _text(),
            "status": _among(known.statuses, "is in the table of statuses"),
            "prior_status": _among(known.statuses, "is in the table of statuses", nullable=True),
            "occurred_at": Column(INSTANT, [_from(known.earliest), _finite()]),
            "deliveries": Column(pl.Int64, _at_least(1)),
        },
    )


def status_changes(known: Known) -> DataFrameSchema:
    """One row per change up to as-of, inferred ones included."""
    is_inferred = pl.col("is_inferred")
    until_as_of = _until(known.as_of)
    return _schema(
        "marts.status_changes",
        ["participant_id", "sequence_number"],
        {
            "participant_id": _text(),
            "person_id": _text(),
            "study_id": _text(),
            "sequence_number": Column(pl.Int32, _at_least(1)),
            "prior_status": _among(known.statuses, "is in the table of statuses", nullable=True),
            "status": _among(known.statuses, "is in the table of statuses"),
            "stage": _among(known.stages, "is in reference.stages"),
            "occurred_at": Column(INSTANT, [_from(known.earliest), until_as_of]),
            "ended_at": Column(INSTANT, until_as_of, nullable=True),
            "is_current": Column(pl.Boolean),
            "is_inferred": Column(pl.Boolean),
            "follows_gap": Column(pl.Boolean),
            "deliveries": Column(pl.Int32, _at_least(0)),
        },
        _row("ended_at is not before occurred_at", pl.col("ended_at") >= pl.col("occurred_at")),
        _row("is_current where there is no ended_at", pl.col("is_current") == pl.col("ended_at").is_null()),
        _row("deliveries is 0 where is_inferred, and only there", is_inferred == (pl.col("deliveries") == 0)),
        _row("prior_status is null where is_inferred", is_inferred.not_() | pl.col("prior_status").is_null()),
        _row("follows_gap is false where is_inferred", is_inferred.not_() | pl.col("follows_gap").not_()),
    )


def participants(known: Known) -> DataFrameSchema:
    """One row per participant, as they stand."""
    until_as_of = _until(known.as_of)
    is_terminal = pl.col("current_stage").is_in(known.terminal_stages)
    return _schema(
        "marts.participants",
        ["participant_id"],
        {
            "participant_id": _text(),
            "person_id": _text(),
            "study_id": _text(),
            "study_type": _text(),
            "current_status": _among(known.statuses, "is in the table of statuses"),
            "current_status_label": _among(known.labels, "is a label in the table of statuses"),
            "current_stage": _among(known.stages, "is in reference.stages"),
            "is_terminal": Column(pl.Boolean),
            "status_since": Column(INSTANT),
            "first_seen_at": Column(INSTANT, [_from(known.earliest), until_as_of]),
            "last_changed_at": Column(INSTANT, until_as_of),
            "furthest_step": _among(known.steps, "is in reference.funnel_steps"),
            "incentive_status": _among(
                known.incentive_statuses, "is an incentive status of the reference tables", nullable=True
            ),
            "status_changes": Column(pl.Int32, _at_least(1)),
            "missing_changes": Column(pl.Int32, _at_least(0)),
        },
        _row("is_terminal as reference.stages has it", pl.col("is_terminal") == is_terminal),
        _row(
            "status_since is between first_seen_at and last_changed_at",
            pl.col("status_since").is_between(pl.col("first_seen_at"), pl.col("last_changed_at")),
        ),
    )


def load_files(_: Known) -> DataFrameSchema:
    """One row per content of a file: its line counts by outcome."""
    lines = pl.col("blank") + pl.col("accepted") + pl.col("other_events") + pl.col("rejected")
    counts = (
        "lines", "blank", "accepted", "other_events", "rejected", "distinct_changes", "repeated_deliveries",
    )  # fmt: skip
    return _schema(
        "audit.load_files",
        ["file_id", "source_file"],
        {
            "file_id": Column(pl.Int32),
            "source_file": _text(),
            **{count: Column(pl.Int64, _at_least(0)) for count in counts},
        },
        _row("lines = blank + accepted + other_events + rejected", pl.col("lines") == lines),
        _row(
            "accepted = distinct_changes + repeated_deliveries",
            pl.col("accepted") == pl.col("distinct_changes") + pl.col("repeated_deliveries"),
        ),
    )


def mart(table: str, known: Known) -> DataFrameSchema:
    """A table of marts.py."""
    said = MARTS[table]
    columns = {name: _of_kind(kind, known, nullable=name in said.nullable) for name, kind in said.columns.items()}
    return _schema(table, list(said.key), columns)


TABLES: dict[str, Callable[[Known], DataFrameSchema]] = {
    "staging.stg_statuses": stg_statuses,
    "staging.stg_changes": stg_changes,
    "marts.status_changes": status_changes,
    "marts.participants": participants,
    "audit.load_files": load_files,
    **{table: partial(mart, table) for table in MARTS},
}


def _schema(name: str, key: list[str], columns: dict[str, Column], *rules: Check) -> DataFrameSchema:
    """A schema that says by which columns a person knows a row; columns that it does not name may be there."""
    return DataFrameSchema(columns, checks=list(rules), name=name, metadata={"key": key})


def _row(rule: str, holds: pl.Expr, meaning: str = REBUILD) -> Check:
    """A rule over several columns. Where one of them is null it says nothing: that columns are there is another's."""
    return Check(
        lambda data: data.lazyframe.select(holds),
        name=rule,
        description=meaning,
        statistics={"columns": holds.meta.root_names()},
        n_failure_cases=SAMPLE_ROWS,
    )


def _of_kind(kind: str, known: Known, *, nullable: bool) -> Column:
    """A column of a kind. Names, numbers and limits that somebody wrote into a file may be what they like."""
    if kind in REFERENCES:
        return _among(getattr(known, kind), REFERENCES[kind], nullable=nullable)
    data_type, *rules = KINDS[kind](known)
    return Column(data_type, rules, nullable=nullable)


KINDS: dict[str, Callable[[Known], tuple[Any, *tuple[Check, ...]]]] = {
    "text": lambda _: (pl.String, _filled()),
    "name": lambda _: (pl.String,),
    "flag": lambda _: (pl.Boolean,),
    "count": lambda _: (pl.Int32, _at_least(0)),
    "number": lambda _: (pl.Int32,),
    "large_number": lambda _: (pl.Int64,),
    "share": lambda _: (pl.Float64, Check.in_range(0, 1, **_said("is between 0 and 1", REBUILD))),
    "length": lambda _: (pl.Float64, _at_least(0)),
    "time": lambda _: (INSTANT,),
    "past": lambda known: (INSTANT, _until(known.as_of)),
    "day": lambda known: (pl.Date, _until_day_of(known.as_of)),
}


def _text() -> Column:
    return Column(pl.String, _filled())


def _filled() -> Check:
    return Check.str_length(min_value=1, **_said("is not empty", REBUILD))


def _among(values: list[str], rule: str, meaning: str = NOT_IN_REFERENCE, *, nullable: bool = False) -> Column:
    return Column(pl.String, Check.isin(values, **_said(rule, meaning)), nullable=nullable)


def _at_least(number: int) -> Check:
    return Check.ge(number, **_said(f"is at least {number}", REBUILD))


def _from(earliest: datetime) -> Check:
    return Check.ge(earliest, **_said(f"is not before {earliest:%Y-%m-%d}", WRONG_CLOCK))


def _until(as_of: datetime) -> Check:
    return Check.le(as_of, **_said("is not after as-of", AFTER_AS_OF))


def _until_day_of(as_of: datetime) -> Check:
    """Days are cut in a time zone that the table does not say: the first to begin a day is 14 hours ahead of UTC."""
    return Check.le((as_of + timedelta(hours=14)).date(), **_said("is no later day than as-of", AFTER_AS_OF))


def _finite() -> Check:
    return Check.lt(LAST_INSTANT, **_said("is before the end of the year 9999", WRONG_CLOCK))


def _said(rule: str, meaning: str) -> dict[str, Any]:
    """How a failure is told. pandera keeps no more failing rows of its own than a report shows."""
    return {"name": rule, "description": meaning, "n_failure_cases": SAMPLE_ROWS}
