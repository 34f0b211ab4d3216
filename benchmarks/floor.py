"""The floor: the work of `studyflow run`, written by hand for DuckDB in floor.sql, then its tables as CSV files.

    python benchmarks/floor.py --database NEW.duckdb --exports FOLDER --as-of TIME FILE…

Prints the counts of lines as JSON.
"""

import argparse
import json
from pathlib import Path

import duckdb

HERE = Path(__file__).resolve().parent
REFERENCE = HERE.parent / "data" / "reference"
# What a team may say of its studies and people; the files need not be there.
OPTIONAL = {
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
    """Make every mart from the files, in a new database."""
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
    """Write the participants of each stage, and all, by study and participant."""
    folder.mkdir(parents=True, exist_ok=True)
    connection.execute("set preserve_insertion_order = true")
    connection.execute("create temp table exported as from marts.participants order by study_id, participant_id")
    stages = dict(connection.execute("select export_name, stage from stages").fetchall())
    for name, stage in stages.items():
        rows = connection.sql("from exported where current_stage = $1", params=[stage])
        rows.to_csv(str(folder / f"{name}.csv"), header=True)
    connection.sql("from exported").to_csv(str(folder / "participants.csv"), header=True)


def main() -> None:
    """Read the arguments, do the work, print the counts."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--database", type=Path, required=True)
    arguments.add_argument("--exports", type=Path, required=True)
    arguments.add_argument("--as-of", required=True)
    arguments.add_argument("files", type=Path, nargs="+")
    asked = arguments.parse_args()
    with duckdb.connect(str(asked.database), config={"threads": 2}) as connection:
        build(connection, asked.files, asked.as_of)
        export(connection, asked.exports)
        counts = connection.sql("from audit.line_counts")
        [row] = counts.fetchall()
        print(json.dumps(dict(zip(counts.columns, row, strict=True))))


if __name__ == "__main__":
    main()
