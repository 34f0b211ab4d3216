"""Ids that nobody would want, through the whole pipeline as one process: all of them arrive everywhere, and do nothing there.

Each part is tested on its own with a few of them. This is for what a part hands to the next, and for ids together: many
that differ by next to nothing, each the participant, the person and the study of a line.
"""

import csv
import json
import re
import sys
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from unicodedata import normalize

import duckdb
import openpyxl
import pytest
from processes import studyflow

from pipelines.cli import main

pytestmark = [
    pytest.mark.usefixtures("parsed_project"),
    pytest.mark.slow(
        reason="a whole run with 150 studies of one participant; each part has a few of these ids in its own tests"
    ),
]

OF_SHELLS_AND_PATHS = """
../../etc/passwd|..\\..\\windows\\win.ini|/etc/passwd|~|~root|.|..|...|.hidden|-rf|--help|CON|con.txt|nul|COM1|a/b|a\\b|a:b
$HOME|${PATH}|$(id)|`id`|; rm -rf /|%COMSPEC%|%s%n|*|?|[a-z]|{a,b}|file:///etc/passwd|participants|participants.csv|done
"""
OF_LANGUAGES = """
'|"|''|\\|\\'|'; drop schema raw cascade; --|") or 1=1 --|$1|?1|:name|{{ 7 * 7 }}|{% raw %}|{0}|<script>alert(1)</script>
"><img src=x onerror=alert(1)>|--> ]]> </style></title>|&lt;b&gt;|=cmd|@SUM(1)|+1|-1|=HYPERLINK("https://example.org")
[link](https://example.org)|**bold**|{"a": 1}|[1, 2]|a,b|a;b
"""
OF_NOTHING = "null|None|NULL|nan|NaN|true|False|undefined|N/A|0|-0|007|1e5|1_000|0x10|2026-03-01|infinity"
OTHERS = (
    "|",
    " ",
    "\t",
    " leading",
    "trailing ",
    "plain",
    "Plain",
    "PLAIN",
    normalize("NFC", "Zo\u00eb"),
    normalize("NFD", "Zo\u00eb"),
    "\u212bngstr\u00f6m",  # the sign, which normalises to the letter
    "\u00c5ngstr\u00f6m",
    "fi",
    "\ufb01",  # the ligature
    "line\nbreak",
    "carriage\r\nreturn",
    "\rreturn",
    "nul\0inside",
    "\0",
    "\x1b[2J\x1b]0;title\x07",
    "\x7f\x08\x08\x08",
    "\u202eright to left\u202c",
    "\u0645\u0631\u062d\u0628\u0627",
    "\u65e5\u672c\u8a9e",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "\U0001f600",
    "\u200b",
    "\ufeffmark",
    "\u00a0",
    "\u2028",
    "\x85",
    "\ufffd",
    "\uffff",
    "e" + "\u0301" * 50,
    "\uff1dcmd",  # an equals sign of full width
    "x" * 100_000,
    "x" * 100_000 + "y",
)
IDS = [
    *(one for said in (OF_SHELLS_AND_PATHS, OF_LANGUAGES, OF_NOTHING) for one in re.split(r"[|\n]", said) if one),
    *OTHERS,
]
AS_OF = datetime(2026, 4, 1, tzinfo=UTC)
# What a terminal or a browser would act on.
ACTED_ON = re.compile("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e]")


class Elements(HTMLParser):
    """What a page is made of, as a browser sees it."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element and its attributes."""
        self.names.add(tag)
        self.attributes.update(name for name, _ in attrs)


