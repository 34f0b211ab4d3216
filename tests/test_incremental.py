"""Spec section 8, 2: an incremental run equals a full refresh. Real builds, one on the other, whatever arrives late.

What is compared with is the same project compiled to make everything anew (`product`), which other tests hold against
the oracle.
"""

import json
import pickle
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from product import Product
from strategies import MOVES, STATUSES, STEPS, STUDIES

from pipelines import build as build_module
from pipelines.build import build
from pipelines.load.loader import load
from pipelines.settings import Settings
from pipelines.state import Build, last_build, up_to_date
from pipelines.warehouse import connect

pytestmark = pytest.mark.usefixtures("parsed_project")

ARGUMENTS = list(build_module.ARGUMENTS)

PERSONS = tuple(f"person-{number}" for number in range(8))
"""Enough that some have nothing new in a build."""

# Tables that only say what this build worked on, and views on them.
OF_THE_BUILD = {
    "stg_touched_participants",
    "int_touched_people",
    "int_tied_changes",
    "int_tie_order",
}


@dataclass
class Warehouse:
    """A folder of webhook files that grows, and the warehouse that scheduled runs keep of it."""

    folder: Path
    product: Product
    dice: random.Random
    as_of: datetime = datetime(2025, 4, 20, tzinfo=UTC)
    standing: dict[str, tuple[str, str, str | None, datetime]] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        """What a run in this folder works on."""
        return Settings(
            raw=(self.folder / "raw",),
            database=self.folder / "w.duckdb",
            exports=self.folder / "exports",
            as_of=self.as_of,
            studies_file=self.folder / "studies.csv",
            people_file=self.folder / "people.csv",
        )

    def happens(self, changes: int, newcomers: int) -> list[str]:
        """Lines of what happens next to known participants and to new ones, some lost, tied, late or in the future."""
        for _ in range(newcomers):
            who = f"participant-{len(self.standing)}"
            at = self.as_of + timedelta(days=self.dice.choice([-400, -95, -40, -31, -8, -1, 1]))
            self.standing[who] = (self.dice.choice(PERSONS), self.dice.choice(STUDIES), None, at)
        made = []
        for _ in range(changes):
            who = self.dice.choice(sorted(self.standing))
            person, study, status, at = self.standing[who]
            next_status = self.dice.choice(MOVES.get(status, STATUSES) if self.dice.random() < 0.8 else STATUSES)
            if self.dice.random() < 0.03:
                person = self.dice.choice(PERSONS)
            if self.dice.random() < 0.03:
                study = self.dice.choice([*STUDIES, "study-of-one"])
            at += self.dice.choice(STEPS)
            self.standing[who] = (person, study, next_status, at)
            if self.dice.random() < 0.9:
                made.append(line(who, person, study, next_status, status, at))
        self.lines += made
        return made

    def arrives(self, lines: list[str], file: str = "a.jsonl", end: str = "\n") -> None:
        """Lines are added to a file, in any order, with some that came before."""
        again = self.dice.sample(self.lines, min(len(self.lines), 3))
        arrived = self.dice.sample([*lines, *again], len(lines) + len(again))
        (self.folder / "raw").mkdir(exist_ok=True)
        with (self.folder / "raw" / file).open("a", encoding="utf-8") as opened:
            opened.write("\n".join(arrived) + end)

    def runs(self) -> Build:
        """Load and build, as `studyflow run` does; everything must be as if it had been made anew."""
        with connect(self.settings.database) as connection:
            assert load(connection, self.settings.raw).problems == ()
        build(self.settings)
        with connect(self.settings.database) as connection:
            made = last_build(connection)
            assert made is not None
            assert up_to_date(connection, self.settings) == made
        self.equals_a_full_refresh()
        return made

    def equals_a_full_refresh(self) -> None:
        """Every table is as the same project makes it anew of what is loaded."""
        with duckdb.connect(":memory:", config={"threads": 1}) as connection:
            connection.execute("set timezone = 'UTC'")
            self.product.prepare(connection)
            connection.execute(f"attach '{self.settings.database}' as kept (read_only)")
            for table in ("files", "deliveries", "loads", "people_file"):
                connection.execute(f"insert into raw.{table} by name select * from kept.raw.{table}")
            models = [model["name"] for model in self.product.models.values()]
            self.product.build(connection, *models, as_of=self.as_of)
            for model in self.product.models.values():
                if model["name"] not in OF_THE_BUILD and model["config"]["materialized"] != "view":
                    self._is_equal(connection, f"{model['schema']}.{model['name']}")

    @staticmethod
    def _is_equal(connection: duckdb.DuckDBPyConnection, table: str) -> None:
        columns = ", ".join(f'"{name}"' for name, *_ in connection.execute(f"describe {table}").fetchall())
        for ours, theirs in ((f"kept.{table}", table), (table, f"kept.{table}")):
            query = f"select {columns} from {ours} except all select {columns} from {theirs} limit 3"
            assert connection.execute(query).fetchall() == [], f"rows of {ours} only"


