"""Who finished in a survey tool, against what Rally says: each id once, none lost, in words that help to mend it."""

import csv
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest
from oracle.lines import Delivery
from product import Product
from strategies import START

from pipelines.errors import StudyflowError
from pipelines.reconcile import Reconciliation, reconcile
from pipelines.warehouse import connect

TABLES = ("participants", "study_progress", "stg_people", "built_as_of")
STUDIES = [{"study_id": "survey", "study_name": "Churn survey"}, {"study_id": "diary", "study_name": "Diary of churn"}]
PEOPLE = [
    {"person_id": "q-started", "email": "ada@example.com"},
    {"person_id": "q-completed", "email": "grace@example.com"},
    {"person_id": "q-booked", "email": "elsewhere@example.com"},
]
COLUMNS = ["outcome", "id", "participant_id", "person_id", "current_status", "move_to", "note"]


def journey(participant: str, study: str, *statuses: str) -> list[Delivery]:
    """The changes of a participant, a day apart. Their person has the same name with another letter."""
    priors = [None, *statuses]
    person = participant.replace("p-", "q-")
    return [
        Delivery(participant, person, study, status, prior, START + timedelta(days=day))
        for day, (prior, status) in enumerate(zip(priors, statuses, strict=False))
    ]


HISTORIES = [
    *journey("p-started", "survey", "INVITE_SENT", "SURVEY_STARTED"),
    *journey("p-invited", "survey", "INVITE_SENT"),
    *journey("p-completed", "survey", "SURVEY_STARTED", "SURVEY_COMPLETED"),
    *journey("p-opted-out", "survey", "SURVEY_STARTED", "SURVEY_COMPLETED", "OPTED_OUT"),
    *journey("p-skipped", "survey", "SURVEY_STARTED", "INCENTIVE_SKIPPED"),
    *journey("p-moved-back", "survey", "SURVEY_STARTED", "SURVEY_COMPLETED", "SURVEY_STARTED"),
    *journey("p-cancelled", "survey", "SURVEY_STARTED", "CANCELLED"),
    *journey("p-both", "diary", "INTERVIEW_SCHEDULED", "INTERVIEW_COMPLETED", "SURVEY_STARTED"),
    *journey("p-interviewed", "diary", "INTERVIEW_SCHEDULED", "INTERVIEW_COMPLETED"),
    *journey("p-tested", "test", "UNMODERATED_TEST_INVITE_SENT", "UNMODERATED_TEST_STARTED"),
    *journey("p-screening", "interview", "INVITE_SENT", "SCREENER_STARTED"),
    *journey("p-screened", "interview", "SCREENER_STARTED", "SCREENER_DISQUALIFIED", "CANCELLED"),
    *journey("p-booked", "interview", "INTERVIEW_INVITE_SENT", "INTERVIEW_SCHEDULED"),
]


@pytest.fixture
def warehouse(product: Product) -> Iterator[duckdb.DuckDBPyConnection]:
    with product.warehouse(HISTORIES, *TABLES, optional={"stg_studies": STUDIES, "stg_people": PEOPLE}) as connection:
        yield connection


def listed(folder: Path, text: str) -> Path:
    """A list of who finished."""
    file = folder / "completed.csv"
    file.write_text(text, encoding="utf-8")
    return file


def outcomes(result: Reconciliation) -> list[tuple[str, str, str | None]]:
    """What is said of each id, and what to move it to."""
    return [(row["outcome"], row["id"], row["move_to"]) for row in result.rows]


def found(warehouse: duckdb.DuckDBPyConnection, folder: Path, study: str, ids: Sequence[str]) -> Reconciliation:
    """What comes of a list of these ids."""
    return reconcile(warehouse, study, listed(folder, "participant_id\n" + "\n".join(ids) + "\n"))


