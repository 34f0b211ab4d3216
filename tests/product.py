"""The product, fast: dbt compiles the project once, and each example runs the SQL of the models it asks for.

Take the session's `Product` from the fixture `product`. Its `warehouse` gives a database that has some deliveries
and tables; its `prepare` and `build` work on a connection of the test's own, for what the loader has loaded.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from oracle.lines import EVENT, Delivery

from pipelines.check.contracts import read_contracts
from pipelines.load.loader import load
from pipelines.reference import read_reference_files
from pipelines.settings import PROJECT, REFERENCE, Settings
from pipelines.sheets import Sheet
from pipelines.warehouse import connect, macros_of, raw_tables_ddl

Row = dict[str, Any]

CATALOG = "w"
"""All tests call their warehouses so: dbt parses the project once for them."""
NOWHERE = Path("no such file")
END_OF_TIME = datetime(9999, 12, 31, tzinfo=UTC)

# These stand in the compiled SQL for a run's own values, which are put in their place for each example.
AS_OF = "2001-02-03T04:05:06.070809+00:00"
NOT_AS_OF = "2002-02-03T04:05:06.070809+00:00"
"""What the environment says, after which dbt must not go."""
REPORT_TIMEZONE = "Etc/Greenwich"
DAILY_TABLES_FROM = "1987-06-05"


class Product:
    """The compiled project: its manifest, as dbt writes it."""

    def __init__(self, manifest: Mapping[str, Any]) -> None:
        nodes = manifest["nodes"].values()
        self.models = {node["unique_id"]: node for node in nodes if node["resource_type"] == "model"}
        self.unit_tests = list(manifest["unit_tests"])
        self.data_tests = [node for node in nodes if node["resource_type"] == "test"]
        self.seeds = [node for node in nodes if node["resource_type"] == "seed"]
        self.files = [node for node in manifest["sources"].values() if node["name"].endswith("_file")]

    @classmethod
    def of(cls, folder: Path) -> "Product":
        """What `compile_project` has made in this folder."""
        return cls(json.loads((folder / "target" / "manifest.json").read_text(encoding="utf-8")))

    @property
    def names(self) -> list[str]:
        """All models."""
        return [model["name"] for model in self.models.values()]

    def prepare(self, connection: duckdb.DuckDBPyConnection, seeds: Path = REFERENCE) -> None:
        """Make what the models read: the raw tables, and the reference tables from the files in a folder."""
        connection.execute(raw_tables_ddl())
        for schema in sorted({node["schema"] for node in [*self.models.values(), *self.seeds]}):
            connection.execute(f"create schema if not exists {schema}")
        connection.execute(macros_of(PROJECT / "macros" / "share_bound.sql")("duckdb__share_functions"))
        sheets = _sheets(seeds)
        for seed in self.seeds:
            types = seed["config"]["column_types"]
            table = pa.table({name: [row.get(name) or None for row in sheets[seed["name"]].rows] for name in types})
            columns = ", ".join(f"cast({name} as {kind}) as {name}" for name, kind in types.items())
            connection.register("given", table)
            connection.execute(f"create or replace table {_relation(seed)} as select {columns} from given")
            connection.unregister("given")
        for file in self.files:
            columns = ", ".join(f"{column['name']} {column['data_type']}" for column in file["columns"].values())
            connection.execute(f"create or replace table {file['schema']}.{file['name']} ({columns})")

    def build(  # noqa: PLR0913
        self,
        connection: duckdb.DuckDBPyConnection,
        *names: str,
        as_of: datetime = END_OF_TIME,
        report_timezone: str = "UTC",
        daily_tables_from: date = date(2000, 1, 1),
        optional: Mapping[str, Sequence[Row]] | None = None,
        with_constraints: bool = False,
    ) -> None:
        """Make these models and all that they need.

        `optional` says what the optional reference files hold: the name of the model that reads such a file, and
        rows with some or all of its columns. `with_constraints`: tables refuse rows that break their contract, as those
        that dbt makes.
        """
        given = dict(optional or {})
        for model in self._in_order(names):
            query = query_of(model, as_of).replace(REPORT_TIMEZONE, report_timezone)
            query = query.replace(DAILY_TABLES_FROM, daily_tables_from.isoformat())
            definition = _definitions().get(model["name"]) if with_constraints else None
            if definition:
                connection.execute(f"create or replace table {_relation(model)} ({definition})")
                connection.execute(f"insert into {_relation(model)} by name {query}")
            else:
                connection.execute(f"create or replace table {_relation(model)} as {query}")
            insert(connection, _relation(model), given.get(model["name"], ()))

    @contextmanager
    def warehouse(self, deliveries: Iterable[Delivery], *names: str, **how: Any) -> Iterator[duckdb.DuckDBPyConnection]:  # noqa: ANN401
        """A warehouse in which these deliveries are loaded and these models built (`how`: see `build`).

        `other_events` may say which other lines are loaded, as rows with some columns of `raw.deliveries`.
        """
        other_events = how.pop("other_events", ())
        connection = self.reused
        connection.begin()
        try:
            insert(connection, "raw.deliveries", _as_loaded(deliveries))
            where = {"file_id": 2, "load_id": 1, "loaded_at": END_OF_TIME}
            lines = [{**where, "line_number": number, **event} for number, event in enumerate(other_events, start=1)]
            insert(connection, "raw.deliveries", lines)
            self.build(connection, *names, **how)
            yield connection
        finally:
            connection.rollback()

    def run(self, settings: Settings, *names: str) -> None:
        """Load what is new and build some models, or all, as `studyflow run` does, but without dbt."""
        with connect(settings.database) as connection:
            assert load(connection, settings.raw).problems == ()
            self.prepare(connection)
            self.build(connection, *(names or self.names), as_of=settings.as_of)

    def empty(self) -> None:
        """Leave the shared database as it was prepared, after work outside a transaction: without lines and models."""
        for table in ("files", "deliveries", "loads", "withdrawals", "forgotten", "forgotten_lines"):
            self.reused.execute(f"delete from raw.{table}")
        there = self.reused.execute("select schema_name || '.' || table_name from duckdb_tables()").fetchall()
        for relation in {name for (name,) in there} & set(map(_relation, self.models.values())):
            self.reused.execute(f"drop table {relation}")

    def close(self) -> None:
        """Let go of the database."""
        self.reused.close()

    @cached_property
    def reused(self) -> duckdb.DuckDBPyConnection:
        """One database, prepared, for all examples: making one costs as much as an example. They leave it empty."""
        connection = duckdb.connect(":memory:", config={"threads": 1})
        connection.execute("set timezone = 'UTC'")
        self.prepare(connection)
        return connection

    def _in_order(self, names: Iterable[str]) -> list[dict[str, Any]]:
        ids = {model["name"]: unique_id for unique_id, model in self.models.items()}
        order: dict[str, dict[str, Any]] = {}

        def visit(unique_id: str) -> None:
            if unique_id in self.models and unique_id not in order:
                for needed in self.models[unique_id]["depends_on"]["nodes"]:
                    visit(needed)
                order[unique_id] = self.models[unique_id]

        for name in names:
            visit(ids[name])
        return list(order.values())


def compile_project(folder: Path, **variables: object) -> Product:
    """Compile the dbt project in a folder of its own, with other values of its vars where given."""
    values = {
        "as_of": AS_OF,
        "report_timezone": REPORT_TIMEZONE,
        "daily_tables_from": DAILY_TABLES_FROM,
        "studies_file": str(folder / "no_studies.csv"),
        "people_file": str(folder / "no_people.csv"),
    } | variables
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("STUDYFLOW_", "DBT_"))}
    outcome = subprocess.run(
        [
            *(sys.executable, "-c", "from dbt.cli.main import cli; cli()", "--quiet"),
            *("compile", "--vars", json.dumps(values)),
            *("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)),
            *("--target-path", str(folder / "target"), "--log-path", str(folder / "logs")),
        ],
        env=environment | {"STUDYFLOW_DATABASE": str(folder / f"{CATALOG}.duckdb"), "STUDYFLOW_AS_OF": NOT_AS_OF},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    return Product.of(folder)


def query_of(node: Mapping[str, Any], as_of: datetime) -> str:
    """The compiled query of a model or a data test, for any database."""
    code: str = node["compiled_code"]
    return code.replace(f'"{CATALOG}".', "").replace(AS_OF, as_of.isoformat())


def rows(connection: duckdb.DuckDBPyConnection, relation: str) -> list[Row]:
    """All rows of a table, in no order."""
    cursor = connection.execute(f"select * from {relation}")
    names = [column[0] for column in cursor.description or []]
    return [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]


def insert(connection: duckdb.DuckDBPyConnection, relation: str, given: Sequence[Row]) -> None:
    """Put rows into a table; what they do not say is null."""
    if given:
        connection.register("given", pa.Table.from_pylist(list(given)))
        connection.execute(f"insert into {relation} by name select * from given")
        connection.unregister("given")


@cache
def _sheets(seeds: Path) -> dict[str, Sheet]:
    return read_reference_files(NOWHERE, NOWHERE, seeds)


@cache
def _definitions() -> dict[str, str]:
    """The columns of tables as `create table` takes them, by model, where a contract says more than their types."""
    return {
        contract.name: ", ".join(column.definition for column in contract.columns)
        for contract in read_contracts(PROJECT / "models")
        if contract.columns
    }


def _relation(node: Mapping[str, Any]) -> str:
    return f"{node['schema']}.{node['alias']}"


def _as_loaded(deliveries: Iterable[Delivery]) -> list[Row]:
    """Rows of `raw.deliveries`."""
    return [
        {
            "file_id": 1,
            "line_number": number,
            "load_id": 1,
            "loaded_at": delivery.updated_at,
            "event_type": EVENT,
            "participant_id": delivery.participant_id,
            "person_id": delivery.person_id,
            "study_id": delivery.study_id,
            "status": delivery.status,
            "prior_status": delivery.prior_status,
            "updated_at": delivery.updated_at,
        }
        for number, delivery in enumerate(deliveries, start=1)
    ]