def line(who: str, person: str, study: str, status: str, prior: str | None, at: datetime) -> str:  # noqa: PLR0913, PLR0917
    """A webhook as it is written."""
    return json.dumps(
        {
            "_eventType": "participant.status_changed",
            "participantId": who,
            "personId": person,
            "studyId": study,
            "status": status,
            "priorStatus": prior,
            "updatedAt": at.isoformat(),
        }
    )


@pytest.fixture(scope="module")
def first_build(tmp_path_factory: pytest.TempPathFactory, product: Product) -> Path:
    """A folder in which something has happened and one build was made."""
    folder = tmp_path_factory.mktemp("first")
    with pytest.MonkeyPatch.context() as patch:
        _dbt_works_in(folder, patch)
        made = Warehouse(folder, product, random.Random(1))
        made.settings.studies_file.write_text("study_id\n", encoding="utf-8")
        addresses = "".join(f"{person},{person}@example.org\n" for person in PERSONS)
        made.settings.people_file.write_text(f"person_id,email\n{addresses}", encoding="utf-8")
        made.arrives(made.happens(changes=120, newcomers=25))
        assert made.runs().is_whole
    (folder / "standing.pickle").write_bytes(pickle.dumps((made.standing, made.lines)))
    return folder


@pytest.fixture
def at(tmp_path: Path, first_build: Path, product: Product, monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    """The same in a folder of its own."""
    folder = tmp_path / "warehouse"
    shutil.copytree(first_build, folder)
    _dbt_works_in(folder, monkeypatch)
    standing, lines = pickle.loads((folder / "standing.pickle").read_bytes())  # noqa: S301 - written just above
    return Warehouse(folder, product, random.Random(2), standing=standing, lines=lines)


def _dbt_works_in(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Let dbt keep its files in this folder, and build on the last build however few lines there are."""
    patch.setenv("DBT_TARGET_PATH", str(folder / "target"))
    patch.setenv("DBT_LOG_PATH", str(folder / "logs"))
    always = json.dumps({"incremental_from_lines": 0, "incremental_up_to_share": 1})
    patch.setattr(build_module, "ARGUMENTS", [*ARGUMENTS, "--vars", always])


def much_happens(at: Warehouse) -> None:
    at.arrives(at.happens(changes=40, newcomers=6), at.dice.choice(["a.jsonl", "b.jsonl"]))


def one_thing_happens(at: Warehouse) -> None:
    at.arrives(at.happens(changes=1, newcomers=0))


def time_passes(at: Warehouse) -> None:
    """What was in the future is not any more, cooldowns end, windows of days move on, cohorts mature."""
    at.as_of += at.dice.choice([timedelta(minutes=15), timedelta(days=1), timedelta(days=33)])


def both(at: Warehouse) -> None:
    much_happens(at)
    time_passes(at)


def a_line_turns_out_to_be_another(at: Warehouse) -> Iterator[None]:
    """The last line of a file was whole without its newline, and is taken back when it goes on."""
    at.arrives(at.happens(changes=2, newcomers=1), "open.jsonl", end="")
    yield
    with (at.folder / "raw" / "open.jsonl").open("a", encoding="utf-8") as file:
        file.write(" and more\n")


def a_study_gets_another_type(at: Warehouse) -> None:
    """The second time it makes the study mixed, and changes the row of the participant who came first."""
    number = sum("study-of-two" in line for line in at.lines)
    status = ("INTERVIEW_COMPLETED", "SURVEY_COMPLETED")[number % 2]
    at.lines.append(line(f"one-of-two-{number}", "person-of-two", "study-of-two", status, None, at.as_of))
    at.arrives(at.lines[-1:])


def opt_out(at: Warehouse, person: str) -> str:
    """The event as it is written; people.csv has the address."""
    said = {"_eventType": "person.opted_out", "email": f"{person}@example.org", "optedOut": True}
    return json.dumps(said | {"updatedAt": at.as_of.isoformat()})


def a_person_opts_out(at: Warehouse) -> None:
    """Of whom no participant has anything new."""
    with (at.folder / "raw" / "events.jsonl").open("a", encoding="utf-8") as opened:
        opened.write(opt_out(at, PERSONS[0]) + "\n")


def an_opt_out_turns_out_to_be_none(at: Warehouse) -> Iterator[None]:
    """It is taken back, although it named no participant."""
    file = at.folder / "raw" / "open_event.jsonl"
    file.write_text(opt_out(at, PERSONS[1]), encoding="utf-8")
    yield
    with file.open("a", encoding="utf-8") as opened:
        opened.write(" and more\n")


def a_file_is_rewritten(at: Warehouse) -> Iterator[None]:
    at.arrives(at.happens(changes=9, newcomers=2), "rewritten.jsonl")
    yield
    path = at.folder / "raw" / "rewritten.jsonl"
    path.write_text("\n".join(at.dice.sample(path.read_text(encoding="utf-8").split("\n"), 5)) + "\n", encoding="utf-8")


Happening = Callable[[Warehouse], Iterator[None] | None]

BUILDS: tuple[tuple[Happening, ...], ...] = (
    (
        *(much_happens, a_study_gets_another_type, a_line_turns_out_to_be_another),
        *(an_opt_out_turns_out_to_be_none, a_file_is_rewritten),
    ),
    (one_thing_happens, time_passes, a_person_opts_out),
    (both, a_study_gets_another_type),
)
HAPPENINGS = tuple(dict.fromkeys(happening for happenings in BUILDS for happening in happenings))


def begin(at: Warehouse, *happenings: Happening) -> list[Iterator[None]]:
    """They happen. Of those that yield, the rest is still to happen."""
    later = [rest for rest in [happening(at) for happening in happenings] if rest]
    for rest in later:
        next(rest)
    return later


def end(later: list[Iterator[None]]) -> None:
    """The rest happens."""
    for rest in later:
        assert next(rest, "done") == "done"


def test_builds_on_each_other(at: Warehouse) -> None:
    """Every kind of happening, some before each build, which is held against a full refresh; one by one is slow.

    What was only begun before the first build ends before the last one. In between next to nothing is touched.
    """
    later: list[Iterator[None]] = []
    for happenings in BUILDS:
        later += begin(at, *happenings)
        if happenings is BUILDS[-1]:
            end(later)
        assert not at.runs().is_whole, happenings


@pytest.mark.soak(reason="200 builds; test_builds_on_each_other makes every kind of happening once")
@pytest.mark.parametrize("seed", range(10))
def test_many_builds_on_each_other(at: Warehouse, seed: int) -> None:
    at.dice = random.Random(seed)
    for happening in at.dice.choices(HAPPENINGS, k=20):
        if later := begin(at, happening):
            assert not at.runs().is_whole, happening
            end(later)
        assert not at.runs().is_whole, happening


def an_earlier_as_of(at: Warehouse) -> None:
    at.as_of -= timedelta(days=40)


def a_study_is_described(at: Warehouse) -> None:
    at.settings.studies_file.write_text("study_id,incentives_enabled\nstudy-1,false\n", encoding="utf-8")


def a_table_is_dropped(at: Warehouse) -> None:
    with connect(at.settings.database) as connection:
        connection.execute("drop table marts.people")


def makes_everything_anew(at: Warehouse, patch: pytest.MonkeyPatch) -> bool:
    """Whether a build that begins now would. It ends once that is decided, before its first model."""
    with patch.context() as none_is_made:
        none_is_made.setattr("dbt.task.build.BuildTask.execute_nodes", lambda _: [])
        build(at.settings)
    with connect(at.settings.database) as connection:
        assert last_build(connection) is None
        [(previous,)] = connection.execute("select previous_build_id from state.this_build").fetchall()
    return previous is None


@pytest.mark.parametrize(
    "happening", [an_earlier_as_of, a_study_is_described, a_table_is_dropped, much_happens, time_passes]
)
def test_what_makes_everything_anew(
    at: Warehouse, happening: Callable[[Warehouse], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the user knowing to ask for it: yesterday's report, other reference data, a table that is not there.

    New lines alone do not, nor does time.
    """
    happening(at)
    with connect(at.settings.database) as connection:
        load(connection, at.settings.raw)
        assert up_to_date(connection, at.settings) is None
    assert makes_everything_anew(at, monkeypatch) == (happening not in HAPPENINGS)


def test_a_build_of_some_models_is_not_built_on(at: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """Someone makes one model by hand, as of another moment: what it has now is not what the others have."""
    with monkeypatch.context() as by_hand:
        by_hand.setattr(build_module, "ARGUMENTS", [*build_module.ARGUMENTS, "--select", "participants"])
        build(replace(at.settings, as_of=at.as_of - timedelta(days=30)))
    with connect(at.settings.database) as connection:
        assert last_build(connection) is None
    assert makes_everything_anew(at, monkeypatch)


def test_nothing_new_is_known_to_be_nothing(at: Warehouse) -> None:
    """A run without an as-of leaves tables of the last hour alone, and makes older ones anew: debts become overdue."""
    with connect(at.settings.database) as connection:
        now = replace(at.settings, is_as_of_requested=False)
        assert up_to_date(connection, replace(now, as_of=at.as_of + timedelta(minutes=59)))
        assert not up_to_date(connection, replace(now, as_of=at.as_of + timedelta(minutes=61)))
        assert not up_to_date(connection, replace(at.settings, as_of=at.as_of + timedelta(minutes=1)))
        connection.execute("drop table marts.people")
        assert not up_to_date(connection, now), "a table that someone dropped is made again"


def test_the_project_has_one_fingerprint(at: Warehouse) -> None:
    """What dbt writes down of the project and what `studyflow` works out without dbt are the same; files count."""
    with connect(at.settings.database) as connection:
        assert up_to_date(connection, at.settings)
        at.settings.people_file.write_text("person_id,contact_status\nperson-1,In Blocklist\n", encoding="utf-8")
        assert not up_to_date(connection, at.settings)


def test_few_lines_are_made_anew(at: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the vars as they are: replacing rows in small tables takes longer than making them."""
    much_happens(at)
    with connect(at.settings.database) as connection:
        load(connection, at.settings.raw)
    monkeypatch.setattr(build_module, "ARGUMENTS", ARGUMENTS)
    assert makes_everything_anew(at, monkeypatch)


def test_what_is_made_anew_keeps_nothing(at: Warehouse) -> None:
    """Of tables with later data, one of which is not there."""
    much_happens(at)
    an_earlier_as_of(at)
    a_table_is_dropped(at)
    assert at.runs().is_whole


def test_every_incremental_model_can_be_kept(product: Product) -> None:
    """A build replaces rows of touched participants or people: what a table does not have of them would stay for ever."""
    keys = {"by_participant": {"participant_key", "participant_id"}, "by_person": {"person_key", "person_id"}}
    touched = {"by_participant": "stg_touched_participants", "by_person": "int_touched_people"}
    kept = [model for model in product.models.values() if model["config"]["materialized"] == "incremental"]
    assert {model["config"]["incremental_strategy"] for model in kept} == set(keys)
    for model in kept:
        strategy = model["config"]["incremental_strategy"]
        assert keys[strategy] & set(model["columns"]), model["name"]
        assert f"model.studyflow.{touched[strategy]}" in model["depends_on"]["nodes"], model["name"]
