"""Measures the false alarms of audit.steps_below_usual, and how soon it detects a step whose rate has halved.

    python benchmarks/guardrails.py [--seeds 101-106]

Each seed is a generated workspace of 6,000 participants in 12 studies over 120 days. The compiled SQL of the models
runs as of 07:00 on each weekday, like a team that looks every morning. A false alarm is a warning that was not there
the day before. They are counted per study and week in which anybody arrived at a watched step. To measure detection,
half of the participants who arrive at a step of a study from some time on are stopped there. The result is how many
arrived at least a day before the first warning.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import duckdb

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from product import Product, compile_project

from pipelines.generate import Recipe, generate
from pipelines.load.loader import load

DAYS = 120
SATURDAY, SOON = 5, 60
LOOK = datetime(2026, 6, 2, 7, tzinfo=UTC)
KNOWN_BEFORE, KNOWN_FOR, FEWEST_AFTER = 60, timedelta(days=16), 60
"""A rate is halved KNOWN_FOR after KNOWN_BEFORE arrivals, if FEWEST_AFTER or more arrive in the next four weeks."""
INPUTS = {
    '"intermediate"."int_participant_steps"': "steps_then",
    '"intermediate"."int_participants"': "participants_then",
    '"intermediate"."int_unexpected_changes"': "unexpected_then",
    '"intermediate"."int_step_outcomes"': "outcomes_then",
    '"marts"."study_forecast"': "forecast_then",
}
VIEWS = """
create table looked_at as select timestamptz '2000-01-01' as moment;
create table halved (participant_key ubigint, step_order smallint);
create table all_steps as from intermediate.int_participant_steps;
create view steps_then as
select s.* replace (case when s.first_delivered_at <= moment then s.first_delivered_at end as first_delivered_at)
from looked_at, all_steps as s left join halved using (participant_key)
where s.first_at <= moment and coalesce(s.step_order <= halved.step_order, true);
create view participants_then as
select s.participant_key, max(s.first_at) as last_changed_at, max(s.step_order) as furthest_step_order, any_value(p.is_terminal) as is_terminal
from steps_then as s inner join intermediate.int_participants as p using (participant_key) group by s.participant_key;
create view unexpected_then as select u.* from intermediate.int_unexpected_changes as u, looked_at where u.occurred_at <= moment;
create view forecast_then as select study_id, false as is_full from intermediate.int_studies;
"""
WATCHED = "(select step_order from (select step_order, lead(is_response) over (order by step_order) as is_watched from reference.funnel_steps) where is_watched)"


class Workspace:
    """A generated workspace, in which the models can be run as of any time."""

    def __init__(self, product: Product, seed: int) -> None:
        self.connection = duckdb.connect(":memory:")
        self.connection.execute("set timezone = 'UTC'")
        product.prepare(self.connection)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "events.jsonl"
            generate(Recipe(participants=6_000, studies=12, days=DAYS, seed=seed), file)
            load(self.connection, [file])
        needed = ("int_participant_steps", "int_participants", "int_unexpected_changes", "int_studies")
        product.build(self.connection, *needed, as_of=datetime(2099, 1, 1, tzinfo=UTC))
        self.connection.execute(VIEWS)
        queries = {model["name"]: model["compiled_code"].replace('"w".', "") for model in product.models.values()}
        for table, view in INPUTS.items():
            queries = {name: query.replace(table, view) for name, query in queries.items()}
        self.outcomes, self.warnings = queries["int_step_outcomes"], queries["steps_below_usual"]

    def warned(self, moment: datetime) -> set[tuple[str, str]]:
        """The studies and steps that steps_below_usual has as of this time."""
        self.connection.execute("update looked_at set moment = $1", [moment])
        self.connection.execute(f"create or replace table outcomes_then as {self.outcomes}")
        return {(study, step) for study, step, *_ in self.connection.execute(self.warnings).fetchall()}

    def weeks(self) -> int:
        """The number of weeks in which anybody arrived at a watched step, summed over studies."""
        query = f"select count(distinct (study_key, date_trunc('week', first_at))) from all_steps where step_order in {WATCHED}"
        [(weeks,)] = self.connection.execute(query).fetchall()
        return int(weeks)

    def busy_steps(self) -> list[tuple[str, str, int, list[datetime]]]:
        """The steps with enough arrivals: study, step, its order, and the times of the arrivals."""
        query = f"""
            select study_id, step, s.step_order, list(first_delivered_at order by first_delivered_at)
            from all_steps as s
            inner join intermediate.int_studies using (study_key)
            inner join reference.funnel_steps as f on s.step_order = f.step_order
            where s.step_order in {WATCHED} and first_delivered_at is not null
            group by all having count(*) >= {KNOWN_BEFORE + FEWEST_AFTER}
            order by 1, 2
        """
        return sorted(self.connection.execute(query).fetchall(), key=lambda row: (row[0][::-1], row[1]))

    def halve(self, study: str, step_order: int, since: datetime) -> None:
        """Stop half of the participants who arrive at the step from then on."""
        self.connection.execute("delete from halved")
        query = """
            insert into halved select participant_key, step_order from all_steps inner join intermediate.int_studies using (study_key)
            where study_id = $1 and step_order = $2 and first_delivered_at >= $3 and hash(participant_key) % 2 = 0
        """
        self.connection.execute(query, [study, step_order, since])


def mornings(first: datetime = LOOK, days: int = DAYS + 7) -> Iterator[datetime]:
    """Yield 07:00 of each weekday."""
    looks = (first + timedelta(days=day) for day in range(days))
    return (look for look in looks if look.weekday() < SATURDAY)


def false_alarms(workspace: Workspace) -> int:
    """The number of new warnings although no rate has changed."""
    before: set[tuple[str, str]] = set()
    number = 0
    for moment in mornings():
        now = workspace.warned(moment)
        number += len(now - before)
        before = now
    return number


def detected(workspace: Workspace, most: int) -> Iterator[int | None]:
    """Yield, for at most `most` steps, after how many people the halved rate was detected; None if not in six weeks."""
    for study, step, step_order, arrivals in workspace.busy_steps():
        since = arrivals[KNOWN_BEFORE] + KNOWN_FOR
        after = [at for at in arrivals if at >= since]
        if sum(at < since + timedelta(weeks=4) for at in after) < FEWEST_AFTER or not most:
            continue
        most -= 1
        workspace.halve(study, step_order, since)
        first = datetime.combine(since.date() + timedelta(days=1), LOOK.timetz())
        warned = (moment for moment in mornings(first, 42) if (study, step) in workspace.warned(moment))
        seen = next(warned, None)
        yield seen and sum(at <= seen - timedelta(days=1) for at in after)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="101-106")
    parser.add_argument("--steps", type=int, default=6, help="how many steps are halved in each workspace")
    options: Any = parser.parse_args()
    first, last = map(int, options.seeds.split("-"))
    weeks = alarms = 0
    people: list[int | None] = []
    with tempfile.TemporaryDirectory() as folder:
        product = compile_project(Path(folder))
    for seed in range(first, last + 1):
        workspace = Workspace(product, seed)
        weeks += workspace.weeks()
        alarms += false_alarms(workspace)
        people += detected(workspace, options.steps)
        soon = sum(number is not None and number <= SOON for number in people)
        half = median(number if number is not None else 10_000 for number in people)
        sys.stdout.write(
            f"seed {seed}: {alarms} false alarms in {weeks} study-weeks ({alarms / weeks:.2%}); "
            f"{soon} of {len(people)} halved steps found within {SOON} people, half of them within {half:.0f}\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
