"""Photograph README's picture of `studyflow report`: the first screen of the sample's report, in chromium.

Run it with `.venv/bin/python docs/images/make_report_picture.py`. Fonts differ from machine to machine, so a test does not
compare pictures: the picture holds what it shows as Markdown, by its hash, and a test fails when that is stale.
"""

import hashlib
import shutil
import struct
import sys
import tempfile
import zlib
from pathlib import Path

from playwright.sync_api import sync_playwright

from pipelines.report import ReportRequest, write
from pipelines.warehouse import connect

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT / "tests"))

from product import compile_project  # noqa: E402
from report_warehouse import GOLDEN  # noqa: E402
from tables_page import build_sample  # noqa: E402

PICTURE = Path(__file__).with_name("report.png")
SIZE = {"width": 1440, "height": 840}
KEY = b"studyflow-shows"


def report_hash() -> bytes:
    """The hash of what stands on the first screen, from the golden report."""
    first, _, _ = GOLDEN.read_text(encoding="utf-8").partition("## Incentives")
    return hashlib.sha256(first.encode()).hexdigest().encode()


def stored_hash(picture: bytes) -> bytes:
    """The hash that a picture holds, in a text chunk; empty without one."""
    _, found, rest = picture.partition(b"tEXt" + KEY + b"\0")
    return rest[:64] if found else b""


def photograph(report: Path) -> bytes:
    """The first screen of a report as PNG that says what it shows."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport=SIZE, color_scheme="light")
        page.goto(report.as_uri())
        picture = page.screenshot()
        browser.close()
    body = b"tEXt" + KEY + b"\0" + report_hash()
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    end = picture.rindex(b"IEND") - 4
    return picture[:end] + chunk + picture[end:]


def main() -> None:
    """Write the picture."""
    with tempfile.TemporaryDirectory() as folder, connect(Path(folder) / "sample.duckdb") as connection:
        build_sample(compile_project(Path(folder) / "dbt"), connection)
        report = write(connection, Path(folder) / "report.html", ReportRequest()).files[0]
        PICTURE.write_bytes(photograph(report))


if __name__ == "__main__":
    main()