def test_everyone_is_told_apart(warehouse: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """Who opted out after finishing has finished, who was skipped has been settled, who was moved back has not finished.

    Who was cancelled although they finished is shown too: a person decides.
    """
    ids = [
        "p-completed",
        "p-started",
        "p-nobody",
        "p-invited",
        "p-opted-out",
        "p-skipped",
        "p-moved-back",
        "p-cancelled",
    ]
    result = found(warehouse, tmp_path, "survey", [*ids, "p-booked"])
    assert outcomes(result) == [
        ("to move", "p-started", "Survey Completed"),
        ("to move", "p-invited", "Survey Completed"),
        ("to move", "p-moved-back", "Survey Completed"),
        ("to move", "p-cancelled", "Survey Completed"),
        ("already completed", "p-completed", None),
        ("already completed", "p-opted-out", None),
        ("already completed", "p-skipped", None),
        ("unknown", "p-nobody", None),
        ("unknown", "p-booked", None),
    ]
    assert [row["note"] for row in result.of("unknown")] == [None, "is in study interview"]
    assert [row["current_status"] for row in result.of("already completed")] == [
        "Survey Completed",
        "Opted Out",
        "Incentive Skipped",
    ]


def test_what_finishing_means_depends_on_the_study(warehouse: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """A survey tool holds an interview's screener. In a study of both, an interview is no survey."""
    assert outcomes(found(warehouse, tmp_path, "interview", ["p-screening", "p-screened", "p-booked"])) == [
        ("to move", "p-screening", "Screener Completed"),
        ("already completed", "p-screened", None),
        ("already completed", "p-booked", None),
    ]
    assert outcomes(found(warehouse, tmp_path, "diary", ["p-both", "p-interviewed"])) == [
        ("to move", "p-both", "Survey Completed"),
        ("to move", "p-interviewed", "Survey Completed"),
    ]
    assert outcomes(found(warehouse, tmp_path, "test", ["p-tested"])) == [("to move", "p-tested", "Test Completed")]


@pytest.mark.parametrize(
    "text",
    [
        "participant_id\np-started\np-completed\n",
        "Finished at,participantId\n2026-07-01,p-started\n2026-07-02,p-completed\n",
        'personId,Answer\nq-started,"One,\ntwo"\nq-completed,\n',
        '\ufeff"Person ID";Answer\r\n"q-started";"a, b"\r\nq-completed;c\r\n',
        "person_id\tparticipant_id\nq-started\t\nq-completed\tp-completed\n",
        "p-started\n\n  p-completed  ",
        "id\nq-started\nq-completed\n",
        "E-mail,person_id\nADA@example.com,\ngrace@example.com,q-completed\n",
        "Email address;Answer\n Ada@Example.com ;a\ngrace@example.com;b\n",
        "ada@example.com\ngrace@example.com\n",
    ],
)
def test_ids_are_found_wherever_they_stand(warehouse: duckdb.DuckDBPyConnection, tmp_path: Path, text: str) -> None:
    """Survey tools export what they like: other columns, other separators, long answers, a mark at the start, no header."""
    result = reconcile(warehouse, "survey", listed(tmp_path, text))
    assert [(row["outcome"], row["participant_id"]) for row in result.rows] == [
        ("to move", "p-started"),
        ("already completed", "p-completed"),
    ]


def test_an_address_that_nobody_has_is_told_from_one_of_another_study(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """The one is a matter of people.csv, the other of the wrong list."""
    addresses = "email\nnobody@example.com\nelsewhere@example.com\n"
    result = reconcile(warehouse, "survey", listed(tmp_path, addresses))
    assert [(row["outcome"], row["note"]) for row in result.rows] == [
        ("unknown", "people.csv has no such address"),
        ("unknown", "is in study interview"),
    ]


@pytest.mark.parametrize("study", ["survey", "Churn survey", "churn"])
def test_a_study_goes_by_its_id_or_name(warehouse: duckdb.DuckDBPyConnection, tmp_path: Path, study: str) -> None:
    result = reconcile(warehouse, study, listed(tmp_path, "p-booked\np-both\n"))
    assert (result.study_id, result.study_name) == ("survey", "Churn survey")
    assert [row["note"] for row in result.rows] == ["is in study interview", "is in study Diary of churn"]


def test_who_is_listed_twice_is_shown_once(warehouse: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    result = found(warehouse, tmp_path, "survey", ["p-started", "p-nobody", "p-started", "p-nobody", "p-started"])
    assert [row["id"] for row in result.rows] == ["p-started", "p-nobody"]
    assert result.repeated == 3


def test_an_address_in_another_case_is_the_same(warehouse: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """People write their address as they like; two rows would be two people to move."""
    result = reconcile(warehouse, "survey", listed(tmp_path, "email\nAda@Example.com\nada@example.com\n"))
    assert [(row["id"], row["participant_id"]) for row in result.rows] == [("Ada@Example.com", "p-started")]
    assert result.repeated == 1


def test_a_person_who_is_in_the_study_twice_is_shown_twice(product: Product, tmp_path: Path) -> None:
    """Both places in the study are theirs; Rally has to be told which."""
    once, again = journey("p-1", "s", "SURVEY_STARTED"), journey("p-2", "s", "SURVEY_STARTED", "SURVEY_COMPLETED")
    same_person = [
        Delivery(one.participant_id, "q", "s", one.status, one.prior_status, one.updated_at) for one in again
    ]
    with product.warehouse([*once, *same_person], *TABLES) as warehouse:
        result = reconcile(warehouse, "s", listed(tmp_path, "person_id\nq\nq-1\n"))
    assert [(row["outcome"], row["id"], row["participant_id"]) for row in result.rows] == [
        ("to move", "q-1", "p-1"),
        ("already completed", "q", "p-2"),
    ]


def test_the_file_has_all_of_it_and_runs_nothing(warehouse: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """The list comes from outside; what it says must not become a formula in the spreadsheet of who mends it."""
    out = tmp_path / "new" / "reconciled.csv"
    result = reconcile(warehouse, "survey", listed(tmp_path, "participant_id\np-started\n\"=cmd|'/c calc'!A1\"\n"), out)
    with out.open(encoding="utf-8", newline="") as lines:
        written = list(csv.reader(lines))
    assert written == [
        COLUMNS,
        ["to move", "p-started", "p-started", "q-started", "Survey Started", "Survey Completed", ""],
        ["unknown", "'=cmd|'/c calc'!A1", "", "", "", "", ""],
    ]
    assert result.out == out
    assert [path.name for path in out.parent.iterdir()] == ["reconciled.csv"]


@pytest.mark.parametrize(
    ("study", "text", "message"),
    [
        (
            "surveys",
            "participant_id\np-1\n",
            r"'surveys': no study has this id or name\. Did you mean one of these\?\n  survey  Churn survey",
        ),
        ("survey", None, r"completed\.csv: cannot be read \(No such file or directory\)"),
        ("survey", "", r"completed\.csv: has no ids"),
        ("survey", "participant_id,name\n,Ada\n", r"completed\.csv: has no ids"),
        ("survey", "mail,name\na@b.c,Ada\n", r"completed\.csv: no column with ids; found: mail, name\. Name"),
    ],
)
def test_what_cannot_be_done_says_why(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path, study: str, text: str | None, message: str
) -> None:
    file = tmp_path / "completed.csv" if text is None else listed(tmp_path, text)
    with pytest.raises(StudyflowError, match=message):
        reconcile(warehouse, study, file)


def test_a_list_in_another_encoding_says_so(warehouse: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    (tmp_path / "completed.csv").write_bytes("participant_id\nJosé\n".encode("latin-1"))
    with pytest.raises(StudyflowError, match="is not in UTF-8"):
        reconcile(warehouse, "survey", tmp_path / "completed.csv")


def test_a_place_that_cannot_be_written_says_so(warehouse: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    with pytest.raises(StudyflowError, match=r"completed\.csv.out: cannot be written"):
        reconcile(warehouse, "survey", file := listed(tmp_path, "p-1\n"), file / "out")


def test_without_tables_it_says_how_to_build_them(tmp_path: Path) -> None:
    with connect(tmp_path / "w.duckdb") as connection, pytest.raises(StudyflowError, match="studyflow build"):
        reconcile(connection, "survey", tmp_path / "completed.csv")


def test_a_warehouse_that_may_only_be_read_is_enough(product: Product, tmp_path: Path) -> None:
    """It changes nothing, so it must not need to."""
    with connect(tmp_path / "w.duckdb") as connection:
        product.prepare(connection)
        product.build(connection, *TABLES)
        connection.execute("insert into marts.study_progress by name select 's' as study_id")
        connection.execute(
            "insert into marts.participants by name select 'p' as participant_id, 'q' as person_id, "
            "'s' as study_id, 'survey' as study_type, 'SURVEY_STARTED' as current_status, 'Survey Started' as "
            "current_status_label, 'activity_started' as furthest_step"
        )
    with connect(tmp_path / "w.duckdb", read_only=True) as connection:
        result = reconcile(connection, "s", listed(tmp_path, "q\n"))
    assert outcomes(result) == [("to move", "q", "Survey Completed")]
