"""What a study's line says of its forecast."""

from pipelines.ask.forecast import when_full
from pipelines.report.formatting import SPACE
from pipelines.warehouse import Row

UNSAID = ("closed", "full", "no target")
"""What the state of a study or its missing target say already."""


def forecast_line(row: Row) -> str:
    """`full by 14 Aug (80 %: 10 Aug to 21 Aug); invite 35 more today`, or `too little known`; empty for a closed or full study.

    The row has columns of marts.study_forecast, `invite_by` and `invite_80`, and may have those of forecast_record.sql.
    """
    when = when_full(row)
    if when in UNSAID:
        return ""
    said = [f"full {when}" if when.startswith("by ") else when]
    if row["invite_80"]:
        said.append(f"invite {row['invite_80']:,} more today")
    elif row["invite_by"] and row["invite_80"] is None:
        said.append("too little known to say how many to invite")
    if row.get("is_unreliable"):
        said.append(f"only {row['came_true_80']:,} of {row['judged_80']:,} past forecasts like this came true")
    return "; ".join(said).replace(" %", f"{SPACE}%")
