"""The report in a real browser: at up to seven widths, in light and dark, printed, and under an accessibility checker."""

import importlib
import re
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import duckdb
import pytest
from product import Product
from report_warehouse import AS_OF, HOSTILE, MONDAY, finished, journey, warehouse

from pipelines.report import ReportRequest, charts, write
from pipelines.settings import PROJECT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page, Request

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium or google-chrome on the PATH to open the report with"),
]
WIDTHS = (380, 768, 1024, 1280, 1440, 1600, 1920)
WHOLE_FROM = 1024
"""From this width on, nothing scrolls."""
NEXT_FRAMES = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
"""The line that says that a table scrolls is an animation, and the browser updates its timeline once a frame."""
MEASURE = """
() => [...document.querySelectorAll('.scroll')]
    .filter(box => box.checkVisibility({contentVisibilityAuto: true, visibilityProperty: true}))
    .map(box => ({
        table: box.querySelector('caption').innerText,
        isCut: box.scrollWidth > box.clientWidth,
        says: getComputedStyle(box.parentElement.querySelector('.more')).visibility === 'visible',
    }))
"""
OUTSIDE = """
() => [...document.querySelectorAll('svg')].flatMap(svg => {
    const frame = svg.getBoundingClientRect();
    return [...svg.querySelectorAll('text')].filter(text => {
        const box = text.getBoundingClientRect();
        return box.left < frame.left - 1 || box.right > frame.right + 1;
    }).map(text => text.textContent);
})
"""
TOUCHING = """
selector => [...document.querySelectorAll(selector)].flatMap(group => {
    const boxes = [...group.querySelectorAll('text, dd, dt')].filter(one => one.textContent.trim())
        .map(one => [one.textContent, one.getBoundingClientRect()]);
    return boxes.flatMap(([said, one], place) => boxes.slice(place + 1)
        .filter(([, other]) => one.left < other.right && other.left < one.right
            && one.top + 2 < other.bottom && other.top + 2 < one.bottom)
        .map(([other]) => [said, other]));
})
"""

