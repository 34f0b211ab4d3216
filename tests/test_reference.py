"""Files that a user edits: absent is fine, wrong says which file and row and why, all of it at once."""

import shutil
from pathlib import Path

import pytest

from pipelines.errors import StudyflowError
from pipelines.reference import known_statuses, read_reference_files
from pipelines.settings import REFERENCE, SAMPLE

HEADER = "study_id,study_name,study_type,incentives_enabled,incentive_cents,participation_limit,closed_on\n"


def problems(
    tmp_path: Path, *, studies: str | bytes | None = None, people: str | bytes | None = None, **tables: str
) -> list[str]:
    """What is said of files with this content, without the folder's name. Tables are added to those of the project."""
    folder = tmp_path / "reference"
    shutil.copytree(REFERENCE, folder)
    for name, added in tables.items():
        with (folder / f"{name}.csv").open("a", encoding="utf-8") as file:
            file.write(added)
    for name, content in (("studies", studies), ("people", people)):
        (tmp_path / f"{name}.csv").unlink(missing_ok=True)
        if content is not None:
            (tmp_path / f"{name}.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    try:
        read_reference_files(tmp_path / "studies.csv", tmp_path / "people.csv", folder)
    except StudyflowError as error:
        return [line.strip().replace(f"{tmp_path}/", "") for line in str(error).split("\n")[1:]]
    return []


def test_absent_files_are_fine(tmp_path: Path) -> None:
    assert problems(tmp_path) == []


def test_the_sample_and_the_tables_of_the_project_are_right() -> None:
    read_reference_files(SAMPLE / "studies.csv", SAMPLE / "no_people.csv")


@pytest.mark.parametrize(
    "content",
    [
        "study_id\n",
        "study_id\ns-1\n\ns-2\n",
        "\ufeffstudy_id,study_name\r\ns-1,\r\n",
        "\nTeam,Study_ID,study_type\nours,s-1,unknown\nours,s-2\n,,\n",
        "#,Study ID,,\n1,s-1,,\n2,s-2,,,,\r",
        HEADER + 's-1,"Two lines,\nand a comma",interview,No,0,1,2026-02-28\n',
    ],
)
def test_what_people_write_is_right(tmp_path: Path, content: str) -> None:
    """Only the first column is needed; a mark, CRLF, columns of one's own, blank lines and rows do no harm."""
    assert problems(tmp_path, studies=content) == []


def test_a_column_that_nobody_uses_is_noted(tmp_path: Path) -> None:
    """A team may have columns of its own. One that it misspelt looks the same, so it is told of them."""
    studies = tmp_path / "studies.csv"
    studies.write_text("study_id,Owner\ns-1,me\n", encoding="utf-8")
    sheets = read_reference_files(studies, tmp_path / "people.csv")
    assert sheets["studies"].notes == [f"{studies}, line 1: columns that studyflow does not use: Owner."]


def test_a_new_status_needs_its_rank(tmp_path: Path) -> None:
    """Without one its place among changes of the same instant would be a guess."""
    assert problems(tmp_path, participant_statuses="NEW,,,Done" + "," * 14 + "\n") == [
        "reference/participant_statuses.csv, line 27: has no status_rank. Write it, or remove the row."
    ]


def test_every_wrong_row_is_named_with_its_reason(tmp_path: Path) -> None:
    """A person mends a file once, not once for each mistake. Lines are those of an editor, also after long cells."""
    wrong = (
        HEADER
        + 's-1,"Two\nlines",interviews,maybe,75.00,-1,31.07.2026\n'
        + ",Nameless,survey,true,1,1,2026-02-30\n"
        + "s-1,,,,9999999999,,\n"
        + "s-2,Billing, churn,survey,true,1,1,2026-07-31\n"
    )
    choices = "interview, mixed, survey, unknown, unmoderated_test"
    assert problems(tmp_path, studies=wrong, people="person_id,contact_status\np-1,in blocklist\np-2,Blocked\n") == [
        "studies.csv, line 2: has incentives_enabled 'maybe'. Write true or false.",
        "studies.csv, line 2: has incentive_cents '75.00'. Write cents as a whole number, e.g. 7500 for 75.00.",
        "studies.csv, line 2: has participation_limit '-1'. Write a whole number.",
        "studies.csv, line 2: has closed_on '31.07.2026'. Write a day, e.g. 2026-07-31.",
        f"studies.csv, line 2: has study_type 'interviews', which is unknown. Choose one of: {choices}.",
        "studies.csv, line 4: has no study_id. Write it, or remove the row.",
        "studies.csv, line 4: has closed_on '2026-02-30'. Write a day, e.g. 2026-07-31.",
        "studies.csv, line 5: has study_id 's-1' again, as line 2. Keep one of the two.",
        "studies.csv, line 5: has incentive_cents '9999999999'. Write cents as a whole number, e.g. 7500 for 75.00.",
        "studies.csv, line 6: has 8 cells, but the header has 7. Put a cell with a comma in quotes.",
        (
            "people.csv, line 3: has contact_status 'Blocked', which is unknown. "
            "Choose one of: Do Not Contact, Free to Contact, In Blocklist, In Cooldown, Opted Out."
        ),
    ]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "studies.csv, line 1: lacks the column study_id. Columns found: none."),
        ("id,name\n", "studies.csv, line 1: lacks the column study_id. Columns found: id, name."),
        ("study_id;study_name\n", "studies.csv, line 1: lacks the column study_id. Separate the cells by commas."),
        ("study_id,study_id\n", "studies.csv, line 1: has the column study_id twice. Keep one of the two."),
        (
            "study_id,Incentive cent\n",
            (
                "studies.csv, line 1: has a column 'Incentive cent', which is unknown. Rename it to incentive_cents. "
                "If it has another meaning, choose a name that is not part of incentive_cents."
            ),
        ),
        (
            "study_id,name\n",
            (
                "studies.csv, line 1: has a column 'name', which is unknown. Rename it to study_name. "
                "If it has another meaning, choose a name that is not part of study_name."
            ),
        ),
        (b"study_id\n\xff\n", "studies.csv, line 2: is not in UTF-8. Save it as CSV in UTF-8."),
        ("study_id\ns\n".encode("utf-16"), "studies.csv, line 1: is in UTF-16. Save it as CSV in UTF-8."),
        ("study_id\ns-1\0\n", "studies.csv, line 2: has a NUL. Save it as CSV in UTF-8."),
        (
            "study_id,currency\ns,Euro\n",
            "studies.csv, line 2: has currency 'Euro'. Write a three-letter code, e.g. USD.",
        ),
        (
            'study_id,study_name\ns,"one" two\n',
            (
                "studies.csv, line 2: cannot be read as CSV (',' expected after '\"'). "
                "Put a comma after the closing quote of a cell, and write a quote inside a cell twice."
            ),
        ),
        (
            'study_id\ns-1\n"s-2\n',
            "studies.csv, line 3: cannot be read as CSV (unexpected end of data). Add the closing quote.",
        ),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path: Path, content: str | bytes, problem: str) -> None:
    assert problems(tmp_path, studies=content) == [problem]


