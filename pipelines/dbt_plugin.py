"""What dbt asks of this package while it runs: functions of SQL. profiles.yml names this module."""

import atexit
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb
from dbt.adapters.duckdb.plugins import BasePlugin

from pipelines.build import may_open_warehouse
from pipelines.reference import ReferenceFunctions
from pipelines.state import fingerprint_of


class Plugin(BasePlugin):
    """Makes the functions known that macros/cross_db/files.sql calls, on the connection of a dbt command."""

    def initialize(self, plugin_config: dict[str, Any]) -> None:  # noqa: ARG002 - there is none
        """Called by dbt just before it opens the warehouse for the first time."""
        may_open_warehouse.wait()

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        """Called once by dbt. Another connection of the same process to the same warehouse has the same functions."""
        with suppress(duckdb.CatalogException):
            register(conn)
            atexit.register(conn.close)  # sqlfluff leaves it open, and DuckDB would complain of functions still in use


def register(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the functions known to a database. What they give depends on files, so none is worked out ahead."""
    files = ReferenceFunctions()
    texts = "VARCHAR[]"
    for name, function, takes, gives in (
        ("read_reference_files", files.read, ["VARCHAR", "VARCHAR", "VARCHAR"], "BOOLEAN"),
        ("reference_rows", files.rows, ["VARCHAR", texts], "VARCHAR[][]"),
        ("fingerprint_of", _fingerprint, [texts, texts, texts], "VARCHAR"),
    ):
        connection.create_function(name, function, takes, gives, side_effects=True)  # type: ignore[arg-type]


def _fingerprint(patterns: list[str], files: list[str], values: list[str]) -> str:
    return fingerprint_of(Path.cwd(), patterns, files, values)
