"""The report as those meet it who receive it: the same bytes each time, numbers that are those of the marts, no surprises."""

import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import duckdb
import pytest
import typer.main
from oracle.lines import Delivery
from oracle.trust import wilson
from product import Product
from report_warehouse import AS_OF, GOLDEN, HOSTILE, MONDAY, WEEK, finished, hostile, journey, warehouse

from pipelines.cli import app
from pipelines.report import ReportRequest, formatting, write
from pipelines.report.links import Links
from pipelines.report.questions import QUERIES, Scope, ask, read

LOADS = {"src", "srcset", "poster", "data", "action", "formaction", "background", "ping", "manifest"}


class Page(HTMLParser):
    """What a browser would make of a page, as far as these tests ask."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep a tag."""
        self.tags.append((tag, dict(attrs)))

    def values(self, attribute: str) -> list[str]:
        """What stands in an attribute, everywhere."""
        return [found[attribute] or "" for _, found in self.tags if attribute in found]


@pytest.fixture(scope="module")
def of_sample(sample: duckdb.DuckDBPyConnection, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """The report of the sample: HTML, Markdown."""
    files = write(sample, tmp_path_factory.mktemp("report")).files
    return files[0].read_text(encoding="utf-8"), files[1].read_text(encoding="utf-8")


def test_the_report_of_the_sample_is_as_it_was(of_sample: tuple[str, str]) -> None:
    """What people receive changes only on purpose: python tests/report_warehouse.py."""
    assert of_sample[1] == GOLDEN.read_text(encoding="utf-8")


def test_made_twice_it_has_the_same_bytes(
    sample: duckdb.DuckDBPyConnection, of_sample: tuple[str, str], tmp_path: Path
) -> None:
    """A scheduler that compares files must see no change where there is none; a report beside it is of the same moment."""
    for _ in range(2):
        files = write(sample, tmp_path).files
        assert tuple(file.read_text(encoding="utf-8") for file in files) == of_sample


def test_the_html_has_one_heading_for_each_thing_in_order(of_sample: tuple[str, str]) -> None:
    """What changed comes first, then who needs action, then the lists, then the studies: readers rely on it."""
    headings = re.findall(r"<(h[1-6])[^>]*>(?:<bdi>)?([^<]*)", of_sample[0])
    assert [text for rank, text in headings if rank == "h1"] == ["Research operations"]
    assert [text for rank, text in headings if rank == "h2"] == [
        *("What changed", "Needs action", "Studies that stand out", "What changed, by study"),
        *("When studies will be full", "Recruiting", "Incentives"),
        *("Stalled participants", "People contacted too often", "Missing data", "All studies", "Terms"),
    ]
    terms = headings.index(("h2", "Terms"))
    assert len([text for rank, text in headings[:terms] if rank == "h3"]) == 6
    # The terms stand below the captions of their tables: "Median" means something else in each.
    assert {"What changed", "Funnel and drop-off", "Time in stage"} <= {text for _, text in headings[terms + 1 :]}


def test_nothing_is_loaded_from_anywhere(of_sample: tuple[str, str]) -> None:
    """It opens from an email, on a train, and tells nobody that it was opened."""
    page = Page(of_sample[0])
    assert not {tag for tag, _ in page.tags} & {
        "script",
        "link",
        "img",
        "iframe",
        "object",
        "embed",
        "base",
        "form",
        "audio",
    }
    assert not LOADS & {name for _, found in page.tags for name in found}
    assert all(target.startswith("#") for target in page.values("href"))
    assert not re.search(r"url\(|@import|https?://", of_sample[0])


def test_ids_are_unique_and_links_lead_somewhere(of_sample: tuple[str, str]) -> None:
    """A definition that is jumped to must be there, and a screen reader must find the title of a picture."""
    page = Page(of_sample[0])
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    named = {f"#{one}" for one in ids}
    assert set(page.values("href")) <= named
    assert {f"#{one}" for labels in page.values("aria-labelledby") for one in labels.split()} <= named


def test_pictures_are_drawings_with_text(of_sample: tuple[str, str]) -> None:
    """Text in a picture can be selected and searched, and colours are the page's own: it is readable in the dark too."""
    pictures = re.findall(r"<svg .*?</svg>", of_sample[0], re.DOTALL)
    assert len(pictures) == 1 + 3 * 6 + 5, "and what is to come, of each study that is not closed"
    for picture in pictures:
        drawn = ET.fromstring(picture)  # noqa: S314 - made by us
        assert drawn.attrib["role"] == "img"
        assert len(drawn.findall(".//text")) > 3
        assert not re.search(r'(fill|stroke)="(#|rgb|black|white)', picture)


def test_every_column_that_is_shown_says_what_it_means(of_sample: tuple[str, str]) -> None:
    """A number without a definition cannot be discussed. Days and stages name themselves."""
    headers = re.findall(r'<th scope="col"[^>]*>(.*?)</th>', of_sample[0])
    stages = {
        "Day",
        "Not yet overdue",
        "Not Started",
        "Invited",
        "Screening",
        "In Progress",
        "Pending Incentive",
        "Done",
        "Cancelled",
    }
    assert {text for text in headers if not text.startswith("<a ")} <= stages


@pytest.mark.parametrize("name", sorted(path.stem for path in QUERIES.glob("*.sql")))
def test_every_query_says_what_it_is_for_and_what_its_columns_mean(
    sample: duckdb.DuckDBPyConnection, name: str
) -> None:
    """The head of a query is what readers see of it; a column of a mart that it names must be there."""
    query = read(name)
    assert query.about.endswith(".")
    assert ("limit $rows" in query.sql) <= bool(query.list_command), "a list that is cut names the command that has all"
    columns = {
        ".".join(row)
        for row in sample.execute("select schema_name, table_name, column_name from duckdb_columns()").fetchall()
    }
    for column, meaning in query.meanings.items():
        assert meaning.endswith(".") or meaning in columns, column


def test_queries_can_be_pasted(of_sample: tuple[str, str], sample: duckdb.DuckDBPyConnection) -> None:
    """A number is traced by running what stands beside it, as it stands."""
    queries = re.findall(r"```sql\n(.*?)\n```", of_sample[1], re.DOTALL)
    assert len(queries) == len(list(QUERIES.glob("*.sql")))
    for query in queries:
        assert "$" not in query
        sample.execute(query).fetchall()


def test_shares_are_those_of_the_marts(sample: duckdb.DuckDBPyConnection) -> None:
    """Queries that count anew for an interval must come to the share that the mart has."""
    studies = sample.execute("select study_id, screener_pass_rate, show_rate from marts.study_progress").fetchall()
    for study_id, passed, showed in studies:
        scope = Scope(datetime(2026, 8, 1, tzinfo=UTC), datetime(2026, 7, 25, tzinfo=UTC), ZoneInfo("UTC"), study_id)
        shares = {row["what"]: row["share"] for row in ask(sample, "study_rates", scope).rows}
        assert shares.get("Passed the screener") == pytest.approx(passed)
        assert shares.get("Came to the interview") == pytest.approx(showed)
        assert all(row["low"] <= row["share"] <= row["high"] for row in ask(sample, "study_rates", scope).rows)


def test_what_changed_by_study_adds_up_to_what_changed(sample: duckdb.DuckDBPyConnection) -> None:
    """Two queries tell the same story; a participant is in one study, so nobody counts twice."""
    scope = Scope(datetime(2026, 8, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC), ZoneInfo("UTC"))
    whole = {row["what"]: row["participants"] for row in ask(sample, "changed", scope).rows}
    rows = ask(sample, "changed_by_study", scope, rows=100).rows
    for what, column in (
        ("Added", "added"),
        ("Invited", "invited"),
        ("Finished", "finished"),
        ("Incentives sent", "incentives_sent"),
        ("Interviews missed or cancelled", "missed"),
        ("Opted out", "opted_out"),
    ):
        assert whole[what] == sum(row[column] for row in rows) > 0, what


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (3, 7, "3 of 7 (16\N{EN DASH}75%)"),
        (0, 4, "0 of 4 (0\N{EN DASH}49%)"),
        (19, 19, "19 of 19 (83\N{EN DASH}100%)"),
        (10, 20, "50%"),
        (0, 0, "\N{EN DASH}"),
    ],
)
def test_few_people_are_counted_with_an_interval(product: Product, part: int, whole: int, text: str) -> None:
    """Three of seven is not 43%: the share could as well be 16 or 75. The queries ask the functions of the warehouse."""
    interval = "select $1 / nullif($2, 0), marts.share_low($1, $2), marts.share_high($1, $2)"
    [ends] = product.reused.execute(interval, [part, whole]).fetchall()
    assert ends[1:] == pytest.approx(wilson(part, whole))
    assert formatting.share(part, whole, *ends).replace(formatting.SPACE, " ") == text


