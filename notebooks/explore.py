"""Studies to look around in: funnel, forecast, incidence, cohorts, ageing, and any query.

`marimo run notebooks/explore.py` opens it as an app, `marimo edit notebooks/explore.py` as a notebook. It reads the
warehouse that STUDYFLOW_DATABASE names, else data/studyflow.duckdb, and never writes to it.
"""

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="studyflow")

with app.setup:
    import os
    from pathlib import Path

    import altair as alt
    import marimo as mo
    import polars as pl

    from pipelines.ask.forecast import when_full
    from pipelines.ask.warehouse import built_as_of, explained_errors, reading
    from pipelines.errors import StudyflowError
    from pipelines.settings import DATABASE

    BLUE, ORANGE, GREY = "#2b6cb0", "#dd6b20", "#a0aec0"
    MOST_ROWS = 10_000


@app.function
def warehouse() -> Path:
    """The warehouse of the last finished run."""
    return Path(os.environ.get("STUDYFLOW_DATABASE") or DATABASE)


@app.function
def ask(query: str, **values: object) -> pl.DataFrame:
    """What a query gives. The warehouse is open only as long as it takes, so that runs are never kept waiting."""
    with reading(warehouse()) as connection:
        return connection.sql(query, params=values).pl()


@app.function
def ask_freely(query: str) -> tuple[pl.DataFrame, bool]:
    """The first rows that any query gives, and whether there are more."""
    with reading(warehouse()) as connection, explained_errors():
        answer = connection.sql(query)
        if answer is None:
            return pl.DataFrame(), False
        rows = answer.limit(MOST_ROWS + 1).pl()
    return rows.head(MOST_ROWS), rows.height > MOST_ROWS


@app.cell(hide_code=True)
def _():
    read_again = mo.ui.button(label="Read again")
    return (read_again,)


@app.cell(hide_code=True)
def _(read_again):
    read_again.value
    try:
        with reading(warehouse()) as _connection:
            as_of = built_as_of(_connection)
        problem = None
    except StudyflowError as _error:
        as_of, problem = None, str(_error)
    mo.stop(problem is not None, mo.callout(mo.md(f"**There is nothing to show yet.** {problem}"), kind="warn"))

    studies = ask("""
        select
            study_id,
            coalesce(study_name, study_id) as shown,
            study_type,
            participants,
            completed,
            participation_limit,
            gaps
        from marts.study_progress
        order by shown, study_id
    """)
    mo.stop(
        studies.is_empty(),
        mo.callout(
            mo.md("**No study has a participant yet.** Load webhooks: `studyflow run --raw FOLDER`"), kind="warn"
        ),
    )
    return as_of, studies


@app.cell(hide_code=True)
def _(as_of, read_again, studies):
    # Two studies may have one name.
    _names = studies.with_columns(
        label=pl.when(pl.col("shown").is_duplicated())
        .then(pl.format("{} ({})", "shown", "study_id"))
        .otherwise("shown")
    )
    study = mo.ui.dropdown(
        options=dict(_names.select("label", "study_id").iter_rows()),
        value=_names["label"][0],
        label="Study",
        searchable=True,
    )
    mo.vstack(
        [
            mo.md(f"# Studies\n\nAs of {as_of:%Y-%m-%d %H:%M} UTC."),
            mo.hstack([study, read_again], justify="start", align="end"),
        ]
    )
    return (study,)


@app.cell(hide_code=True)
def _(studies, study):
    _one = studies.row(by_predicate=pl.col("study_id") == study.value, named=True)
    _of_limit = f" of {_one['participation_limit']:,}" if _one["participation_limit"] is not None else ""
    mo.hstack(
        [
            mo.stat(f"{_one['participants']:,}", label="participants", bordered=True),
            mo.stat(f"{_one['completed']:,}{_of_limit}", label="completed", bordered=True),
            mo.stat(_one["study_type"].replace("_", " "), label="type", bordered=True),
            mo.stat(f"{_one['gaps']:,}", label="gaps in the histories", bordered=True),
        ],
        widths="equal",
    )


