"""The sample in data/sample, made again byte for byte.

`python -m pipelines.generate.sample` writes it; data/sample/README.md says what is in it.
"""

import csv
import io
import sys
from datetime import date, timedelta
from pathlib import Path
from random import Random

from pipelines.generate.batches import batches
from pipelines.generate.deliveries import Line, envelope
from pipelines.generate.output import encoded, opened
from pipelines.generate.people import IdSource
from pipelines.generate.recipe import Recipe, Tally
from pipelines.generate.studies import make_studies

SAMPLE = Recipe(
    participants=1_000,
    studies=8,
    days=60,
    seed=20260731,
    start=date(2026, 6, 2),
    duplicates=0.06,
    late=0.03,
    lost=0.012,
    malformed=0.012,
)
FILES = 7
CRLF, ENVELOPES, GZIP = 2, 4, 6
"""The files, from 1, that are not plain lines."""

COLUMNS = (
    "study_id",
    "study_name",
    "study_type",
    "incentives_enabled",
    "incentive_cents",
    "participation_limit",
    "closed_on",
)
STUDIES = (
    # name, incentive in cents, participation limit, closed on; in the order the studies open
    ("Onboarding interviews, spring cohort", 7500, 60, "2026-07-24"),
    ("Billing page satisfaction survey", 1000, 100, "2026-07-08"),
    ("Navigation prototype test", 2000, 40, ""),
    ("Power user interviews", 10000, 40, ""),
    ("Churn survey", 0, None, ""),
    ("Mobile app diary: interview and survey", 15000, 30, ""),
)
NAMED_ONLY = "Search results first-click test"
"""The seventh study is listed without details, the eighth not at all."""


def write_sample(folder: Path) -> None:
    """Write events-0001.jsonl to events-0007.jsonl, studies.csv and as_of.txt to an existing folder.

    The bytes are always the same, those of the gzip file for one version of zlib.

    Raises:
        OSError: a file cannot be written.
    """
    [batch] = batches(SAMPLE, Tally())
    for number in range(1, FILES + 1):
        first, after = (len(batch.lines) * n // FILES for n in (number - 1, number))
        lines = batch.lines[first:after]
        if number == ENVELOPES:
            lines = _enveloped(lines)
        data = encoded((text for _, text in lines), "\r\n" if number == CRLF else "\n")
        bom = b"\xef\xbb\xbf" if number == CRLF else b""
        name = f"events-{number:04d}.jsonl" + (".gz" if number == GZIP else "")
        with opened(folder / name, "gzip" if number == GZIP else "none") as writer:
            writer.write(bom + data)
    (folder / "studies.csv").write_bytes(_studies_csv().encode())
    as_of = SAMPLE.start + timedelta(days=SAMPLE.days)
    (folder / "as_of.txt").write_bytes(f"{as_of}T00:00:00Z\n".encode())


def _enveloped(lines: list[Line]) -> list[Line]:
    """Every object in an envelope; what is none, or has an envelope, stays as it is."""
    return [
        (arrival, envelope((arrival, text)))
        if text.startswith("{") and text.endswith("}") and not text.startswith('{"svix_id"')
        else (arrival, text)
        for arrival, text in lines
    ]


def _studies_csv() -> str:
    studies = make_studies(SAMPLE, IdSource(Random(SAMPLE.seed)))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for study, (name, cents, limit, closed) in zip(studies, STUDIES, strict=False):
        pays = str(study.pays).lower()
        writer.writerow([study.study_id, name, study.kind, pays, cents if study.pays else "", limit, closed])
    writer.writerow([studies[len(STUDIES)].study_id, NAMED_ONLY, *[""] * 5])
    return text.getvalue()


if __name__ == "__main__":
    write_sample(Path(sys.argv[1] if len(sys.argv) > 1 else "data/sample"))
