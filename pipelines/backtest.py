"""`studyflow backtest`: forecasts as of past weeks, compared with what happened."""

from dataclasses import replace
from pathlib import Path

from pipelines.errors import StudyflowError, UsageError
from pipelines.settings import Settings
from pipelines.state import engine_of, fingerprint, last_build
from pipelines.warehouse import connect
from pipelines.working_copy import OnWait, copied, reserved

MODELS = ("int_spells", "int_incidence", "int_forecasts", "int_forecast_statements")
"""The models that are rebuilt for past weeks, in a temporary copy of the warehouse."""
STATEMENTS = """
select
    $as_of::timestamptz as as_of,
    $weeks::integer as weeks,
    studies.study_id,
    statements.* exclude (study_key)
from intermediate.int_forecast_statements as statements
inner join intermediate.int_studies as studies
    on statements.study_key = studies.study_key
order by all
"""
STORE = Path(__file__).with_name("backtest.sql")


def backtest(settings: Settings, weeks: int, on_wait: OnWait | None = None) -> None:
    """Make one forecast for each of the last `weeks` weeks, and store their statements in the schema `state`.

    Raises:
        StudyflowError: the tables are not built, were built with other models or settings, or were built by Spark.
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
    from pipelines.build import dbt_folders, run_dbt  # noqa: PLC0415 - takes seconds

    settings = replace(settings, as_of=build.as_of, backtest_weeks=weeks)
    with reserved(settings, on_wait):
        with copied(settings, discard=True) as copy:
            run_dbt(copy, dbt_folders(copy.warehouse), "--select", *MODELS)
            with connect(copy.database, read_only=True) as connection:
                parameters = {"as_of": build.as_of, "weeks": weeks}
                statements = connection.sql(STATEMENTS, params=parameters).to_arrow_table()
        with copied(settings) as copy, connect(copy.database) as connection:
            connection.register("past_statements", statements)
            connection.execute(STORE.read_text(encoding="utf-8"))