def test_a_file_that_cannot_be_opened_says_why(tmp_path: Path) -> None:
    """A folder in its place stands for all that the system refuses; tests may run as root, who is refused nothing."""
    (tmp_path / "people.csv").mkdir()
    with pytest.raises(StudyflowError, match=r"people\.csv: cannot be read \(Is a directory\)"):
        read_reference_files(tmp_path / "studies.csv", tmp_path / "people.csv")


def test_a_long_list_is_cut(tmp_path: Path) -> None:
    found = problems(tmp_path, people="person_id\n" + "p-1\n" * 100)
    assert len(found) == 51
    assert found[-1] == "… and 49 more"


def test_rules_and_moves_name_what_is_known(tmp_path: Path) -> None:
    """A status or kind that is misspelt would never hold, and nobody would see that."""
    moves = len((REFERENCE / "expected_moves.csv").read_text(encoding="utf-8").splitlines())
    rules = len((REFERENCE / "governance_rules.csv").read_text(encoding="utf-8").splitlines())
    found = problems(
        tmp_path,
        expected_moves="surveys,INVITED,,decided\n",
        governance_rules="tests,Tests,unmoderated_test,3,,,\nafter,After,invitation,1,7,email,\n",
    )
    assert [one.partition(". ")[0] for one in found] == [
        f"reference/expected_moves.csv, line {moves + 1}: has study_type 'surveys', which is unknown",
        f"reference/expected_moves.csv, line {moves + 1}: has from_status 'INVITED', which is unknown",
        f"reference/expected_moves.csv, line {moves + 1}: has no to_status",
        f"reference/governance_rules.csv, line {rules + 1}: has no at_most or no within_days",
        f"reference/governance_rules.csv, line {rules + 2}: has cooldown_after 'email', which is unknown",
        f"reference/governance_rules.csv, line {rules + 2}: has both at_most and cooldown_after",
    ]


