"""Loads the lines into DuckDB with dlt's filesystem source, then builds studyflow's dbt models from them.

python with_dlt.py CLEAN.jsonl NEW.duckdb PROJECT_FOLDER SCRATCH_FOLDER AS_OF
"""

import os
import shutil
import sys
from pathlib import Path

import dlt
import duckdb
import jinja2
from dbt.cli.main import dbtRunner
from dlt.sources.filesystem import filesystem, read_jsonl

MAPPING = """
insert into raw.deliveries by name
select
    1 as file_id,
    row_number() over () as line_number,
    1 as load_id,
    now() as loaded_at,
    _event_type as event_type,
    participant_id,
    person_id,
    study_id,
    status,
    prior_status,
    updated_at
from webhooks.events;
insert into raw.loads (load_id, loaded_at) values (1, now());
"""


def load(events: Path, database: str, state: Path) -> None:
    """Load the file as in dlt's documentation: the filesystem source, piped into its reader of JSON lines."""
    shutil.rmtree(state, ignore_errors=True)
    pipeline = dlt.pipeline(
        "webhooks",
        destination=dlt.destinations.duckdb(database),
        dataset_name="webhooks",
        pipelines_dir=str(state),
    )
    files = filesystem(bucket_url=events.parent.as_uri(), file_glob=events.name)
    pipeline.run((files | read_jsonl()).with_name("events"), loader_file_format="parquet")


def main(events: str, database: str, project: str, scratch: str, as_of: str) -> None:
    """Load the lines, map them to the table that the models read, and build the models."""
    os.environ |= {
        "STUDYFLOW_DATABASE": database,
        "STUDYFLOW_AS_OF": as_of,
        "DBT_TARGET_PATH": f"{scratch}/target",
        "DBT_LOG_PATH": f"{scratch}/logs",
    }
    sys.path.insert(0, project)  # dbt's profile uses a plugin in the project
    load(Path(events), database, Path(scratch) / "state")
    jinja = jinja2.Environment(extensions=["jinja2.ext.do"])  # noqa: S701 - SQL
    raw_tables = jinja.from_string((Path(project) / "macros" / "raw_tables.sql").read_text(encoding="utf-8"))
    with duckdb.connect(database) as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute(raw_tables.module.duckdb__raw_tables())
        connection.execute(MAPPING)
    outcome = dbtRunner().invoke([
        *("build", "--resource-type", "seed", "--resource-type", "model"),
        *("--project-dir", project, "--profiles-dir", project, "--log-level", "error"),
    ])  # fmt: skip
    if not outcome.success:
        raise SystemExit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