@app.cell(hide_code=True)
def _(study):
    funnel = ask(
        """
        select
            step,
            step_order,
            reached,
            reached - observed as not_observed,
            dropped_active,
            dropped_lost,
            conversion_from_previous,
            median_hours_from_previous,
            p90_hours_from_previous
        from marts.study_funnel
        where study_id = $study_id
        order by step_order
        """,
        study_id=study.value,
    )
    _bars = alt.Chart(funnel).encode(
        y=alt.Y("step:N", sort=None, title=None),
        x=alt.X("reached:Q", title="participants who came so far", axis=alt.Axis(tickMinStep=1)),
        tooltip=[
            "step",
            "reached",
            alt.Tooltip("not_observed", title="of them not seen there, only later"),
            alt.Tooltip("dropped_active", title="reached only the step before, not lost"),
            alt.Tooltip("dropped_lost", title="reached only the step before, lost"),
            alt.Tooltip("median_hours_from_previous", title="median hours from the step before", format=",.1f"),
        ],
    )
    mo.vstack(
        [
            mo.md("## Funnel"),
            (_bars.mark_bar(color=BLUE) + _bars.mark_text(align="left", dx=4).encode(text="reached:Q")).properties(
                height=alt.Step(28), width="container"
            ),
            mo.ui.table(
                funnel.drop("step_order"),
                selection=None,
                pagination=False,
                format_mapping={
                    "conversion_from_previous": lambda share: "" if share is None else f"{share:.0%}",
                    "median_hours_from_previous": lambda hours: "" if hours is None else f"{hours:,.1f}",
                    "p90_hours_from_previous": lambda hours: "" if hours is None else f"{hours:,.1f}",
                },
            ),
        ]
    )


@app.cell(hide_code=True)
def _(study):
    _forecast = ask("from marts.study_forecast where study_id = $study_id", study_id=study.value).row(0, named=True)
    _words = when_full(_forecast)
    _says = f"full {_words}" if _words.startswith("by ") else _words
    fan = ask(
        """
        select
            day,
            completed,
            low_50,
            high_50,
            low_80,
            high_80,
            low_95,
            high_95
        from marts.study_forecast_daily
        where study_id = $study_id and days <= 42
        order by day
        """,
        study_id=study.value,
    )
    _days = alt.Chart(fan).encode(x=alt.X("day:T", title=None), tooltip=["day", "completed", "low_80", "high_80"])
    _ranges = [
        _days.mark_area(color=BLUE, opacity=0.2).encode(
            y=alt.Y(f"low_{range_}:Q", title="completed").scale(zero=False), y2=f"high_{range_}:Q"
        )
        for range_ in (95, 80, 50)
    ]
    _target = alt.Chart(pl.DataFrame({"target": [_forecast["target"]]})).mark_rule(color=ORANGE).encode(y="target:Q")
    _layers = [*_ranges, _days.mark_line(color=BLUE).encode(y="completed:Q")]
    mo.vstack(
        [
            mo.md(
                f"## Will it fill in time?\n\n**{_says[0].upper()}{_says[1:]}**, if nobody else is invited. "
                "The ranges are those of one case of two, four of five and 19 of 20."
            ),
            alt.layer(*_layers, *([_target] if _forecast["target"] is not None else [])).properties(
                height=220, width="container"
            )
            if not fan.is_empty()
            else mo.md("There is no forecast."),
        ]
    )


@app.cell(hide_code=True)
def _(study):
    # Who was invited recently counts only for the days they have had, so young studies can stand beside old ones.
    incidence = ask(
        """
        select
            case
                when incidence.study_id = $study_id then 'this study'
                when incidence.study_id is null then 'all of its type'
                else 'others of its type'
            end as whose,
            coalesce(studies.study_name, incidence.study_id, 'all') as study,
            incidence.days,
            incidence.completed_share as share,
            incidence.completed_low as low,
            incidence.completed_high as high
        from marts.study_incidence as incidence
        inner join marts.study_progress as this
            on incidence.study_type = this.study_type and this.study_id = $study_id
        left join marts.study_progress as studies
            on incidence.study_id = studies.study_id
        where
            incidence.begins_with = 'any_invitation'
            and incidence.started_month is null
            and incidence.completed_share is not null
        order by whose, study, incidence.days
        """,
        study_id=study.value,
    )
    _curves = alt.Chart(incidence).encode(
        x=alt.X("days:Q", title="days since the invitation"),
        color=alt.Color(
            "whose:N",
            title=None,
            scale=alt.Scale(domain=["this study", "all of its type", "others of its type"], range=[BLUE, ORANGE, GREY]),
        ),
        detail="study:N",
        tooltip=["study", "days", *(alt.Tooltip(name, format=".0%") for name in ("share", "low", "high"))],
    )
    _bands = _curves.transform_filter("datum.whose != 'others of its type'").mark_area(opacity=0.2)
    mo.vstack(
        [
            mo.md(
                "## How many complete, and how soon?\n\nOf those invited, with the 95% band of this study and its type."
            ),
            (
                _bands.encode(y=alt.Y("low:Q", title="share", axis=alt.Axis(format="%")), y2="high:Q")
                + _curves.mark_line().encode(y="share:Q")
            ).properties(height=240, width="container")
            if not incidence.is_empty()
            else mo.md("Fewer than ten can be followed."),
        ]
    )


@app.cell(hide_code=True)
def _():
    days = mo.ui.radio(options={f"{n} days": n for n in (7, 14, 30, 90)}, value="14 days", inline=True, label="within")
    return (days,)


