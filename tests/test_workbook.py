"""The workbook of `studyflow export --xlsx`, read back: what a cell says, and what a spreadsheet will make of it."""

import csv
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest
import yaml  # type: ignore[import-untyped]
from ask_warehouse import HOSTILE, make
from export_builds import begin, build, load
from export_warehouse import FORMULA, PEOPLE, PSEUDONYMS, contents, person, warehouse
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.worksheet.worksheet import Worksheet
from product import Product

from pipelines.export import ExportOptions, export, workbook
from pipelines.export.lists import LISTS
from pipelines.export.sheet import PERCENT
from pipelines.export.workbook import WORKBOOK
from pipelines.settings import PROJECT
from pipelines.warehouse import connect

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection as Connection
else:
    Connection = object

OWED = ("2026-07-11T09:00:00.000Z", "2026-07-09T09:00:00.000Z", "2026-07-30T09:00:00.000Z")
ESTIMATES = {
    *("still_missing", "expected", "completed", "variance", "completed_per_week_2w", "completed_per_week_6w"),
    *(f"{bound}_{percent}" for bound in ("low", "high") for percent in (50, 80, 95)),
}
"""Numbers of people that are estimates, and have decimals for it."""
STAGES = ["not_started", "invited", "screening", "in_progress", "pending_incentive", "done", "cancelled"]


