"""Names of files and folders in an export: made of ids, safe on every system, each of one study."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
from export_warehouse import person, warehouse
from hypothesis import given
from hypothesis import strategies as st

from pipelines.export import ExportOptions, export
from pipelines.export.names import LONGEST, distinct_names

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection as Connection
else:
    Connection = object  # hypothesis keeps annotations until the very end, when DuckDB complains of classes still held


AWKWARD = [
    "../../etc",
    "..",
    ".",
    "/etc",
    "a/b",
    "a\\b",
    "CON",
    "con.txt",
    "Com1",
    "nul",
    "",
    " ",
    "a.",
    "a",
    "A",
    "a ",
    "é",
]
AWKWARD += ["e\u0301", "-rf", "x" * 300, "x" * 299, "participants.csv", "PARTICIPANTS.CSV", ".studyflow-export.json"]
AWKWARD += ["~", "$HOME", "*", "a\0b", "a\nb", "C:\\x", "done", "\u202egnp", "😀"]


def test_every_study_has_a_folder_of_its_own_inside_the_export(tmp_path: Path) -> None:
    """Ids come from outside. None may lead out of the folder, onto a device, or into the folder of another."""
    people = [person(f"p{n}", study, "INVITE_SENT") for n, study in enumerate(AWKWARD)]
    with warehouse(people) as connection:
        exported = export(connection, tmp_path / "deep" / "exports", ExportOptions(by_study=True))
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["exports"]
    for path in exported.files:
        assert path.resolve().parent in {tmp_path / "deep" / "exports", path.parent}
    rows = [
        pl.read_csv(path)
        for path in exported.files
        if path.name == "participants.csv" and path.parent.name != "exports"
    ]
    assert sorted(table["participant_id"].item() for table in rows) == sorted(f"p{n}" for n in range(len(AWKWARD)))
    assert (tmp_path / "deep" / "exports" / "done" / "invited.csv").is_file(), "a harmless id is its own name"


@given(st.lists(st.text(max_size=100) | st.text("aAbB._-/ ", max_size=4) | st.sampled_from(AWKWARD), unique=True))
def test_names_are_safe_and_distinct(ids: list[str]) -> None:
    """On Windows and macOS too, where case does not count, devices have names, and final dots vanish."""
    names = distinct_names(ids, taken=["participants.csv"])
    assert list(names) == ids
    assert len({name.lower() for name in [*names.values(), "participants.csv"]}) == len(ids) + 1
    for name in names.values():
        assert re.fullmatch(r"[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_-])?", name)
        assert ".." not in name
        assert len(name) <= LONGEST + 65
        assert not re.fullmatch(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", name.lower())


def test_no_id_can_take_the_name_that_another_was_given() -> None:
    """Someone who knows how names are made cannot make two studies share a folder."""
    first = distinct_names(["a/b"])["a/b"]
    second = distinct_names([first, "a/b"])
    assert second["a/b"] == first
    third = distinct_names([first, second[first], "a/b", first.upper()])
    assert len({name.lower() for name in third.values()}) == 4
    assert distinct_names(["a", "A"]).keys() == {"a", "A"}


def test_a_plain_id_is_its_own_name() -> None:
    """People look for the folder by the id that Rally shows."""
    ids = ["cmpweppc00001hcdh6o3vcesi", "st_1.v2", "7f3c0a52-6a0e-4f0e-9a53-2f0d6f2c7c11", "Study-A"]
    assert distinct_names(ids) == {one: one for one in ids}
