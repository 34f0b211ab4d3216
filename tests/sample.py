"""The sample, as the oracle reads it."""

import csv
import gzip
from functools import cache

from oracle.history import histories
from oracle.lines import deliveries, read_lines
from oracle.reference import DEFAULT_STATUSES, Study
from oracle.workspace import Workspace

from pipelines.settings import SAMPLE, sample_as_of


def sample_files() -> dict[str, bytes]:
    """The content of its webhook files, by name."""
    files = {path.name: path.read_bytes() for path in sorted(SAMPLE.glob("*.jsonl*"))}
    return {name: gzip.decompress(held) if name.endswith(".gz") else held for name, held in files.items()}


@cache
def sample_workspace() -> Workspace:
    """All of it, with its own studies.csv, as of its own time."""
    delivered = deliveries(read_lines(sample_files(), DEFAULT_STATUSES))
    as_of = sample_as_of()
    return Workspace(histories(delivered, as_of, DEFAULT_STATUSES), as_of, studies=sample_studies())


def sample_studies() -> dict[str, Study]:
    """What its studies.csv says."""
    with (SAMPLE / "studies.csv").open(encoding="utf-8", newline="") as lines:
        return {
            row["study_id"]: Study(
                study_type=row["study_type"] or None,
                incentives_enabled={"true": True, "false": False}.get(row["incentives_enabled"]),
                incentive_cents=int(row["incentive_cents"]) if row["incentive_cents"] else None,
                participation_limit=int(row["participation_limit"]) if row["participation_limit"] else None,
                closed_on=row["closed_on"] or None,
            )
            for row in csv.DictReader(lines)
        }
