"""The dbt project by itself: as someone uses it who only knows dbt, and the rules that hold in all of its files."""

import csv
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import processes
import pytest
import yaml  # type: ignore[import-untyped]
from product import AS_OF as AS_OF_OF_COMMAND_LINE
from product import NOT_AS_OF, Product
from tables_page import SOURCES

from pipelines import state
from pipelines.check import prepare
from pipelines.check.contracts import actual_catalogue
from pipelines.check.runner import names_of_tables
from pipelines.load.loader import load
from pipelines.settings import PROJECT, REFERENCE, SAMPLE, resolve
from pipelines.warehouse import connect

LONGEST_MODEL = 120
ALGORITHMS = {"int_tie_order"}  # one search, whose steps say nothing apart
MOST_MODELS = 78
LAYERS = {
    "staging": {"staging"},
    "core": {"staging", "core"},
    "intermediate": {"staging", "core", "intermediate"},
    "marts": {"staging", "core", "intermediate", "marts"},
    "audit": {"staging", "core", "intermediate", "marts", "audit"},
}
"""The folders of models, and those that each may read from."""
PARTS_OF_THE_PROJECT = (
    "dbt_project.yml",
    "profiles.yml",
    "models",
    "macros",
    "data/reference",
    "tests/dbt",
    "tests/dbt_macros",
)
OPTIONAL_FILES = ("studies.csv", "people.csv")
AS_OF = "2026-07-20T12:00:00+00:00"
FULL_TYPES = {"timestamptz": "timestamp with time zone", "int": "integer"}

SQL_FILES = {
    path.relative_to(PROJECT): path.read_text(encoding="utf-8")
    for folder in ("models", "macros")
    for path in sorted((PROJECT / folder).rglob("*.sql"))
}