def test_no_percentage_of_few_people_stands_bare(product: Product, tmp_path: Path) -> None:
    """In a study of six nobody reads a percentage but in an interval."""
    with warehouse(product, [one for number in range(6) for one in finished(f"p{number}", "small")]) as connection:
        [file] = write(connection, tmp_path, ReportRequest(study="small", formats=("md",))).files
    funnel, _ = file.read_text(encoding="utf-8").split("## Terms")
    shares = re.findall(r"\| ([^|]*%[^|]*) \|", funnel.partition("### ")[2].replace(formatting.SPACE, " "))
    assert shares
    assert all(re.fullmatch(r"\d+ of \d+ \(\d+\W\d+%\)", share) for share in shares), shares


def test_names_and_ids_that_nobody_would_want(product: Product, tmp_path: Path) -> None:
    """Study names are typed by people, ids come from webhooks: neither may become markup, a query or another line."""
    with hostile(product) as connection:
        html, markdown = (
            file.read_text(encoding="utf-8")
            for file in write(connection, tmp_path, ReportRequest(since=MONDAY - WEEK)).files
        )
        queries = re.findall(r"<pre [^>]*><code>(.*?)</code>", html, re.DOTALL)
        of_each = [
            one
            for bad in HOSTILE
            for one in write(connection, tmp_path, ReportRequest(study=bad, formats=("html",))).files
        ]
    assert "<script" not in html
    assert "alert(" in html
    assert "{{ 7 * 7 }}" in html
    assert "\u202e" not in re.sub(r"<pre.*?</pre>", "", html, flags=re.DOTALL)
    assert len({file.name for file in of_each}) == len(HOSTILE)
    assert len(queries) > 20
    tables = [line for line in markdown.partition("## Queries")[0].splitlines() if line.startswith("|")]
    for line, next_line in pairwise(tables):
        if next_line.startswith("| ---"):
            width = len(re.findall(r"(?<!\\)\|", line))
        assert len(re.findall(r"(?<!\\)\|", line)) == width or next_line.startswith("| ---"), line
    assert not re.search(r"(?<!\\)<(?!!-- studyflow)", markdown.partition("## Queries")[0])


