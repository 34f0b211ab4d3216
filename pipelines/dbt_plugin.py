"""The dbt-duckdb plugin with the SQL functions that models and macros call. profiles.yml names this module."""

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
    """Registers the functions that macros/cross_db/files.sql calls on dbt's connection."""

    def initialize(self, plugin_config: dict[str, Any]) -> None:  # noqa: ARG002 - there is none
        """Wait until the warehouse may be opened. dbt calls this just before it opens it for the first time."""
        may_open_warehouse.wait()

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        """Register the functions. All connections of one process to the same warehouse share them."""
        with suppress(duckdb.CatalogException):
            register(conn)
            atexit.register(conn.close)  # sqlfluff leaves it open, and DuckDB would complain of functions still in use


def register(connection: duckdb.DuckDBPyConnection) -> None:
    """Register the functions on a connection. DuckDB must not cache their results, which depend on files."""
    files = ReferenceFunctions()
    texts = "VARCHAR[]"
    for name, function, parameters, returns in (
        ("read_reference_files", files.read, ["VARCHAR", "VARCHAR", "VARCHAR"], "BOOLEAN"),
        ("reference_rows", files.rows, ["VARCHAR", texts], "VARCHAR[][]"),
        ("fingerprint_of", _fingerprint, [texts, texts, texts], "VARCHAR"),
    ):
        connection.create_function(name, function, parameters, returns, side_effects=True)  # type: ignore[arg-type]


def _fingerprint(patterns: list[str], files: list[str], values: list[str]) -> str:
    return fingerprint_of(Path.cwd(), patterns, files, values)
