"""What the models see of studies.csv and people.csv is what Python read and found right, however the file was written."""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from product import Product, rows

from pipelines.dbt_plugin import register
from pipelines.errors import StudyflowError
from pipelines.reference import Types, read_reference_files
from pipelines.settings import PROJECT
from pipelines.warehouse import macros_of

Rows = list[dict[str, Any]]
STATUSES = ("Opted Out", "In Blocklist", "Do Not Contact", "In Cooldown", "Free to Contact")
TYPES: dict[str, Callable[[str], object]] = {
    "varchar": str,
    "integer": int,
    "boolean": lambda text: text == "true",
    "date": date.fromisoformat,
}


@dataclass
class Models:
    """The staging models of the optional files, over files in a folder, as a dbt command in the project makes them."""

    connection: duckdb.DuckDBPyConnection
    product: Product
    folder: Path

    def see(self, *, studies: str | None = None, people: str | None = None) -> tuple[Rows, Rows]:
        """The rows of both models, by id. Raises what the database says of a file that was refused."""
        for name, content in (("studies", studies or "study_id\n"), ("people", people or "person_id\n")):
            (self.folder / f"{name}.csv").write_text(content, encoding="utf-8", newline="")
        self.begin(*self.files)
        render = macros_of(PROJECT / "macros" / "cross_db" / "files.sql")
        for name in ("studies", "people"):
            query = render("duckdb__rows_of_file", name, self.types(name))
            self.connection.execute(f"create or replace table raw.{name}_file as {query}")
        self.product.build(self.connection, "stg_studies", "stg_people")
        found = [rows(self.connection, f"staging.stg_{name}") for name in ("studies", "people")]
        return sorted(found[0], key=lambda row: row["study_id"]), sorted(found[1], key=lambda row: row["person_id"])

    def begin(self, studies: Path, people: Path, given_vars: str = "{}") -> None:
        """What a dbt command does first."""
        before = Path.cwd()
        os.chdir(PROJECT)
        try:
            self.connection.execute(
                "select read_reference_files(?, ?, ?)", [str(studies), str(people), given_vars]
            ).fetchall()
        finally:
            os.chdir(before)

    def read(self) -> tuple[Rows, Rows]:
        """The same rows, as Python read them."""
        sheets = read_reference_files(*self.files)
        found = [
            [
                {
                    column: TYPES[kind](row.get(column)) if row.get(column) else None
                    for column, kind in self.types(name).items()
                }
                for row in sheets[name].rows
            ]
            for name in ("studies", "people")
        ]
        return sorted(found[0], key=lambda row: row["study_id"]), sorted(found[1], key=lambda row: row["person_id"])

    def types(self, name: str) -> Types:
        """The columns of a file."""
        [file] = [file for file in self.product.files if file["name"] == f"{name}_file"]
        return {column["name"]: column["data_type"] for column in file["columns"].values()}

    @property
    def files(self) -> tuple[Path, Path]:
        """Where they are."""
        return self.folder / "studies.csv", self.folder / "people.csv"


@pytest.fixture(scope="module")
def models(product: Product, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Models]:
    with duckdb.connect(config={"threads": 1}) as connection:
        register(connection)
        product.prepare(connection)
        yield Models(connection, product, tmp_path_factory.mktemp("it's a [team]*?#"))


def test_the_files_that_two_readers_read_differently(models: Models) -> None:
    """Found by reading the same files with Python and with DuckDB; the contact status and the switch were lost."""
    _, [person] = models.see(people="person_id,contact_status\npe_b,Do Not Contact\t\n")
    assert person["contact_status"] == "Do Not Contact"
    _, people = models.see(people="#,person_id,contact_status,note\n1,pe_a,Do Not Contact\n2,pe_b,In Blocklist\n")
    assert [person["contact_status"] for person in people] == ["Do Not Contact", "In Blocklist"]
    [study], _ = models.see(studies="study_id,incentives_enabled\nst_a,false\t\n")
    assert study["incentives_enabled"] is False
    studies, _ = models.see(studies="study_id\ns-0\n,\ns-1\n")
    assert [study["study_id"] for study in studies] == ["s-0", "s-1"]


def test_dbt_follows_a_setting_or_refuses_it(models: Models) -> None:
    """Also what it is given on its command line, and a file that is named and not there."""
    models.see()
    with pytest.raises(duckdb.Error, match=r"nowhere\.csv: no such file"):
        models.begin(models.folder / "nowhere.csv", models.files[1])
    for given_vars, says in (
        (
            '{"as_of": "2026-07-31"}',
            "dbt's --vars, or the environment: the var as_of is '2026-07-31'. Write nothing, or a time",
        ),
        ('{"report_timezone": "BST"}', "the var report_timezone is 'BST'. Write UTC, or a time zone by area and city"),
        ('{"colour": 1}', "has a var colour, which is unknown"),
    ):
        with pytest.raises(duckdb.Error, match=re.escape(says)):
            models.begin(*models.files, given_vars)