def test_a_hostile_study_is_asked_for_as_it_is_called(product: Product) -> None:
    """The query that is shown is the one that was asked: with any id in it, it gives that study's rows."""
    with hostile(product) as connection:
        for bad in HOSTILE:
            answer = ask(connection, "study_funnel", Scope(AS_OF, MONDAY, ZoneInfo("UTC"), bad))
            assert [row["reached"] for row in answer.rows][:1] == [1], bad
            assert connection.execute(answer.sql).fetchall()


def test_a_friday_evening_in_new_york_is_a_friday(product: Product, tmp_path: Path) -> None:
    """The report is named and dated by the clocks of report_timezone, which it names, whatever day it is in UTC."""
    as_of = datetime(2026, 8, 1, 2, 30, tzinfo=UTC)
    with warehouse(product, finished("p1", "s"), as_of=as_of, report_timezone="America/New_York") as connection:
        html, markdown = write(connection, tmp_path).files
    assert html.name == "studyflow-2026-07-31.html"
    said = markdown.read_text(encoding="utf-8").replace(formatting.SPACE, " ")
    assert "Data as of Friday 31 Jul 2026, 22:30 America/New_York" in said
    assert "Since Friday 24 Jul 2026, 22:30" in said


def test_debts_that_overlap_are_one_line(product: Product, tmp_path: Path) -> None:
    """Somebody who is owed, overdue and hidden would be counted twice, were the two numbers added up."""
    hidden = journey("hidden", "s", "NOT_STARTED", "INTERVIEW_COMPLETED", "OPTED_OUT")
    money = {"study_id": "s", "incentive_cents": 7550, "currency": "EUR"}
    other = {"study_id": "t", "incentive_cents": 500000, "currency": "JPY"}
    people = [*hidden, *finished("p1", "s"), *finished("p2", "t"), *finished("p3", "u")]
    with warehouse(product, people, [money, other]) as connection:
        told = write(connection, tmp_path, ReportRequest(formats=("md",)))
    said = told.actions[0].replace(formatting.SPACE, " ")
    assert said.startswith("4 unsent incentives that are overdue (oldest ")
    assert said.endswith("EUR 151, JPY 5,000, plus 1 of unknown amount; including 1 that no Rally table shows)")
    assert not any("not overdue yet" in action for action in told.actions)


