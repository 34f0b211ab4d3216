"""The dbt-duckdb plugin with the SQL functions that models and macros call. profiles.yml names this module."""

import atexit
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb
from dbt.adapters.duckdb.plugins import BasePlugin
from dbt.adapters.factory import FACTORY

from pipelines.build import may_open_warehouse
from pipelines.reference import ReferenceFunctions
from pipelines.state import fingerprint_of

ONE_MODEL_AT_A_TIME_FROM = 10_000_000
"""Number of deliveries from which models are built one after another.

DuckDB uses all cores for a large model, and cannot spill everything: several at once would exceed the memory limit.
"""


class Plugin(BasePlugin):
    """Registers the functions that macros/cross_db/files.sql calls on dbt's connection, and sets the number of threads."""

    def initialize(self, plugin_config: dict[str, Any]) -> None:  # noqa: ARG002 - there is none
        """Wait until the warehouse may be opened. dbt calls this just before it opens it for the first time."""
        may_open_warehouse.wait()

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        """Register the functions. All connections of one process to the same warehouse share them."""
        with suppress(duckdb.CatalogException):
            register(conn)
            atexit.register(conn.close)  # sqlfluff leaves it open, and DuckDB would complain of functions still in use
        adapter = FACTORY.adapters.get("duckdb")
        if adapter and _deliveries(conn) >= ONE_MODEL_AT_A_TIME_FROM:
            adapter.config.threads = 1  # type: ignore[attr-defined] # dbt reads this after it has opened the warehouse


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


def _deliveries(connection: duckdb.DuckDBPyConnection) -> int:
    """The approximate number of rows of raw.deliveries; 0 without that table."""
    sizes = connection.execute(
        "select estimated_size from duckdb_tables() where schema_name = 'raw' and table_name = 'deliveries'"
    ).fetchall()
    return sizes[0][0] if sizes else 0


def _fingerprint(patterns: list[str], files: list[str], values: list[str]) -> str:
    return fingerprint_of(Path.cwd(), patterns, files, values)
