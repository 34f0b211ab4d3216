"""What the product built, compared with the oracle row by row: a module for each group of tables, with its `compare`."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import duckdb
from oracle.marts import Limit
from oracle.workspace import Workspace

from . import changes, flow, incidence, people, trust


def settings_of(workspace: Workspace, limits: Sequence[Limit] = ()) -> dict[str, Any]:
    """What `Product.build` is told: as-of, vars, and what the optional reference files hold."""
    return {
        "as_of": workspace.as_of,
        "report_timezone": str(workspace.report_timezone),
        "daily_tables_from": workspace.daily_tables_from,
        "optional": {
            "stg_studies": [{"study_id": study_id} | asdict(study) for study_id, study in workspace.studies.items()],
            "stg_people": people.people_csv(workspace),
            "stg_governance_rules": [people.as_rule(limit) for limit in limits],
        },
    }


def compare(connection: duckdb.DuckDBPyConnection, workspace: Workspace, limits: Sequence[Limit] = ()) -> None:
    """Compare all tables that the oracle has."""
    changes.compare(connection, workspace)
    flow.compare(connection, workspace)
    people.compare(connection, workspace, limits)
    trust.compare(connection, workspace)
    incidence.compare(connection, workspace)