api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    with api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def report(sample: duckdb.DuckDBPyConnection, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the sample."""
    return write(sample, tmp_path_factory.mktemp("sample"), ReportRequest(formats=("html",))).files[0]


@pytest.fixture(scope="module")
def small(product: Product, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with everything in it once, and names that break what can break."""
    people = [finished(f"p{number}", "plain") for number in range(3)]
    people += [finished("bad", bad) for bad in (HOSTILE[0], HOSTILE[-1])]
    people += [journey(f"q{number}", "plain", "NOT_STARTED", "INVITE_SENT", "SCREENER_STARTED") for number in range(2)]
    people += [journey("opted", "plain", "NOT_STARTED", "INTERVIEW_COMPLETED", "OPTED_OUT")]
    people += [journey("lost", "plain", "NOT_STARTED")[:1] + journey("lost", "plain", "A", "INCENTIVE_SENT")[1:]]
    deliveries = [one for person in people for one in person]
    limits = [{"study_id": "plain", "study_name": "Plain study", "participation_limit": 4, "incentive_cents": 5000}]
    with warehouse(product, deliveries, limits, as_of=AS_OF) as connection:
        folder = tmp_path_factory.mktemp("small")
        return write(connection, folder, ReportRequest(since=MONDAY, formats=("html",))).files[0]


def test_the_picture_in_the_readme_shows_the_report_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture that was taken once shows what the report was. It says by a hash what it shows; it is small for a README."""
    monkeypatch.syspath_prepend(str(PROJECT / "docs" / "images"))
    picture = importlib.import_module("make_report_picture")
    taken = picture.PICTURE.read_bytes()
    assert picture.stored_hash(taken) == picture.report_hash(), "run docs/images/make_report_picture.py"
    assert len(taken) < 300_000


def opened(browser: "Browser", file: Path, width: int = 900, scheme: Literal["light", "dark"] = "light") -> "Page":
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.goto(file.as_uri())
    return page


def note(page: "Page", urls: list[str], messages: list[str]) -> None:
    """Keep the addresses that a page asks for, and what it says on the console."""

    def ask(request: "Request") -> None:
        urls.append(request.url)

    def say(message: "ConsoleMessage") -> None:
        messages.append(message.text)

    page.on("request", ask)
    page.on("console", say)


def test_no_table_is_cut_and_what_scrolls_says_so(browser: "Browser", report: Path, small: Path) -> None:
    """A column out of sight is a column that nobody knows of.

    From 1024 pixels on every table is whole; below, a table may scroll by itself, never the page, and says so.
    """
    for file in (report, small):
        page = opened(browser, file)
        page.evaluate("document.querySelectorAll('details.data').forEach(one => one.open = true)")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            page.wait_for_function("width => innerWidth === width", arg=width)
            page.evaluate(NEXT_FRAMES)
            assert page.evaluate("document.documentElement.scrollWidth") == width
            measured = page.evaluate(MEASURE)
            assert len(measured) > 20
            cut = [one["table"] for one in measured if one["isCut"]]
            assert not cut or width < WHOLE_FROM, (width, cut)
            assert [one["table"] for one in measured if one["isCut"] != one["says"]] == [], width
        page.close()


def test_numbers_of_seven_digits_touch_nothing(browser: "Browser", report: Path, tmp_path: Path) -> None:
    """In pictures and tiles of a large workspace, numbers stand apart and in one piece."""
    many = [1_234_567, 1_200_345, 987_654, 1_234_567]
    days = [date(2026, 7, day) for day in range(1, 29)]
    pictures = [
        charts.funnel(
            [{"label": f"Step {n}", "reached": n, "may_still_come": n, "will_not_come": n} for n in many[:3]], "a", "a"
        ),
        charts.flow(
            [{"day": d, "stage": "s", "stage_order": 1, "participants": n} for d in days for n in many], "b", "b"
        ),
        charts.backlog([{"day": day, "overdue": 1_234_567, "not_yet_overdue": 987_654} for day in days], "c", "c"),
    ]
    text = report.read_text(encoding="utf-8")
    tiles = re.sub(r"(<dd>)[\d,]+( <span class=\"was\">was )[\d,]+", r"\g<1>1,234,567\g<2>1,234,567", text)
    file = tmp_path / "large.html"
    file.write_text(
        tiles.replace("</main>", "".join(f"<figure>{one}</figure>" for one in pictures) + "</main>"), "utf-8"
    )
    page = opened(browser, file)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert page.evaluate(TOUCHING, ".tiles, svg") == [], width
        assert page.evaluate(OUTSIDE) == [], width
        broken = "[...document.querySelectorAll('.number, dd, td.n')].filter(one => one.getClientRects().length > 1)"
        assert page.evaluate(f"{broken}.length") == 0
    page.close()


@pytest.mark.parametrize(
    "width",
    [
        width
        if width in {WIDTHS[0], 1440}
        else pytest.param(
            width, marks=pytest.mark.slow(reason="a page each; a telephone and a laptop are tried always")
        )
        for width in WIDTHS
    ],
)
def test_the_first_screen_says_what_changed_and_what_is_most_urgent(
    browser: "Browser", report: Path, width: int
) -> None:
    """On a phone, too, nobody has to scroll to see that incentives are overdue."""
    page = opened(browser, report, width)
    for text in ("What changed", "Needs action", "unsent incentives that are overdue", "undelivered incentives"):
        box = page.get_by_text(text, exact=True).first.bounding_box()
        assert box
        assert box["y"] + box["height"] < 800, text
    page.close()


def test_nothing_is_asked_of_the_network_and_nothing_goes_wrong(browser: "Browser", report: Path, small: Path) -> None:
    """An opened report is seen by its reader only. A message on the console would mean that something in it is broken."""
    for file in (report, small):
        page = browser.new_page()
        urls: list[str] = []
        messages: list[str] = []
        note(page, urls, messages)
        page.goto(file.as_uri())
        assert (urls, messages) == ([file.as_uri()], [])
        page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_accessibility_checker_finds_nothing(
    browser: "Browser", small: Path, scheme: Literal["light", "dark"]
) -> None:
    """Contrast, names, headings, tables and landmarks, by all rules of axe; with the queries open."""
    page = opened(browser, small, 380, scheme)
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    found = axe.Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.close()


def test_text_of_pictures_can_be_selected_and_lies_within_them(browser: "Browser", report: Path) -> None:
    """Fonts differ from machine to machine; labels must not be cut where the browser's is wider than vl-convert's."""
    page = opened(browser, report)
    assert page.evaluate(OUTSIDE) == []
    picked = page.evaluate(
        """() => {
            const label = [...document.querySelectorAll('svg text')].find(text => text.textContent === 'Invited');
            getSelection().selectAllChildren(label);
            return getSelection().toString();
        }"""
    )
    assert picked == "Invited"
    page.close()


def test_it_prints(browser: "Browser", report: Path) -> None:
    """On paper it is light whatever the screen is, queries are left out, and a table's rows are whole."""
    page = opened(browser, report, scheme="dark")
    printed = page.pdf(format="A4")
    assert printed.startswith(b"%PDF")
    assert 5 < printed.count(b"/Type /Page\n") < 25
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not page.locator("details").first.is_visible()
    assert page.get_by_text("The first 12 of").first.is_visible()
    page.set_viewport_size({"width": 703, "height": 1017})
    assert page.evaluate("document.documentElement.scrollWidth") == 703
    summary = page.evaluate("document.querySelector('.details').getBoundingClientRect().top")
    assert summary < 2 * 1017 - 150, "two pages of A4, with room for what may not be broken across them"
    assert page.evaluate("getComputedStyle(document.querySelector('.details')).breakBefore") == "page"
    page.close()