def test_every_column_is_typed(models: Models) -> None:
    [study], _ = models.see(
        studies=(
            "Study ID, STUDY_NAME ,study_type,incentives_enabled,incentive_type,incentive_cents,currency,"
            "participation_limit,target,target_on,closed_on\n"
            's, "Churn, ""part 2""" ,survey,Y,custom,0750,eur,5,10,2026-07-31,2026-08-31\n'.replace('" ,', '",')
        )
    )
    assert study == {
        "study_id": "s",
        "study_name": 'Churn, "part 2"',
        "study_type": "survey",
        "incentives_enabled": True,
        "incentive_type": "custom",
        "incentive_cents": 750,
        "currency": "EUR",
        "participation_limit": 5,
        "target": 10,
        "target_on": date(2026, 7, 31),
        "closed_on": date(2026, 8, 31),
    }


IDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=5).filter(
    str.strip
)
SPACE = st.sampled_from(["", " ", "  ", "\t", "\u00a0"])
LINE_END = st.sampled_from(["\n", "\r\n", "\r"])
PADDING = st.sampled_from(["", "\n", ",,,\r\n", " , \n"])


@st.composite
def written(draw: st.DrawFn) -> tuple[str, Rows]:
    """A people.csv as people and spreadsheets write it, and what it says."""
    people = draw(st.dictionaries(IDS.map(str.strip), st.tuples(IDS, st.sampled_from(["", *STATUSES])), max_size=4))
    columns = draw(st.permutations(["person_id", "person_name", "contact_status", "#", "note"]))
    names = draw(st.tuples(*(st.sampled_from([name, name.upper(), name.replace("_", " ")]) for name in columns)))
    lines = [
        [*names],
        *(
            [
                {"person_id": person, "person_name": name, "contact_status": status}.get(column, "x")
                for column in columns
            ]
            for person, (name, status) in people.items()
        ),
    ]
    text = draw(st.sampled_from(["", "\ufeff"]))
    for line in lines:
        cells = []
        for cell in line:
            must = any(mark in cell for mark in ',"\r\n') or cell.startswith("\ufeff")
            if must or draw(st.booleans()):
                cells.append(draw(st.sampled_from(["", " "])) + '"' + cell.replace('"', '""') + '"')
            else:
                cells.append(draw(SPACE) + cell + draw(SPACE))
        text += draw(PADDING) + ",".join(cells) + draw(st.sampled_from(["", ",", ",,"])) + draw(LINE_END)
    said = [
        {"person_id": person, "person_name": name.strip(), "email": None, "contact_status": status or None}
        for person, (name, status) in people.items()
    ]
    return text, sorted(said, key=lambda row: row["person_id"] or "")


@given(made=written())
def test_a_file_says_what_was_written_into_it(models: Models, made: tuple[str, Rows]) -> None:
    """Quotes, marks, white space, line ends, blank rows and columns of one's own change nothing."""
    text, said = made
    assert models.see(people=text) == ([], said)


PIECES = (
    *("study_id", "Person ID", "contact_status", "incentives_enabled", "incentive_cents", "closed_on", "name", "note"),
    *("s-1", "pe_1", "in blocklist", "Do Not Contact\t", "yes", "no ", "07", "2147483648", "2026-07-31", "2026-W31-5"),
    *(",", ",", ",", "\n", "\n", "\r\n", "\r", '"', '""', " ", "\t", ";", "#", "\ufeff", "\0", "\u2028", "\x1c", "é"),
)


@given(
    text=st.lists(st.sampled_from(PIECES), max_size=25).map("".join),
    header=st.sampled_from(["", "study_id,closed_on\n", "person_id\n"]),
)
def test_any_file_is_seen_as_it_was_read_or_named_with_its_line(models: Models, text: str, header: str) -> None:
    for studies, people in ((header + text, None), (None, header + text)):
        try:
            seen = models.see(studies=studies, people=people)
        except duckdb.Error as error:
            with pytest.raises(StudyflowError) as found:
                models.read()
            assert str(found.value) in str(error), "dbt says the same"  # noqa: PT017 - it may also be accepted
            name = models.files[0 if people is None else 1]
            for line in str(found.value).split("\n")[1:]:
                assert line.strip().startswith((f"{name}, line ", "…")), line
        else:
            assert seen == models.read()