@app.cell(hide_code=True)
def _(days, study):
    # Only people first seen long enough ago count, so that recent weeks do not look worse than they are.
    cohorts = ask(
        f"""
        select
            strftime(cohort_week, '%Y-%m-%d') as week,
            step,
            step_order,
            matured_{days.value}d as participants,
            reached_within_{days.value}d as reached,
            reached_within_{days.value}d / nullif(matured_{days.value}d, 0) as share
        from marts.study_funnel_cohorts
        where study_id = $study_id and matured_{days.value}d > 0
        order by cohort_week, step_order
        """,
        study_id=study.value,
    )
    _cells = alt.Chart(cohorts).encode(
        x=alt.X("week:O", title="week first seen"),
        y=alt.Y("step:N", sort=None, title=None),
        tooltip=["week", "step", "reached", "participants", alt.Tooltip("share", format=".0%")],
    )
    _heat = _cells.mark_rect().encode(
        color=alt.Color(
            "share:Q", title="share", scale=alt.Scale(domain=[0, 1], scheme="blues"), legend=alt.Legend(format="%")
        )
    )
    _counts = _cells.mark_text(fontSize=11).encode(
        text="reached:Q", color=alt.condition("datum.share > 0.55", alt.value("white"), alt.value("black"))
    )
    mo.vstack(
        [
            mo.md("## Cohorts\n\nOf those first seen in a week, how many came how far. Numbers count people."),
            days,
            (_heat + _counts).properties(height=alt.Step(26), width="container")
            if not cohorts.is_empty()
            else mo.md("Nobody was first seen so long ago."),
        ]
    )


@app.cell(hide_code=True)
def _(study):
    ageing = ask(
        """
        select
            ageing.current_stage,
            cast(floor(ageing.hours_in_stage / 24) as integer) as days_in_stage,
            case when ageing.is_stalled then 'longer than nine in ten' else 'usual' end as how_long,
            count(*) as participants
        from marts.ageing_participants as ageing
        inner join reference.stages
            on ageing.current_stage = stages.stage
        where ageing.study_id = $study_id
        group by stages.stage_order, ageing.current_stage, days_in_stage, how_long
        order by stages.stage_order, days_in_stage, how_long
        """,
        study_id=study.value,
    )
    stalled = ask(
        """
        select
            participant_id,
            current_stage,
            current_status_label,
            stage_since,
            round(hours_in_stage / 24, 1) as days_in_stage
        from marts.ageing_participants
        where study_id = $study_id and is_stalled
        order by hours_in_stage desc, participant_id
        """,
        study_id=study.value,
    )
    _dots = (
        alt.Chart(ageing)
        .mark_circle(opacity=0.8)
        .encode(
            x=alt.X("days_in_stage:Q", title="whole days in the stage, until now"),
            y=alt.Y("current_stage:N", sort=None, title=None),
            size=alt.Size("participants:Q", scale=alt.Scale(range=[30, 400]), legend=alt.Legend(tickMinStep=1)),
            color=alt.Color(
                "how_long:N",
                title=None,
                scale=alt.Scale(domain=["usual", "longer than nine in ten"], range=[GREY, ORANGE]),
            ),
            tooltip=["current_stage", "days_in_stage", "participants", "how_long"],
        )
        .properties(height=alt.Step(36), width="container")
    )
    mo.vstack(
        [
            mo.md("## Ageing\n\nWho is under way, and who has been in a stage longer than nine in ten before them."),
            _dots if not ageing.is_empty() else mo.md("Nobody is under way."),
            mo.ui.table(stalled, selection=None, label=f"{stalled.height:,} longer than nine in ten"),
        ]
    )


@app.cell(hide_code=True)
def _():
    query = mo.ui.code_editor(
        value="select current_stage, count(*) as participants\nfrom marts.participants\ngroup by all\norder by all",
        language="sql",
        min_height=120,
        label="SQL",
    ).form(submit_button_label="Ask", bordered=False)
    mo.vstack([mo.md("## Anything else\n\nAny SQL query that reads; docs/tables.md lists the tables."), query])
    return (query,)


@app.cell(hide_code=True)
def _(query):
    mo.stop(not query.value)
    try:
        _answer, _is_more = ask_freely(query.value)
    except Exception as _error:  # noqa: BLE001 - any error is shown to the person who wrote the query
        _shown = mo.callout(mo.plain_text(str(_error)), kind="danger")
    else:
        _note = mo.md(f"Only the first {MOST_ROWS:,} rows.") if _is_more else None
        _shown = mo.vstack([part for part in (mo.ui.table(_answer, selection=None), _note) if part is not None])
    _shown


if __name__ == "__main__":
    app.run()
