"""The forecast of a study as one line."""

from pipelines.ask.forecast import when_full
from pipelines.report.formatting import SPACE
from pipelines.warehouse import Row

OMITTED = ("closed", "full", "no target")
"""Not shown, because other columns of the study show it."""


def forecast_line(row: Row) -> str:
    """`full by 14 Aug (80 %: 10 Aug to 21 Aug); invite 35 more today`, or `too little known`.

    Empty if the study is closed or full, or has no target. The row has columns of marts.study_forecast, `invite_by` and
    `invite_80`, and optionally those of forecast_record.sql.
    """
    when = when_full(row)
    if when in OMITTED:
        return ""
    parts = [f"full {when}" if when.startswith("by ") else when]
    if row["invite_80"]:
        parts.append(f"invite {row['invite_80']:,} more today")
    elif row["invite_by"] and row["invite_80"] is None:
        parts.append("too little known to say how many to invite")
    if row.get("is_unreliable"):
        parts.append(f"only {row['came_true_80']:,} of {row['judged_80']:,} past forecasts like this came true")
    return "; ".join(parts).replace(" %", f"{SPACE}%")
