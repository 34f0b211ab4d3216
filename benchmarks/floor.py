"""The floor: the work of `studyflow run` as hand-written SQL for DuckDB (floor.sql), with CSV exports.

    python benchmarks/floor.py --database NEW.duckdb --exports FOLDER --as-of TIME FILE…

Prints the line counts as JSON.
"""

import argparse
import json
from pathlib import Path

import duckdb

HERE = Path(__file__).resolve().parent
REFERENCE = HERE.parent / "data" / "reference"
OPTIONAL = {  # the columns of studies.csv and people.csv, which need not exist
    "studies": {
        "study_id": "varchar",
        "study_name": "varchar",
        "study_type": "varchar",
        "incentives_enabled": "boolean",
        "incentive_cents": "integer",
        "participation_limit": "integer",
    },
    "people": {"person_id": "varchar", "person_name": "varchar", "contact_status": "varchar"},
}


def build(connection: duckdb.DuckDBPyConnection, files: list[Path], as_of: str) -> None:
    """Build every mart from the files, in a new database."""
    connection.execute("set timezone = 'UTC'; set enable_progress_bar = false; set preserve_insertion_order = false")
    connection.execute("set variable files = $1::varchar[]", [[str(file) for file in files]])
    connection.execute("set variable reference = $1::varchar", [str(REFERENCE)])
    connection.execute("set variable as_of = $1::timestamptz", [as_of])
    for name, columns in OPTIONAL.items():
        file = REFERENCE / f"{name}.csv"
        typed = ", ".join(f"{column} {kind}" for column, kind in columns.items())
        connection.execute(f"create temp table described_{name} ({typed})")
        if file.exists():
            connection.execute(
                f"insert into described_{name} by name from read_csv($1, all_varchar = true)", [str(file)]
            )
    connection.execute((HERE / "floor.sql").read_text(encoding="utf-8"))


def export(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Write CSV files with the participants of each stage and with all participants, by study and participant."""
    folder.mkdir(parents=True, exist_ok=True)
    connection.execute("set preserve_insertion_order = true")
    connection.execute("create temp table exported as from marts.participants order by study_id, participant_id")
    stages = dict(connection.execute("select export_name, stage from stages").fetchall())
    for name, stage in stages.items():
        rows = connection.sql("from exported where current_stage = $1", params=[stage])
        rows.to_csv(str(folder / f"{name}.csv"), header=True)
    connection.sql("from exported").to_csv(str(folder / "participants.csv"), header=True)


def main() -> None:
    """Parse the arguments, build, export, and print the line counts."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--database", type=Path, required=True)
    arguments.add_argument("--exports", type=Path, required=True)
    arguments.add_argument("--as-of", required=True)
    arguments.add_argument("files", type=Path, nargs="+")
    options = arguments.parse_args()
    with duckdb.connect(str(options.database), config={"threads": 2}) as connection:
        build(connection, options.files, options.as_of)
        export(connection, options.exports)
        counts = connection.sql("from audit.line_counts")
        [row] = counts.fetchall()
        print(json.dumps(dict(zip(counts.columns, row, strict=True))))


if __name__ == "__main__":
    main()