WRONG_TABLES = {
    "a short row": (
        "Waiting,waiting,8,false\n",
        "line 9: has 4 cells, but the header has 7. Also write the commas of blank cells.",
    ),
    "a long row": ("Waiting,waiting,8,false,false,waiting,false,\n", "line 9: has 8 cells, but the header has 7."),
    "no number": (
        "Waiting,waiting,8.0,false,false,waiting,false\n",
        "line 9: has stage_order '8.0'. Write a whole number.",
    ),
    "no order": ("Waiting,waiting,,false,false,waiting,false\n", "line 9: has no stage_order."),
    "no flag": ("Waiting,waiting,8,2026-07-31,false,waiting,false\n", "line 9: has is_terminal '2026-07-31'."),
    "a quote that stays open": ('"Waiting,waiting,8,false,false,waiting,false\n', "line 9: cannot be read as CSV"),
}


@pytest.mark.parametrize("kind", WRONG_TABLES)
def test_a_table_that_dbt_would_stop_at_or_read_otherwise_is_named(tmp_path: Path, kind: str) -> None:
    added, says = WRONG_TABLES[kind]
    [found] = problems(tmp_path, stages=added)
    assert found.startswith(f"reference/stages.csv, {says}")


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ("Stage,Stage Key,stage_order,is_terminal,is_active,export_name,awaits_incentive", []),
        (
            "stage,stage_key,stage_order,is_terminal,is_active,export_name,incentive",
            [
                "has a column 'incentive', which is unknown. Rename it to awaits_incentive.",
                "lacks the column awaits_incentive",
            ],
        ),
        (
            "stage,stage_key,stage_order,is_terminal,is_active,export_name,stage",
            ["has the column stage twice. Keep one of the two."],
        ),
        ("stage;stage_order", ["lacks the column stage. Separate the cells by commas."]),
    ],
)
def test_the_header_of_a_table_is_the_one_of_the_project(tmp_path: Path, header: str, says: list[str]) -> None:
    """Its columns are said in dbt_project.yml, so one that nobody knows could only be dropped in silence."""
    folder = tmp_path / "reference"
    shutil.copytree(REFERENCE, folder)
    _, *others = (folder / "stages.csv").read_text(encoding="utf-8").splitlines()
    (folder / "stages.csv").write_text("\r".join([header, *others]), encoding="utf-8")
    found = []
    try:
        read_reference_files(tmp_path / "studies.csv", tmp_path / "people.csv", folder)
    except StudyflowError as error:
        found = [line.strip() for line in str(error).split("\n")[1:]]
    assert len(found) == len(says)
    for one, wanted in zip(found, says, strict=True):
        assert one.startswith(f"{folder}/stages.csv, line 1: {wanted}")


def test_a_status_needs_what_the_models_ask_of_it(tmp_path: Path) -> None:
    """Without a rank, ties with it have no order; a stage that does not exist would be nobody's."""
    found = problems(tmp_path, participant_statuses="NEW,,New,Nowhere,,,,,,,,,,,,,,\n")
    assert [one.partition(". ")[0] for one in found] == [
        "reference/participant_statuses.csv, line 27: has no status_rank",
        "reference/participant_statuses.csv, line 27: has stage 'Nowhere', which is unknown",
    ]


def test_stages_may_be_renamed_but_are_known_by_their_keys(tmp_path: Path) -> None:
    """Columns like stage_done are counted by the key. Without it they would be 0, and every check would be green."""
    assert problems(tmp_path, stages="Waiting,waiting,8,false,true,on_hold,false\n") == []
    folder = tmp_path / "again"
    shutil.copytree(REFERENCE, folder)
    stages = (folder / "stages.csv").read_text(encoding="utf-8")
    (folder / "stages.csv").write_text(stages.replace("Done,done,", "Done,finished,"), encoding="utf-8")
    with pytest.raises(StudyflowError, match=r"stages\.csv: has no row with stage_key done"):
        read_reference_files(tmp_path / "studies.csv", tmp_path / "people.csv", folder)


def test_a_series_that_is_misspelt_is_named(tmp_path: Path) -> None:
    """Columns are named after some; others may be added, and are days of activity_daily."""
    added = "NEW,26,New,Invited,,,,,,,,,,{},,,,\n"
    assert problems(tmp_path, participant_statuses=added.format("reminders")) == []
    shutil.rmtree(tmp_path / "reference")
    [found] = problems(tmp_path, participant_statuses=added.format("interviews_canceled"))
    assert found.endswith(
        "has dashboard_series 'interviews_canceled'. Write interviews_cancelled, or a name that cannot be mistaken for it."
    )


def test_the_loader_asks_for_statuses_only(tmp_path: Path) -> None:
    assert len(known_statuses()) == 25
    (tmp_path / "participant_statuses.csv").write_text("status\n", encoding="utf-8")
    with pytest.raises(StudyflowError, match=r"participant_statuses\.csv: has no rows"):
        known_statuses(tmp_path)
