"""What a person and a program are told of a check."""

import io
import json
import subprocess
import sys
from datetime import UTC, datetime

import polars as pl
import pytest
from check_warehouse import AS_OF, broken_sample, counts, report_of_broken
from product import Product
from rich.console import Console

from pipelines.check import Finding, Report, as_dict, check, render

REASONS = (
    "invalid_json",
    "not_an_object",
    "missing_field",
    "invalid_type",
    "invalid_timestamp",
    "unknown_status",
    "unknown_prior_status",
)


def rendered(report: Report, width: int = 120) -> str:
    """What a person sees."""
    text = io.StringIO()
    render(report, Console(file=text, width=width))
    return text.getvalue()


def report_of(*failures: Finding, strict: bool = False, warnings: tuple[Finding, ...] = ()) -> Report:
    """A report with these findings."""
    return Report(AS_OF, strict, {"marts.participants": 1_000}, 12, list(failures), list(warnings))


def finding(count: int = 1, **columns: object) -> Finding:
    """A broken rule with one row for a sample."""
    return Finding("marts.participants", "a rule holds", count, pl.DataFrame([columns]), "Do this.")


@pytest.mark.parametrize("strict", [False, True])
def test_rejected_lines_warn_and_fail_only_when_strict(product: Product, strict: bool) -> None:  # noqa: FBT001
    """The sample has seven lines of each reason; nobody has to do anything about them unless they want to."""
    with broken_sample(product) as connection:
        report = check(connection, AS_OF, strict=strict)
    assert counts(report.warnings) == {("audit.rejected_lines", reason): 7 for reason in REASONS}
    assert not report.failures
    assert report.ok is not strict
    for warning in report.warnings:
        assert warning.sample_rows.columns == ["source_file", "line_number", "line"]
        assert warning.sample_rows.height == 7
        assert warning.meaning


def test_the_most_frequent_reason_comes_first(product: Product) -> None:
    """What is wrong most often is what to look at first; a reason that is new to this version is shown, too."""
    report = report_of_broken(
        product,
        "delete from audit.rejected_lines where reason = 'missing_field' and file_id < 4",
        "update audit.rejected_lines set reason = 'too_old' where reason in ('invalid_json', 'invalid_type')",
    )
    first, *_, last = report.warnings
    assert (first.rule, first.count, first.sample_rows.height) == ("too_old", 14, 10)
    assert last.rule == "missing_field"


def test_a_very_long_line_is_cut(product: Product) -> None:
    """A rejected line can have a hundred megabytes; the report names file and line, where it is whole."""
    long = "update audit.rejected_lines set line = repeat('x', 1000000) where reason = 'invalid_json'"
    report = report_of_broken(product, long)
    [line] = {line for found in report.warnings if found.rule == "invalid_json" for line in found.sample_rows["line"]}
    assert line == "x" * 500 + "…"


def test_json_has_everything(product: Product) -> None:
    """Counts, meanings and rows, with times as RFC 3339; any JSON parser reads it."""
    report = report_of_broken(
        product,
        "update marts.participants set last_changed_at = 'infinity' where rowid = 0",
        "update staging.stg_changes set deliveries = deliveries + 1 where rowid = 0",
    )
    said = json.loads(json.dumps(as_dict(report), allow_nan=False))
    assert said["ok"] is False
    assert said["strict"] is False
    assert said["as_of"] == "2026-08-01T00:00:00Z"
    assert said["rules"] == report.rules
    assert said["rows"]["marts.participants"] == 1_000
    assert len(said["failures"]) == len(report.failures) == 4
    late = next(
        failure for failure in said["failures"] if failure["rule"] == "last_changed_at is not after the as-of time"
    )
    assert late["table"] == "marts.participants"
    assert late["count"] == 1
    assert late["meaning"]
    assert late["sample_rows"][0]["last_changed_at"] == "9999-12-31T23:59:59.999999Z"
    assert {warning["rule"] for warning in said["warnings"]} == set(REASONS)


def test_a_person_is_told_what_failed_where_how_often_and_what_to_do() -> None:
    """Ten of 1,234 rows are shown, and that there are more is said."""
    rows = pl.DataFrame(
        {"participant_id": [f"p{number}" for number in range(10)], "seen": [datetime(2026, 7, 1, tzinfo=UTC)] * 10}
    )
    text = rendered(report_of(Finding("marts.participants", "a rule holds", 1_234, rows, "Do this.")))
    assert "marts.participants  a rule holds: 1,234 rows" in text
    assert "Do this." in text
    assert "p0" in text
    assert "p9" in text
    assert "2026-07-01T00:00:00Z" in text
    assert "and 1,224 more" in text
    assert "Checks failed: 1 rule broken. Checked: 12 rules, 1,000 rows in 1 table." in text


def test_a_person_is_told_that_all_is_well() -> None:
    """One line is enough."""
    assert rendered(report_of()) == "Checks passed: 12 rules, 1,000 rows in 1 table.\n"


@pytest.mark.parametrize(("strict", "word", "verdict"), [(False, "warning", "passed"), (True, "failed", "failed")])
def test_a_person_sees_rejected_lines(*, strict: bool, word: str, verdict: str) -> None:
    """A few lines with file and number, cut to the width of the terminal."""
    rows = pl.DataFrame({"source_file": ["a.jsonl"] * 7, "line_number": range(7), "line": ["y" * 500] * 7})
    rejected = Finding("audit.rejected_lines", "invalid_json", 7, rows, "Send it again.")
    text = rendered(report_of(strict=strict, warnings=(rejected,)), width=80)
    assert text.startswith(word)
    assert "a.jsonl" in text
    assert "and 4 more" in text
    assert f"Checks {verdict}" in text
    assert max(map(len, text.splitlines())) <= 80


def test_nothing_in_a_row_steers_the_terminal() -> None:
    """Ids come from outside: they may hold escape sequences, line ends, or what rich takes for markup."""
    text = rendered(report_of(finding(participant_id="\x1b[2J\n\u202e[bold]x[/bold]", person_id=None, is_current=True)))
    assert r"\x1b[2J\n\u202e[bold]x[/bold]" in text
    assert "null" in text
    assert "true" in text


def test_importing_the_checks_is_quick() -> None:
    """It takes a second to import pandera and polars, which no other command should pay for."""
    code = "import sys, pipelines.check; sys.exit(bool({'polars', 'pandera'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