def test_over_the_limit_is_said(product: Product, tmp_path: Path) -> None:
    """2 of 1 looks like a mistake of ours."""
    people = [*finished("p1", "s"), *finished("p2", "s"), *journey("p3", "s", "NOT_STARTED", "INVITE_SENT")]
    with warehouse(product, people, [{"study_id": "s", "participation_limit": 1}]) as connection:
        [file] = write(connection, tmp_path, ReportRequest(since=MONDAY, formats=("md",))).files
    said = file.read_text(encoding="utf-8").replace(formatting.SPACE, " ")
    assert "2 of 1, 1 over" in said
    assert "1 of them over the limit" in said


def test_ids_lead_to_rally_where_the_user_says_how(product: Product, tmp_path: Path) -> None:
    """Studyflow does not know where a workspace is. Ids of any text stay within the address."""
    links = Links("https://rally.example/s/{study_id}", "https://rally.example/s/{study_id}/p/{participant_id}")
    with warehouse(product, finished("p/1 ?", "s")) as connection:
        html, markdown = write(connection, tmp_path, ReportRequest(links=links, names=True)).files
    targets = set(Page(html.read_text(encoding="utf-8")).values("href"))
    assert {"https://rally.example/s/s", "https://rally.example/s/s/p/p%2F1%20%3F"} <= targets
    assert "](<https://rally.example/s/s/p/p%2F1%20%3F>)" in markdown.read_text(encoding="utf-8")


def test_every_command_that_a_report_names_is_there(of_sample: tuple[str, str]) -> None:
    """Whoever types what stands there gets an answer."""
    named = set(re.findall(r"`studyflow (\w+)", of_sample[1]))
    assert named <= set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    assert {"backlog", "sql"} <= named


@pytest.mark.parametrize("deliveries", [[], journey("only", "one", "NOT_STARTED")], ids=["nobody", "one who was added"])
def test_a_warehouse_with_nobody_in_it(product: Product, tmp_path: Path, deliveries: list[Delivery]) -> None:
    """The first day of a workspace."""
    with warehouse(product, deliveries) as connection:
        written = write(connection, tmp_path)
    html = written.files[0].read_text(encoding="utf-8")
    assert "Nothing needs action." in html
    assert ("No participants yet" in html) is not bool(deliveries)
    assert not re.search(r"\b(nan|None(?!\.)|inf)\b", re.sub(r"<pre.*?</pre>", "", html, flags=re.DOTALL))
