"""Measures how fast lines are loaded, compared with DuckDB's typed read_json of the same file into a table.

    .venv/bin/python benchmarks/load.py [--participants 300000] [--runs 5]

read_json checks nothing, counts nothing and stops at bad lines, so the file has none. The loaders take turns, each in a
process of its own. Prints the medians.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

FLOOR = """
import duckdb, sys, time
connection = duckdb.connect(sys.argv[2])
connection.execute("set timezone = 'UTC'; set enable_progress_bar = false")
start = time.perf_counter()
connection.execute('''
    create table events as
    select * from read_json($file, format = 'newline_delimited', columns = {
        _eventType: 'VARCHAR', participantId: 'VARCHAR', personId: 'VARCHAR', studyId: 'VARCHAR',
        status: 'VARCHAR', priorStatus: 'VARCHAR', updatedAt: 'TIMESTAMPTZ'
    })
''', {"file": sys.argv[1]})
connection.close()
print(time.perf_counter() - start)
"""

OURS = """
import sys, time
from pathlib import Path
from pipelines.load.loader import load
from pipelines.warehouse import connect
start = time.perf_counter()
with connect(Path(sys.argv[2])) as connection:
    load(connection, [Path(sys.argv[1])])
print(time.perf_counter() - start)
"""


def seconds(script: str, file: Path, folder: Path) -> float:
    """The wall time of a load into a new database, including the time to close it."""
    database = folder / "benchmark.duckdb"
    database.unlink(missing_ok=True)
    finished = subprocess.run(
        [sys.executable, "-c", script, str(file), str(database)], check=True, capture_output=True, text=True
    )
    return float(finished.stdout)


def main() -> None:
    """Generate the file, run both loaders in turn, and print a table."""
    from pipelines.generate import Recipe, generate  # noqa: PLC0415

    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--participants", type=int, default=300_000)
    arguments.add_argument("--runs", type=int, default=5)
    options = arguments.parse_args()

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        recipe = Recipe(participants=options.participants, studies=100, days=365, malformed=0)
        generated = generate(recipe, folder / "events.jsonl")
        [file] = generated.files
        times: dict[str, list[float]] = {"read_json": [], "studyflow load": []}
        for _ in range(options.runs):
            times["read_json"].append(seconds(FLOOR, file, folder))
            times["studyflow load"].append(seconds(OURS, file, folder))

    floor = statistics.median(times["read_json"])
    print(f"{generated.lines:,} lines, median of {options.runs} runs\n")
    print("| loader | seconds | lines per second | speed beside read_json |")
    print("| --- | --- | --- | --- |")
    for loader, durations in times.items():
        median = statistics.median(durations)
        print(f"| {loader} | {median:.2f} | {generated.lines / median:,.0f} | {floor / median:.2f} |")


if __name__ == "__main__":
    main()
