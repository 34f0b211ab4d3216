"""What values may be, as the warehouse's reference tables have it."""

from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""No change is older: Rally is younger than that, so such a time comes from a clock that was never set."""


@dataclass(frozen=True, slots=True)
class Known:
    """The values of the reference tables, and the range of times: `earliest` to `as_of`, both included."""

    statuses: list[str]
    labels: list[str]
    activities: list[str]
    series: list[str]
    incentive_statuses: list[str]
    stages: list[str]
    terminal_stages: list[str]
    steps: list[str]
    backlog_states: list[str]
    contact_statuses: list[str]
    contact_rules: list[str]
    earliest: datetime
    as_of: datetime


def read_known(connection: duckdb.DuckDBPyConnection, as_of: datetime, earliest: datetime) -> Known:
    """The values that the models were built with."""

    def values(column: str, source: str) -> list[str]:
        rows = connection.execute(f"select distinct {column} from {source} order by all").fetchall()  # noqa: S608
        return [value for (value,) in rows if value is not None]

    return Known(
        statuses=values("status", "staging.stg_statuses"),
        labels=values("label", "staging.stg_statuses"),
        activities=values("activity", "staging.stg_statuses"),
        series=values("dashboard_series", "staging.stg_statuses"),
        incentive_statuses=values("incentive_status", "staging.stg_statuses"),
        stages=values("stage", "reference.stages"),
        terminal_stages=values("stage", "reference.stages where is_terminal"),
        steps=values("step", "reference.funnel_steps"),
        backlog_states=values("backlog_state", "reference.incentive_effects"),
        contact_statuses=values("contact_status", "reference.contact_statuses"),
        contact_rules=values("rule_id", "staging.stg_governance_rules"),
        earliest=earliest,
        as_of=as_of,
    )
