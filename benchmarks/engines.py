"""Measures wall time and CPU seconds of full runs with DuckDB and with Spark on the same lines.

    python benchmarks/engines.py --sizes 0.1M,1M,10M --scratch /a/folder/with/room

Run it on an idle machine, because other work distorts wall times. It prints a table for docs/scaling.md, and checks
that all tables and exports of both engines are equal. Spark needs `make setup-spark` and Java.
"""

import argparse
import ctypes
import filecmp
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from dataset import Data, make

PROJECT = Path(__file__).resolve().parents[1]
ENGINES = ("duckdb", "spark")
KEYS = ("participant_key", "person_key", "study_key")
PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True, slots=True)
class Timed:
    """Seconds of wall time, of CPU (user and system, with child processes), and of each step."""

    engine: str
    lines: int
    seconds: float
    cpu: float
    steps: dict[str, float]


def run(engine: str, data: Data, scratch: Path, cores: int) -> Timed:
    """Measure a full run in an empty folder.

    Raises:
        RuntimeError: the run failed. The message has the end of its standard error.
    """
    folder = scratch / engine
    shutil.rmtree(folder, ignore_errors=True)
    command = [
        *(sys.executable, "-m", "pipelines", "run", "--json", "--engine", engine, "--raw", str(data.events)),
        *("--database", str(folder / "w.duckdb"), "--exports", str(folder / "exports")),
        *("--as-of", data.as_of.isoformat()),
    ]
    environment = os.environ | {
        "STUDYFLOW_SPARK_MASTER": os.environ.get("STUDYFLOW_SPARK_MASTER", f"local[{cores}]"),
        "STUDYFLOW_SPARK_MEMORY": os.environ.get("STUDYFLOW_SPARK_MEMORY", "4g"),
    }
    before, start = os.times(), time.perf_counter()
    outcome = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - start
    _wait_for_orphans()
    after = os.times()
    if outcome.returncode:
        msg = f"{engine} ended with {outcome.returncode}:\n{outcome.stderr[-3000:]}"
        raise RuntimeError(msg)
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Timed(engine, data.lines, seconds, cpu, json.loads(outcome.stdout)["seconds"])


def _wait_for_orphans() -> None:
    """Wait for all child processes: Spark's Java process ends after its parent, and counts only once it is waited for."""
    while True:
        try:
            os.wait()
        except ChildProcessError:
            return


def differences(scratch: Path) -> list[str]:
    """The tables and exports that differ between the engines, without keys, which are hashes of the engine."""
    import duckdb  # noqa: PLC0415 - keeps the measuring process small

    ours, theirs = (scratch / engine / "exports" for engine in ENGINES)
    names = [file.name for file in ours.glob("*.csv")]
    _, *others = filecmp.cmpfiles(ours, theirs, names, shallow=False)
    found = [name for some in others for name in some]
    with duckdb.connect() as connection:
        for engine in ENGINES:
            connection.execute(f"attach '{scratch / engine / 'w.duckdb'}' as {engine}_tables (read_only)")
        connection.execute("use duckdb_tables; set timezone = 'UTC'")
        tables = connection.execute(
            "select table_schema, table_name from information_schema.tables where table_catalog = 'duckdb_tables' "
            "and table_schema in ('marts', 'audit', 'reference', 'intermediate', 'staging')"
        ).fetchall()
        for schema, name in tables:
            described = connection.execute(f"describe {schema}.{name}").fetchall()
            columns = ", ".join(f'"{column}"' for column, *_ in described if column not in KEYS)
            one, two = (f"select {columns} from {engine}_tables.{schema}.{name}" for engine in ENGINES)
            connection.execute("use duckdb_tables")
            query = f"select 1 from (({one} except all {two}) union all ({two} except all {one})) limit 1"
            if connection.execute(query).fetchall():
                found.append(f"{schema}.{name}")
    return found


def row(lines: int, runs: list[Timed]) -> str:
    """A row of the Markdown table: for each engine wall time, CPU seconds, and the seconds of each step."""
    cells = [f"{lines:,}"]
    for timed in runs:
        steps = ", ".join(f"{step} {seconds:.0f}" for step, seconds in timed.steps.items())
        cells.append(f"{timed.seconds:,.0f} s, {timed.cpu:,.0f} CPU s ({steps})")
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Measure every size, and print each row of the table when it is known."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="0.1M,1M,10M", help="Millions of lines, like 0.1M,1M.")
    parser.add_argument("--scratch", type=Path, required=True, help="A folder for the lines and all that is made.")
    parser.add_argument("--cores", type=int, default=2, help="How many threads Spark has. DuckDB takes all cores.")
    options = parser.parse_args()
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)  # orphans become children of this process
    print("| lines | DuckDB | Spark |\n| --- | --- | --- |", flush=True)
    for size in options.sizes.split(","):
        data = make(options.scratch, round(float(size.removesuffix("M")) * 1e6), batches=1)
        print(row(data.lines, [run(engine, data, options.scratch, options.cores) for engine in ENGINES]), flush=True)
        if found := differences(options.scratch):
            sys.exit(f"{size}: these differ: {', '.join(found)}")


if __name__ == "__main__":
    main()
