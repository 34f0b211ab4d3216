"""`studyflow backtest`: the forecasts that would have been made in past weeks, beside what came of them."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from pipelines.errors import StudyflowError, UsageError
from pipelines.settings import Settings
from pipelines.state import engine_of, fingerprint, last_build
from pipelines.warehouse import connect
from pipelines.working_copy import OnWait, copied, reserved, scratch_copy

MODELS = ("int_spells", "int_incidence", "int_forecasts", "int_forecast_statements")
"""What is made anew with past weeks, in a copy that is thrown away."""
MADE = """
select
    studies.study_id,
    statements.* exclude (study_key)
from intermediate.int_forecast_statements as statements
inner join intermediate.int_studies as studies
    on statements.study_key = studies.study_key
order by all
"""
KEEP = Path(__file__).with_name("backtest.sql")


def backtest(settings: Settings, weeks: int, on_wait: OnWait | None = None) -> None:
    """Make the forecasts as of so many past weeks, and keep their statements in the warehouse, which else stays as it is.

    Raises:
        StudyflowError: the tables are not built, or by other models or settings, or Spark built them.
    """
    with connect(settings.database, read_only=True) as connection:
        build = last_build(connection)
        engine = engine_of(connection)
    if engine == "spark":
        msg = f"{settings.database}: Spark built these tables, and a backtest needs a warehouse that DuckDB built."
        raise UsageError(msg)
    if build is None or build.fingerprint != fingerprint(settings):
        msg = f"{settings.database}: the tables have not been built, or models or settings have changed since. Build them first: studyflow build"
        raise StudyflowError(msg)
    settings = replace(settings, as_of=build.as_of, backtest_weeks=weeks)
    with reserved(settings, on_wait):
        made = _made(settings)
        with copied(settings) as copy, connect(copy.database) as connection:
            connection.register("made", made)
            for statement in connection.extract_statements(KEEP.read_text(encoding="utf-8")):
                given = {"as_of": build.as_of, "weeks": weeks} if statement.named_parameters else None
                connection.execute(statement, given)
            connection.unregister("made")


def _made(settings: Settings) -> pa.Table:
    """The statements, of tables in a copy that is then gone."""
    from pipelines.build import dbt_folders, run_dbt  # noqa: PLC0415 - takes seconds

    with scratch_copy(settings) as copy:
        run_dbt(copy, dbt_folders(copy.warehouse), "--select", *MODELS)
        with connect(copy.database, read_only=True) as connection:
            return connection.sql(MADE).to_arrow_table()
