"""Computes participants and funnels with polars: a lazy query over scan_ndjson, collected by the streaming engine.

python with_polars.py CLEAN.jsonl OUT_FOLDER REFERENCE_FOLDER
"""

import sys
from pathlib import Path

import polars as pl

FIELDS = ["participantId", "personId", "studyId", "status", "priorStatus", "updatedAt"]


def main(events: str, out: str, reference: str) -> None:
    """Write participants.parquet and study_funnel.parquet."""
    steps = pl.read_csv(f"{reference}/funnel_steps.csv")
    statuses = pl.read_csv(f"{reference}/participant_statuses.csv").join(steps, left_on="funnel_step", right_on="step")
    step_of = dict(zip(statuses["status"], statuses["step_order"], strict=True))
    stage_of = dict(zip(statuses["status"], statuses["stage"], strict=True))

    changes = (
        pl.scan_ndjson(events, schema=dict.fromkeys(["_eventType", *FIELDS], pl.String))
        .select(FIELDS)
        .with_columns(pl.col("updatedAt").str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%#z", time_unit="us"))
        .unique()
        .with_columns(
            # A prior status was reached, too, even if its own webhook is missing.
            step_order=pl.max_horizontal(
                pl.col("status").replace_strict(step_of, return_dtype=pl.Int32),
                pl.col("priorStatus").replace_strict(step_of, return_dtype=pl.Int32),
            )
        )
        .collect(engine="streaming")
    )
    last = changes.filter(pl.col("updatedAt") == pl.col("updatedAt").max().over("participantId"))
    # Among several changes at the last instant, the one that none of the others follows.
    followed = last.filter(pl.col("priorStatus").ne_missing(pl.col("status"))).select(
        "participantId", status="priorStatus"
    )
    current = last.join(followed, on=["participantId", "status"], how="anti").unique("participantId")
    histories = changes.group_by("participantId").agg(
        first_seen_at=pl.col("updatedAt").min(),
        last_changed_at=pl.col("updatedAt").max(),
        furthest=pl.col("step_order").max(),
    )
    participants = histories.join(
        current.select("participantId", "studyId", current_status="status"), on="participantId"
    ).with_columns(current_stage=pl.col("current_status").replace_strict(stage_of, return_dtype=pl.String))
    reached = (
        participants.group_by("studyId", "furthest")
        .len("stopped")
        .join(pl.DataFrame({"step_order": list(set(step_of.values()))}), how="cross")
        .filter(pl.col("furthest") >= pl.col("step_order"))
        .group_by("studyId", "step_order")
        .agg(reached=pl.col("stopped").sum())
    )
    Path(out).mkdir(parents=True, exist_ok=True)
    participants.write_parquet(f"{out}/participants.parquet")
    reached.write_parquet(f"{out}/study_funnel.parquet")


if __name__ == "__main__":
    main(*sys.argv[1:])
