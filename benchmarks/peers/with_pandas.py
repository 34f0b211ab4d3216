"""Computes participants and funnels with pandas: read_json with the pyarrow engine and types, then group by.

python with_pandas.py CLEAN.jsonl OUT_FOLDER REFERENCE_FOLDER
"""

import sys
from pathlib import Path

import pandas as pd

FIELDS = ["participantId", "personId", "studyId", "status", "priorStatus", "updatedAt"]


def main(events: str, out: str, reference: str) -> None:
    """Write participants.parquet and study_funnel.parquet."""
    steps = pd.read_csv(f"{reference}/funnel_steps.csv")
    statuses = pd.read_csv(f"{reference}/participant_statuses.csv").merge(steps, left_on="funnel_step", right_on="step")
    step_of = statuses.set_index("status")["step_order"]
    stage_of = statuses.set_index("status")["stage"]

    changes = pd.read_json(events, lines=True, engine="pyarrow", dtype_backend="pyarrow")[FIELDS]
    changes["updatedAt"] = pd.to_datetime(changes["updatedAt"], utc=True, format="ISO8601")
    changes = changes.drop_duplicates()
    # A prior status was reached, too, even if its own webhook is missing.
    changes["step_order"] = pd.concat(
        [changes["status"].map(step_of), changes["priorStatus"].map(step_of)], axis="columns"
    ).max(axis="columns")

    histories = changes.groupby("participantId").agg(
        first_seen_at=("updatedAt", "min"), last_changed_at=("updatedAt", "max"), furthest=("step_order", "max")
    )
    last = changes.merge(
        histories[["last_changed_at"]],
        left_on=["participantId", "updatedAt"],
        right_on=["participantId", "last_changed_at"],
    )
    # Among several changes at the last instant, the one that none of the others follows.
    followed = last.loc[last["priorStatus"].ne(last["status"]).fillna(value=True), ["participantId", "priorStatus"]]
    followed = followed.rename(columns={"priorStatus": "status"})
    current = last.merge(followed, on=["participantId", "status"], how="left_anti").drop_duplicates("participantId")
    participants = histories.reset_index().merge(
        current[["participantId", "studyId", "status"]].rename(columns={"status": "current_status"}), on="participantId"
    )
    participants["current_stage"] = participants["current_status"].map(stage_of)

    stopped = participants.groupby(["studyId", "furthest"]).size().rename("stopped").reset_index()
    pairs = stopped.merge(steps[["step_order"]], how="cross")
    reached = (
        pairs[pairs["furthest"] >= pairs["step_order"]]
        .groupby(["studyId", "step_order"])["stopped"]
        .sum()
        .rename("reached")
        .reset_index()
    )
    Path(out).mkdir(parents=True, exist_ok=True)
    participants.to_parquet(f"{out}/participants.parquet")
    reached.to_parquet(f"{out}/study_funnel.parquet")


if __name__ == "__main__":
    main(*sys.argv[1:])
