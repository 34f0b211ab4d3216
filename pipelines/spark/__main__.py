"""`python -m pipelines.spark`: write the Parquet files that `dbt build --target spark` reads (docs/spark.md)."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.app import Database, output, print_problems
from pipelines.errors import ExitCode, StudyflowError
from pipelines.settings import DATABASE, PROJECT, resolve, with_named_files
from pipelines.spark.raw import write_raw
from pipelines.variables import read_vars
from pipelines.warehouse import connect

Folder = Annotated[
    Path,
    typer.Option(
        "--folder", envvar="STUDYFLOW_SPARK_FOLDER", help="The folder that Spark reads from and writes its tables to."
    ),
]


def main(database: Database = None, folder: Folder = PROJECT / "data" / "spark") -> None:
    """Copy the loaded lines of a warehouse, and the rows of the reference files, to Parquet for Spark."""
    try:
        settings = with_named_files(resolve(database=database or DATABASE, may_be_sample=False), read_vars())
        with connect(settings.database, read_only=True) as connection:
            write_raw(connection, folder, settings.studies_file, settings.people_file)
    except StudyflowError as error:
        print_problems(error)
        sys.exit(ExitCode.FAILED)
    output.print(f"{folder}: ready for dbt build --target spark")


if __name__ == "__main__":
    typer.run(main)