@pytest.fixture(scope="module")
def full(product: Product, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """A warehouse with every mart, described as dbt describes them."""
    with connect(make(product, tmp_path_factory.mktemp("workbook"))) as connection:
        connection.execute("comment on table marts.people is 'One row per person in any study.'")
        connection.execute("comment on column marts.people.person_id is 'The person.'")
        connection.execute("update marts.people set person_name = 'Ada Lovelace' where person_id = 'person-2'")
        yield connection


def sheets(folder: Path) -> dict[str, Worksheet]:
    """The sheets of the workbook in a folder, formulas as formulas."""
    return {page.title: page for page in openpyxl.load_workbook(folder / WORKBOOK).worksheets}


def rows(page: Worksheet) -> list[tuple[Any, ...]]:
    """The cells below the header."""
    return list(page.iter_rows(min_row=2, values_only=True))


def own_columns(connection: Connection, mart: str) -> set[str]:
    """The columns that a mart has itself: sheets also have the name of a study beside its id."""
    return {str(name) for name, *_ in connection.execute(f"describe marts.{mart}").fetchall()}


def alike(value: object) -> object:
    """What a spreadsheet keeps of a value: fifteen digits, times to about a millisecond and in no zone."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=None, microsecond=0)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001
    if isinstance(value, int | float) and not isinstance(value, bool):
        return round(float(value), 12)
    return value.replace("\x1b", "\\x1b") if isinstance(value, str) else value


def test_every_stage_table_and_mart_is_a_sheet_with_the_values_and_types_of_the_mart(
    full: Connection, tmp_path: Path
) -> None:
    export(full, tmp_path, ExportOptions(workbook=True))
    pages = sheets(tmp_path)
    marts = [
        name
        for (name,) in full.execute("select table_name from duckdb_tables() where schema_name = 'marts'").fetchall()
    ]
    assert list(pages) == ["About", *STAGES, "participants", *sorted({*marts} - {"participants"}), "Columns"]
    for mart in marts:
        names = [cell.value for cell in pages[mart][1]]
        columns = ", ".join(f'"{name}"' for name in names)
        named = f"marts.{mart}"
        if "study_name" in names:
            exclude = "exclude (study_name)" if "study_name" in own_columns(full, mart) else ""
            named = (
                f"(select mine.*, studies.study_name from (select * {exclude} from marts.{mart}) as mine "
                "left join marts.study_progress as studies using (study_id))"
            )
        found = full.execute(f"select {columns} from {named}").fetchall()
        wanted = [tuple(map(alike, row)) for row in found]
        cells = [tuple(map(alike, row)) for row in rows(pages[mart])]
        assert sorted(cells, key=str) == sorted(wanted, key=str), mart
    for stage in STAGES:
        with (tmp_path / f"{stage}.csv").open(encoding="utf-8", newline="") as file:
            assert pages[stage].max_row == len(list(csv.reader(file)))


def test_headers_are_frozen_and_filtered_and_columns_as_wide_as_what_they_hold(
    full: Connection, tmp_path: Path
) -> None:
    export(full, tmp_path, ExportOptions(workbook=True))
    pages = sheets(tmp_path)
    for name in pages.keys() - {"About"}:
        page = pages[name]
        assert page.freeze_panes == "A2"
        assert page.auto_filter.ref == page.dimensions
        assert all(cell.font.bold for cell in page[1])
    funnel = pages["study_funnel"]
    assert [cell.value for cell in funnel["D"]][1:3] == [1, 2], "steps in their order"
    formats = {cell.value: funnel.cell(3, cell.column).number_format for cell in funnel[1]}
    assert formats["conversion_from_previous"] == "0.0%"
    assert formats["median_hours_from_previous"] == "#,##0.0"
    assert formats["reached"] == "#,##0"
    width = pages["participants"].column_dimensions["C"].width
    assert width == pytest.approx(len("participant_id") + 3, abs=1)


def test_times_are_times_and_truth_is_truth(tmp_path: Path) -> None:
    with warehouse() as connection:
        export(connection, tmp_path, ExportOptions(workbook=True))
    page = sheets(tmp_path)["participants"]
    by_name = {cell.value: page.cell(2, cell.column) for cell in page[1]}
    assert by_name["status_since"].is_date
    assert by_name["status_since"].number_format == "yyyy-mm-dd hh:mm"
    assert by_name["is_terminal"].value is False
    assert by_name["incentive_status"].value is None


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (FORMULA, FORMULA),
        ("=1+1", "=1+1"),
        ("+1", "+1"),
        ("-1", "-1"),
        ("@sum(1)", "@sum(1)"),
        ("0012", "0012"),
        ("1e5", "1e5"),
        ("2026-01-02", "2026-01-02"),
        ("https://example.org", "https://example.org"),
        ("{=1}", "{=1}"),
        ("<b>&amp;", "<b>&amp;"),
        (" blanks ", " blanks "),
        ("a\x00b\x1bc\uffff", "a\\x00b\\x1bc\\uffff"),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("x" * 40_000, "x" * 32_766 + "…"),
    ],
)
def test_text_stays_text(text: str, shown: str, tmp_path: Path) -> None:
    """Nothing is run, counted, linked or lost; what XML cannot hold is written as people write it."""
    with warehouse([person(text, "st-1", "INVITE_SENT")]) as connection:
        export(connection, tmp_path, ExportOptions(workbook=True))
    cell = sheets(tmp_path)["invited"]["B2"]
    assert (cell.value, cell.data_type, cell.number_format, cell.hyperlink) == (shown, "s", "@", None)
    assert bool(cell.quotePrefix) == shown.startswith(tuple("=+-@")), "so that it stays text when somebody edits it"


def test_times_that_a_spreadsheet_cannot_count_are_text(tmp_path: Path) -> None:
    """Before 1900-03-01 its calendar is wrong."""
    old = datetime(1850, 1, 1, tzinfo=UTC)
    with warehouse([person("p", "st-1", "INVITE_SENT", first_seen_at=old)]) as connection:
        export(connection, tmp_path, ExportOptions(workbook=True))
    assert sheets(tmp_path)["invited"]["I2"].value == old.isoformat()


def test_days_before_the_year_1_are_text(full: Connection, tmp_path: Path) -> None:
    """Python has none, but it was still the day before in New York when Go's clock began."""
    full.begin()
    full.execute("update marts.activity_daily set day = date '0001-12-31 (BC)'")
    export(full, tmp_path, ExportOptions(workbook=True))
    full.rollback()
    assert {str(day) for day, *_ in rows(sheets(tmp_path)["activity_daily"])} == {"0001-12-31 (BC)"}


def test_the_first_sheet_says_what_the_others_are(full: Connection, tmp_path: Path) -> None:
    export(full, tmp_path, ExportOptions(workbook=True))
    pages = sheets(tmp_path)
    about = list(pages["About"].iter_rows(values_only=True))
    assert about[:7] == [
        ("The tables of studyflow, as of 2026-07-31 12:00 UTC.", None, None),
        ("Times are in UTC. An empty cell means that there is no value, or that it is unknown.", None, None),
        ("The last sheet, Columns, describes every column.", None, None),
        (None, None, None),
        ("sheet", "rows", "what it is"),
        ("not_started", 1, "The participants who are in stage Not Started now."),
        ("invited", 11, "The participants who are in stage Invited now."),
    ]
    assert ("people", 36, "One row per person in any study.") in about
    links = [cell.hyperlink.location for (cell,) in pages["About"].iter_rows(min_row=6, max_col=1) if cell.hyperlink]
    assert links == [f"'{name}'!A1" for name in [*pages][1:-1]]
    assert ("people", "person_id", "The person.") in rows(pages["Columns"])


def test_the_same_marts_are_the_same_bytes_and_nothing_is_left_beside_them(full: Connection, tmp_path: Path) -> None:
    """Whenever it is written. What stands in the folder is what the manifest says."""
    export(full, tmp_path / "one", ExportOptions(workbook=True))
    export(full, tmp_path / "two", ExportOptions(workbook=True))
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert {path.name for path in (tmp_path / "one").iterdir() if not path.name.startswith(".")} == {
        *(f"{table}.csv" for table in [*STAGES, "participants", *LISTS]),
        WORKBOOK,
    }


def test_a_workbook_is_written_anew_when_anything_changed_and_left_when_nothing_did(tmp_path: Path) -> None:
    """Without --xlsx it goes."""
    with warehouse([]) as connection:
        begin(connection)
        load(connection)
        build(connection, PEOPLE)
        assert export(connection, tmp_path, ExportOptions(workbook=True)).wrote == "all"
        assert export(connection, tmp_path, ExportOptions(workbook=True)).wrote == "nothing"
        load(connection)
        build(connection, [*PEOPLE, person("p-99", "st-2", "INVITE_SENT")])
        exported = export(connection, tmp_path, ExportOptions(workbook=True))
        assert exported.wrote == "all"
        assert (tmp_path / WORKBOOK) in exported.files
        assert "p-99" in [row[1] for row in rows(sheets(tmp_path)["participants"])]
        assert export(connection, tmp_path).wrote == "all"
    assert not (tmp_path / WORKBOOK).exists()


def test_with_pseudonyms_no_id_and_no_name_is_in_any_sheet(full: Connection, tmp_path: Path) -> None:
    export(full, tmp_path, ExportOptions(workbook=True, pseudonyms=PSEUDONYMS))
    ids = {"Ada Lovelace", HOSTILE.replace("\x1b", "\\x1b")}
    for column in ("participant_id", "person_id"):
        ids |= {one for (one,) in full.execute(f"select distinct {column} from marts.participants").fetchall()}
    pages = sheets(tmp_path)
    found = {str(value) for page in pages.values() for row in page.iter_rows(values_only=True) for value in row}
    assert ids & found == set()
    assert PSEUDONYMS.of("person", "person-2") in [row[0] for row in rows(pages["people"])]
    assert pages["people"].max_row == 37, "nobody is left out"
    assert any("Pseudonyms" in str(row[0]) for row in pages["About"].iter_rows(values_only=True))


@pytest.mark.parametrize("pseudonyms", [None, PSEUDONYMS])
def test_what_a_sheet_cannot_hold_is_in_a_file_beside_it_and_the_sheet_says_so(
    full: Connection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    pseudonyms: Any,  # noqa: ANN401
) -> None:
    monkeypatch.setattr(workbook, "HIGHEST_SHEET", 35)
    exported = export(full, tmp_path, ExportOptions(workbook=True, pseudonyms=pseudonyms))
    pages = sheets(tmp_path)
    assert pages["participants"]["A1"].value == (
        "These 37 rows are more than a sheet can hold. They are in participants.csv, in the same folder."
    )
    assert "marts.people.csv" in str(pages["people"]["A1"].value)
    with (tmp_path / "marts.people.csv").open(encoding="utf-8", newline="") as file:
        people = list(csv.DictReader(file, strict=True))
    assert len(people) == exported.rows[tmp_path / "marts.people.csv"] == 36
    assert ("person-2" in {row["person_id"] for row in people}) == (pseudonyms is None)
    assert ("Ada Lovelace" in {row["person_name"] for row in people}) == (pseudonyms is None)
    assert all(path.exists() for path in exported.files)


@given(st.lists(st.text(), max_size=12))
def test_names_of_sheets_are_such_as_a_spreadsheet_takes(names: list[str]) -> None:
    taken: set[str] = set()
    made = [workbook._sheet_name(name, taken) for name in names]  # noqa: SLF001
    assert len({name.lower() for name in made}) == len(made)
    assert all(0 < len(name) <= 31 and not set(name) & set("[]:*?/\\'") for name in made)


def test_every_number_with_decimals_is_a_share_a_time_or_an_estimate() -> None:
    """A new one has to be decided: a share that is shown as 0.4 reads as two fifths of an hour."""
    unclear = [
        f"{model['name']}.{column['name']}"
        for file in (PROJECT / "models" / "marts").glob("*.yml")
        for model in yaml.safe_load(file.read_text(encoding="utf-8"))["models"]
        for column in model["columns"]
        if column["data_type"] == "double"
        if not PERCENT.fullmatch(column["name"]) and not {"hours", "days", "times"} & set(column["name"].split("_"))
        if column["name"] not in ESTIMATES
    ]
    assert unclear == []


def test_lists_to_work_from_are_files_and_sheets_with_names_of_studies(full: Connection, tmp_path: Path) -> None:
    """Whom to pay, in order, as programs read it and as a spreadsheet does; the ids are pseudonyms where others are."""
    export(full, tmp_path / "plain", ExportOptions(parquet=True, workbook=True))
    export(full, tmp_path / "excel", ExportOptions(excel=True))
    export(full, tmp_path / "hidden", ExportOptions(pseudonyms=PSEUDONYMS))
    with (tmp_path / "plain" / "to_pay.csv").open(encoding="utf-8", newline="") as file:
        plain = list(csv.DictReader(file))
    columns = ("place", "study_name", "participant_id", "amount_cents", "days_waiting", "action", "owed_since")
    assert [tuple(row[name] for name in columns) for row in plain] == [
        ("1", "Onboarding, week 1", "p-gap", "5000", "20", "send the incentive (no table in Rally shows it)", OWED[0]),
        ("2", "Onboarding, week 1", "p-2", "5000", "22", "send the incentive", OWED[1]),
        ("3", "Onboarding, week 2", "p-5", "", "1", "reopen the study, then send the incentive", OWED[2]),
    ]
    content = (tmp_path / "excel" / "to_pay.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbfplace,study_name,")
    excel = list(csv.DictReader(content.decode("utf-8-sig").splitlines()))
    assert [(row["amount"], row["owed_since"]) for row in excel] == [
        ("50.00", "2026-07-11 09:00:00"),
        ("50.00", "2026-07-09 09:00:00"),
        ("", "2026-07-30 09:00:00"),
    ]
    hidden = (tmp_path / "hidden" / "to_pay.csv").read_text(encoding="utf-8")
    assert PSEUDONYMS.of("participant", "p-gap") in hidden
    assert "p-gap" not in hidden
    names = {name: page for name, page in sheets(tmp_path / "plain").items() if name.startswith("to_")}
    assert names.keys() == {"to_pay", "to_remind", "to_nudge"}
    assert [row[3] for row in rows(names["to_pay"])] == ["p-gap", "p-2", "p-5"]
    for name in ("participants.csv", "may_be_invited.csv", "to_remind.parquet"):
        assert (tmp_path / "plain" / name).exists()
    assert "study_id,study_name," in (tmp_path / "plain" / "participants.csv").read_text(encoding="utf-8")
