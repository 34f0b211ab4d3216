"""A Dagster job that runs studyflow every weekday morning: `dagster dev -f dagster_studyflow.py`.

studyflow is a command, so it can be in an environment of its own; STUDYFLOW_COMMAND says where. The lines of its log
go to Dagster's log. Exit code 3 (done, but data checks failed) counts as a success with a warning.
"""

import json
import os
import subprocess

from dagster import (
    AssetExecutionContext,
    Definitions,
    Failure,
    MaterializeResult,
    ScheduleDefinition,
    asset,
    define_asset_job,
)

CHECKS_FAILED = 3


@asset
def studyflow_tables(context: AssetExecutionContext) -> MaterializeResult:
    """The warehouse, the exports and the report. The STUDYFLOW_… variables say where they are."""
    command = os.environ.get("STUDYFLOW_COMMAND", "studyflow")
    done = subprocess.run(
        [command, "run", "--report", "--json", "--log-json"], capture_output=True, text=True, check=False
    )
    for line in done.stderr.splitlines():
        context.log.info(line)
    if done.returncode not in {0, CHECKS_FAILED}:
        msg = f"studyflow ended with exit code {done.returncode}"
        raise Failure(msg)
    if done.returncode == CHECKS_FAILED:
        context.log.warning("Data checks failed: see the report.")
    outcome = json.loads(done.stdout)
    reported = ("as_of", "built", "participants", "gaps")
    return MaterializeResult(
        metadata={name: outcome[name] for name in reported} | {"accounting": outcome["accounting"]}
    )


every_morning = ScheduleDefinition(
    job=define_asset_job("studyflow", selection=[studyflow_tables]), cron_schedule="30 6 * * 1-5"
)
definitions = Definitions(assets=[studyflow_tables], schedules=[every_morning])