class Checkout:
    """A copy of the project, without a user's own reference files, and a warehouse. dbt parses it once for all tests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "it's our [first] project*? #1"
        self.folder.mkdir()
        self.database = folder / "warehouse.duckdb"

    def restore(self) -> None:
        """Copy the project, and remove the warehouse."""
        self.database.unlink(missing_ok=True)
        for part in PARTS_OF_THE_PROJECT:
            if (PROJECT / part).is_dir():
                shutil.rmtree(self.folder / part, ignore_errors=True)
                optional = shutil.ignore_patterns(*OPTIONAL_FILES)
                shutil.copytree(PROJECT / part, self.folder / part, ignore=optional)
            else:
                shutil.copy(PROJECT / part, self.folder / part)

    def dbt(self, *arguments: str, fails: bool = False) -> str:
        """Run dbt as a process of its own, and give what it said. Anything but what was expected fails the test."""
        where = {"STUDYFLOW_DATABASE": str(self.database), "STUDYFLOW_AS_OF": AS_OF}
        outcome = processes.dbt(*arguments, folder=self.folder, **where)
        assert (outcome.returncode != 0) == fails, outcome.stdout + outcome.stderr
        return outcome.stdout

    def tables(self, *schemas: str) -> dict[str, list[tuple[Any, ...]]]:
        """All rows of all tables of these schemas, sorted."""
        with connect(self.database, read_only=True) as connection:
            names = connection.execute(
                "select table_schema || '.' || table_name from information_schema.tables where table_schema in "
                "(select unnest(?))",
                [list(schemas)],
            ).fetchall()
            return {name: connection.execute(f"select * from {name} order by all").fetchall() for (name,) in names}


@pytest.fixture(scope="module")
def one_checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return Checkout(tmp_path_factory.mktemp("project"))


@pytest.fixture
def checkout(one_checkout: Checkout) -> Checkout:
    """As it was copied, but for what dbt keeps of it; without a warehouse."""
    one_checkout.restore()
    return one_checkout


@pytest.mark.slow(
    reason="four dbt commands; test_builder.py builds an empty warehouse, test_any_history.py compares one"
)
def test_dbt_works_on_an_empty_warehouse(checkout: Checkout, product: Product) -> None:
    """The first thing someone does with a dbt project is `dbt run`: without seeds, without data, without a warehouse.

    The second is `dbt build`, which must not stumble over what a hook has already made.
    """
    marts = {f"marts.{model['name']}" for model in product.models.values() if model["schema"] == "marts"}

    checkout.dbt("run")
    assert checkout.tables("marts") == {mart: [] for mart in marts}

    checkout.database.unlink()
    checkout.dbt("build", "--exclude-resource-type", "unit_test")
    assert checkout.tables("marts") == {mart: [] for mart in marts}
    has_the_constraints_of_its_contracts(checkout)
    has_a_docs_site_of_everything(checkout, product)
    names_what_is_wrong_in_a_reference_file(checkout)


def has_the_constraints_of_its_contracts(checkout: Checkout) -> None:
    """Else the check would read every row of every table."""
    _, _, promised = prepare()
    with duckdb.connect(checkout.database, read_only=True) as connection:
        tables, kept = names_of_tables(connection), actual_catalogue(connection)
    assert [name for name, parts in promised.items() if not parts <= kept[tables[name]]] == []


def names_what_is_wrong_in_a_reference_file(checkout: Checkout) -> None:
    """Before any table is made of it, by dbt alone, too."""
    checkout.database.unlink()
    with (checkout.folder / "data" / "reference" / "stages.csv").open("a", encoding="utf-8") as file:
        file.write("Waiting,8\n")
    assert "stages.csv, line 9: has 2 cells, but the header has 7." in checkout.dbt("run", fails=True)
    assert checkout.tables("reference", "staging", "marts") == {}


def has_a_docs_site_of_everything(checkout: Checkout, product: Product) -> None:
    """One page, with the descriptions of all columns, their types, what depends on what, and who uses it."""
    checkout.dbt("docs", "generate", "--static")
    page = (checkout.folder / "target" / "static_index.html").read_text(encoding="utf-8")
    assert "<script src=" not in page, "it needs nothing but itself"
    for model in product.models.values():
        assert f'"unique_id": "model.studyflow.{model["name"]}"' in page, model["name"]
    assert '"exposure.studyflow.stage_tables"' in page
    assert '"TIMESTAMP WITH TIME ZONE"' in page, "types come from the warehouse"


def names_its_state_as_studyflow_does(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or else the next `studyflow run` would make all tables anew."""
    monkeypatch.setattr(state, "PROJECT", checkout.folder)
    reference = checkout.folder / "data" / "reference"
    settings = replace(resolve(), studies_file=reference / "studies.csv", people_file=reference / "people.csv")
    with connect(checkout.database, read_only=True) as connection:
        build = state.last_build(connection)
    assert build
    assert build.fingerprint == state.fingerprint(settings)


def test_dbt_takes_what_its_command_line_says(product: Product) -> None:
    """Before what the environment says, which comes before dbt_project.yml."""
    compiled = " ".join(model["compiled_code"] for model in product.models.values())
    assert AS_OF_OF_COMMAND_LINE in compiled
    assert NOT_AS_OF not in compiled


