"""Writes the webhook files of data/sample, always with the same bytes: `python -m pipelines.generate.sample`.

data/sample/README.md describes them.
"""

import sys
from datetime import date
from pathlib import Path

from pipelines.compression import compressed
from pipelines.generate.batches import batches
from pipelines.generate.deliveries import Line, envelope
from pipelines.generate.output import encoded
from pipelines.generate.recipe import Recipe, Tally

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
"""The numbers, from 1, of the files that are not plain lines."""


def write_sample(folder: Path) -> None:
    """Write events-0001.jsonl to events-0007.jsonl to an existing folder.

    The bytes are always the same; those of the gzip file depend on the version of zlib.

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
        with (folder / name).open("wb") as raw, compressed(raw, "gzip" if number == GZIP else "none") as writer:
            writer.write(bom + data)


def _enveloped(lines: list[Line]) -> list[Line]:
    """The lines with each bare object in an envelope. Other lines, and objects with an envelope, stay as they are."""
    return [
        (arrival, envelope((arrival, text)))
        if text.startswith("{") and text.endswith("}") and not text.startswith('{"svix_id"')
        else (arrival, text)
        for arrival, text in lines
    ]


if __name__ == "__main__":
    write_sample(Path(sys.argv[1] if len(sys.argv) > 1 else "data/sample"))
