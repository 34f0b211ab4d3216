"""How fast lines are loaded, beside DuckDB's own typed read_json of the same file into a table.

    .venv/bin/python benchmarks/load.py [--participants 300000] [--runs 5]

read_json is the floor: it checks nothing, accounts for nothing and stops at the first bad line, so the file has none.
Prints the median of runs taken in turn, each in a process of its own.
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
    """Wall time of one load into a new database, closing it included."""
    database = folder / "benchmark.duckdb"
    database.unlink(missing_ok=True)
    done = subprocess.run(
        [sys.executable, "-c", script, str(file), str(database)], check=True, capture_output=True, text=True
    )
    return float(done.stdout)


def main() -> None:
    """Make the file, take turns, print the table."""
    from pipelines.generate import Recipe, generate  # noqa: PLC0415

    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--participants", type=int, default=300_000)
    arguments.add_argument("--runs", type=int, default=5)
    asked = arguments.parse_args()

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        recipe = Recipe(participants=asked.participants, studies=100, days=365, malformed=0)
        made = generate(recipe, folder / "events.jsonl")
        [file] = made.files
        times: dict[str, list[float]] = {"read_json": [], "studyflow load": []}
        for _ in range(asked.runs):
            times["read_json"].append(seconds(FLOOR, file, folder))
            times["studyflow load"].append(seconds(OURS, file, folder))

    floor = statistics.median(times["read_json"])
    print(f"{made.lines:,} lines, median of {asked.runs} runs\n")
    print("| loader | seconds | lines a second | speed beside read_json |")
    print("| --- | --- | --- | --- |")
    for loader, taken in times.items():
        median = statistics.median(taken)
        print(f"| {loader} | {median:.2f} | {made.lines / median:,.0f} | {floor / median:.2f} |")


if __name__ == "__main__":
    main()