@pytest.mark.slow(reason="dbt takes minutes for 300 tests one by one; test_dbt_tests.py has them all")
def test_dbt_build_passes_all_data_tests_and_unit_tests_on_the_sample(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As dbt alone builds and tests.

    A file of studies lies where users put it, as spreadsheets and hands write it: a byte-order mark, only some of the
    columns, capitals in their names, commas in quotes, cells left blank or out. dbt must not take it for a seed.
    """
    _, paid, unpaid, blank, *_ = (row["study_id"] for row in csv.DictReader((SAMPLE / "studies.csv").open()))
    (checkout.folder / "data" / "reference" / "studies.csv").write_text(
        "\ufeffstudy_id,Study_Name,incentives_enabled\r\n"
        f'{paid},"Churn, ""part 2"", retold",yes\r\n'
        f"{unpaid},,no\r\n"
        f"{blank}\r\n",
        encoding="utf-8",
    )
    (checkout.folder / "data" / "reference" / "people.csv").write_text(
        "Person ID,contact_status\ngone,In Blocklist\nhere,in blocklist\n", encoding="utf-8"
    )
    with connect(checkout.database) as connection:
        load(connection, [SAMPLE])
        connection.execute("insert into raw.forgotten select 'salt', 'hash', 'person', sha256('saltgone'), now() ")

    checkout.dbt("build")
    built = checkout.tables("marts", "audit", "reference")
    names_its_state_as_studyflow_does(checkout, monkeypatch)
    assert {name for name, rows in built.items() if not rows} <= {
        "audit.identity_conflicts",
        "audit.feed_silence",
        "audit.data_notes",
        "audit.invited_too_many",
        "audit.steps_below_usual",
        # no study has a target here
        "marts.invitations_needed",
        "marts.invitation_plan",
    }
    with connect(checkout.database, read_only=True) as connection:
        described = connection.execute(
            "select study_id, study_name, incentives_enabled, incentive_cents from intermediate.int_studies "
            "where is_described"
        ).fetchall()
        people = connection.execute("from raw.people_file union all from staging.stg_people").fetchall()
    assert people == [("here", None, None, "In Blocklist")] * 2, "a person who was forgotten is not even read"
    assert sorted(described) == sorted(
        [(paid, 'Churn, "part 2", retold', True, None), (unpaid, None, False, None), (blank, None, True, None)]
    )


@pytest.mark.slow(reason="three dbt commands, for what dbt itself promises as long as no hook depends on the command")
def test_dbt_seed_and_run_give_the_same_tables_as_build(checkout: Checkout) -> None:
    """No table depends on how often or by which command it is made."""
    with connect(checkout.database) as connection:
        load(connection, [SAMPLE])
    checkout.dbt("build", "--resource-type", "seed", "--resource-type", "model")
    built = checkout.tables("marts", "audit", "reference")
    checkout.dbt("seed")
    checkout.dbt("run")
    assert checkout.tables("marts", "audit", "reference") == built


def test_every_table_says_what_one_row_is(product: Product) -> None:
    """The grain is what a reader must know first, and what most wrong joins get wrong."""
    nodes = [*product.models.values(), *product.seeds]
    assert [node["name"] for node in nodes if not node["description"].startswith("One row per ")] == []


def test_every_column_is_described_as_it_is(product: Product, sample: duckdb.DuckDBPyConnection) -> None:
    """In the YAML of models, seeds and raw tables: no column missing, none too many, the type true where it is said."""
    documented = {
        f"{node['schema']}.{node['name']}": list(node["columns"].values())
        for node in [*product.models.values(), *product.seeds]
    }
    for source in yaml.safe_load(SOURCES.read_text(encoding="utf-8"))["sources"]:
        documented |= {f"{source['schema']}.{table['name']}": table["columns"] for table in source["tables"]}
    problems = []
    for table, columns in documented.items():
        types = {name: kind.lower() for name, kind, *_ in sample.execute(f"describe {table}").fetchall()}
        described = {column["name"]: column for column in columns if column.get("description")}
        problems += [f"{table}.{column} is not described" for column in types.keys() - described]
        problems += [f"{table}.{column} is not there" for column in described.keys() - types]
        # in YAML's {name: …} a comma ends a description that has no quotes
        problems += [
            f"{table}.{name} is cut off"
            for name, one in described.items()
            if not one["description"].rstrip().endswith(".")
        ]
        problems += [
            f"{table}.{name} is {types[name]}, not {column['data_type']}"
            for name, column in described.items()
            if name in types and column.get("data_type")
            if types[name] != FULL_TYPES.get(column["data_type"], column["data_type"])
        ]
    assert sorted(problems) == []


def test_every_mart_has_an_enforced_contract(product: Product) -> None:
    """Reports and exports break when a column is renamed; the contract says so first."""
    marts = [model for model in product.models.values() if model["schema"] == "marts"]
    assert marts
    assert [mart["name"] for mart in marts if not mart["config"]["contract"]["enforced"]] == []
    untyped = [
        f"{mart['name']}.{name}" for mart in marts for name in mart["columns"] if not mart["columns"][name]["data_type"]
    ]
    assert untyped == []


def test_every_model_has_a_yaml_of_its_own(product: Product) -> None:
    """So that a model and all that is said and tested of it are found side by side."""
    for model in product.models.values():
        assert model["patch_path"] == f"studyflow://{Path(model['original_file_path']).with_suffix('.yml').as_posix()}"


def test_every_column_of_a_seed_has_a_type(product: Product) -> None:
    """On an empty warehouse, seeds are read from their files with these columns, and only these."""
    for seed in product.seeds:
        with (PROJECT / seed["original_file_path"]).open(encoding="utf-8-sig", newline="") as lines:
            assert next(csv.reader(lines)) == list(seed["config"]["column_types"]), seed["name"]


def test_every_macro_says_what_it_gives_and_takes() -> None:
    """Implementations for one engine are described by the macro that dispatches to them."""
    described = {
        macro["name"].removeprefix("test_"): [argument["name"] for argument in macro.get("arguments", [])]
        for macro in yaml.safe_load((PROJECT / "macros" / "macros.yml").read_text(encoding="utf-8"))["macros"]
        if macro["description"]
    }
    defined = {
        name: re.findall(r"(\w+)(?: *=[^,]+)?", arguments)
        for folder in ("macros", "tests/dbt", "tests/dbt_macros")
        for path in (PROJECT / folder).rglob("*.sql")
        for name, arguments in re.findall(r"{%-? (?:macro|test) (\w+)\((.*?)\)", path.read_text(encoding="utf-8"))
        if "__" not in name
    }
    assert described == defined


def test_models_are_small() -> None:
    """One model, one thing: what does not fit in the head is split."""
    lengths = {
        path: len(text.splitlines())
        for path, text in SQL_FILES.items()
        if path.parts[0] == "models" and path.stem not in ALGORITHMS
    }
    assert {path: length for path, length in lengths.items() if length > LONGEST_MODEL} == {}


def test_models_are_few() -> None:
    """Every model costs dbt a tenth of a second, and a reader a file: one that only one other reads belongs into that."""
    assert len([path for path in SQL_FILES if path.parts[0] == "models"]) <= MOST_MODELS


def test_models_read_from_layers_below(product: Product) -> None:
    """Who reads from core to marts meets every model after those that it is made of. Dependencies stand in the models."""
    layer = {unique_id: model["fqn"][1] for unique_id, model in product.models.items()}
    upwards = [
        f"{model['name']} reads {needed}"
        for unique_id, model in product.models.items()
        for needed in model["depends_on"]["nodes"]
        if needed in layer and layer[needed] not in LAYERS[layer[unique_id]]
    ]
    assert upwards == []
    behind_dbts_back = [
        path for path, text in SQL_FILES.items() if path.parts[0] == "models" and "api.Relation" in text
    ]
    assert behind_dbts_back == []


def test_no_model_reads_the_clock() -> None:
    """Yesterday's report can be made again today only when every model asks as_of()."""
    clock = re.compile(
        r"\b(current_(date|time|timestamp)|localtime(stamp)?|(now|today|getdate|get_current_\w+)\s*\()", re.IGNORECASE
    )
    assert [path for path, text in SQL_FILES.items() if clock.search(_without_comments(text))] == []


def test_no_model_names_what_the_reference_tables_name() -> None:
    """Users edit those tables to match their workspace; a name that stands in SQL too would go on meaning the old thing.

    Series and keys of stages are names of our own, by which columns are called, so SQL may name them.
    """
    reference_values = (
        _cells("participant_statuses.csv", "status", "stage", "funnel_step", "incentive_effect", "incentive_status")
        | _cells("stages.csv", "stage")
        | _cells("funnel_steps.csv", "step")
        | _cells("incentive_effects.csv", "incentive_effect", "backlog_state", "incentive_status")
    )
    own_values = _cells("participant_statuses.csv", "dashboard_series") | _cells("stages.csv", "stage_key")
    found = [
        f"{path}: '{literal}'"
        for path, text in SQL_FILES.items()
        for literal in re.findall(r"'([^'\n]*)'", _without_comments(text))
        if literal in reference_values - own_values
    ]
    assert found == []


def _cells(file: str, *columns: str) -> set[str]:
    with (REFERENCE / file).open(encoding="utf-8", newline="") as lines:
        return {row[column] for row in csv.DictReader(lines) for column in columns} - {""}


def _without_comments(sql: str) -> str:
    return re.sub(r"\{#.*?#\}|--[^\n]*", "", sql, flags=re.DOTALL)