def lines() -> list[str]:
    """Two webhooks for each id: who is invited, then has completed a survey, and is owed for it."""
    moves = ((None, "INVITE_SENT", timedelta(days=3)), ("INVITE_SENT", "SURVEY_COMPLETED", timedelta(days=2)))
    return [
        json.dumps(
            {
                "_eventType": "participant.status_changed",
                "participantId": one,
                "personId": one,
                "studyId": one,
                "status": status,
                "priorStatus": prior,
                "updatedAt": (AS_OF - before).isoformat(),
            }
        )
        for one in IDS
        for prior, status, before in moves
    ]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which `studyflow run` did all it can."""
    folder = tmp_path_factory.mktemp("ids")
    (folder / "raw.jsonl").write_text("\n".join(lines()) + "\n", encoding="utf-8")
    done = studyflow(
        *("run", "--raw", folder / "raw.jsonl", "--database", folder / "w.duckdb", "--as-of", AS_OF.isoformat()),
        *(
            "--exports",
            folder / "out",
            "--by-study",
            "--parquet",
            "--xlsx",
            "--report",
            "--reports",
            folder / "reports",
        ),
        DBT_TARGET_PATH=str(folder / "dbt"),
        DBT_LOG_PATH=str(folder / "dbt"),
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert not ACTED_ON.search(done.stdout)
    return folder


def test_they_are_all_different() -> None:
    assert len(set(IDS)) == len(IDS) > 100


def test_all_of_them_are_in_the_tables(ran: Path) -> None:
    with duckdb.connect(ran / "w.duckdb", read_only=True) as connection:
        found = connection.execute("select participant_id, person_id, study_id from marts.participants").fetchall()
        people = connection.execute("select person_id from marts.people").fetchall()
        studies = connection.execute("select study_id from marts.study_progress where completed = 1").fetchall()
        owed = connection.execute("select participant_id from marts.incentive_backlog").fetchall()
    assert sorted(found) == sorted((one, one, one) for one in IDS)
    assert [sorted(one for (one,) in table) for table in (people, studies, owed)] == [sorted(IDS)] * 3


def test_nothing_is_written_but_where_it_was_asked_for(ran: Path) -> None:
    assert sorted(path.name for path in ran.iterdir()) == ["dbt", "out", "raw.jsonl", "reports", "w.duckdb"]
    reports = {path.name for path in (ran / "reports").iterdir() if not path.name.startswith(".")}
    assert reports == {"index.html", "studyflow-2026-04-01.html", "studyflow-2026-04-01.md"}
    assert not any(path.is_symlink() for path in ran.rglob("*"))


def test_each_study_has_a_folder_with_its_participant(ran: Path) -> None:
    """Also where names of files do not tell upper from lower case, or one form of a letter from another."""
    folders = [path for path in (ran / "out").rglob("*") if path.is_dir() and (path / "participants.csv").exists()]
    assert len(folders) == len(IDS)
    assert len({normalize("NFKC", path.name).lower() for path in folders}) == len(IDS)
    assert {path.parent for path in folders} == {folders[0].parent}
    held = [rows for path in folders for rows in table(path / "participants.csv")]
    assert sorted(without_quotes(row["study_id"]) for row in held) == sorted(map(without_quotes, IDS))


def test_csv_and_parquet_have_all_of_them(ran: Path) -> None:
    for name in ("participants", "pending_incentive"):
        rows = table(ran / "out" / f"{name}.csv")
        for column in ("participant_id", "person_id", "study_id"):
            assert sorted(without_quotes(row[column]) for row in rows) == sorted(map(without_quotes, IDS)), (
                name,
                column,
            )
        read = "select participant_id, person_id, study_id from read_parquet(?)"
        found = duckdb.execute(read, [str(ran / "out" / f"{name}.parquet")]).fetchall()
        assert sorted(found) == sorted((one, one, one) for one in IDS), name


def test_the_workbook_has_all_of_them_as_text(ran: Path) -> None:
    book = openpyxl.load_workbook(ran / "out" / "studyflow.xlsx")
    for name in ("participants", "people", "incentive_backlog", "study_progress"):
        cells = [row[0] for row in book[name].iter_rows(min_row=2)]
        assert sorted(str(one.value) for one in cells) == sorted(map(shown, IDS)), name
        assert {one.data_type for one in cells} == {"s"}
        assert not any(one.hyperlink for one in cells)


def test_the_report_acts_on_none_of_them(ran: Path) -> None:
    for path in (ran / "reports").glob("*.html"):
        page = path.read_text(encoding="utf-8")
        made = Elements()
        made.feed(page)
        assert {"html", "body", "table"} <= made.names or path.name == "index.html"
        assert not made.names & {"script", "img", "iframe", "b"}
        assert not [name for name in made.attributes if name.startswith("on")]
        assert not ACTED_ON.search(re.sub(r"<pre.*?</pre>", "", page, flags=re.DOTALL))
    markdown = (ran / "reports" / "studyflow-2026-04-01.md").read_text(encoding="utf-8")
    assert "\x1b" not in markdown


@pytest.mark.parametrize("form", ["--table", "--json"])
@pytest.mark.parametrize("command", ["who", "funnel"])
def test_they_can_be_asked_for(
    ran: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str, form: str
) -> None:
    """Some of them, in this process. An id that begins like an option comes after `--`."""
    for one in [one for one in IDS if "\0" not in one][::25]:  # no argument of a process has a NUL
        monkeypatch.setattr(sys, "argv", ["studyflow", command, form, "--database", str(ran / "w.duckdb"), "--", one])
        with pytest.raises(SystemExit) as end:
            main()
        said = capsys.readouterr()
        assert (end.value.code or 0, said.err) == (0, ""), one
        if form == "--json":
            assert json.dumps(one) in json.dumps(json.loads(said.out)), one
        else:
            assert not ACTED_ON.search(said.out), one


def table(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    csv.field_size_limit(1_000_000)
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def without_quotes(one: str) -> str:
    """An id without single quotes: a CSV file has more of them, before what would start a formula."""
    return one.replace("'", "")


def shown(one: str) -> str:
    """An id as a cell of the workbook has it."""
    said = one.replace("\r\n", "\n").replace("\r", "\n")
    said = re.sub("[\x00-\x08\x0b-\x1f\uffff]", lambda found: found[0].encode("unicode_escape").decode(), said)
    return said if len(said) <= 32_767 else said[:32_766] + "…"
