"""The command `doctor`."""

import os
from typing import Annotated

import typer

from pipelines.cli.app import AsJson, Database, Raw, app, print_result
from pipelines.cli.receive import Listen, ReceiveFolder, receiver_is_installed
from pipelines.errors import ExitCode
from pipelines.object_paths import raw_paths
from pipelines.settings import resolve


@app.command()
def doctor(
    folder: ReceiveFolder = None,
    listen: Listen = "127.0.0.1:8000",
    send_to: Annotated[
        str | None,
        typer.Option(
            "--send-to",
            metavar="URL",
            help="Send a signed test delivery to this address, e.g. https://webhooks.example.com/webhooks, "
            "and check that it reaches a table.",
        ),
    ] = None,
    raw: Raw = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Check the receiver, object stores and the warehouse, and say what to do about each problem. The exit code is 1 if there is a problem."""
    from pipelines.doctor.diagnoses import Diagnosis, as_dict, has_problem, render
    from pipelines.doctor.pipeline import check_stores, check_warehouse

    diagnoses = []
    if folder is None and send_to is None:
        remedy = "Set STUDYFLOW_RECEIVE_FOLDER to check one."
        diagnoses.append(Diagnosis("receiver", "skipped", "no receiver is configured here.", remedy))
    else:
        with receiver_is_installed():
            from pipelines.doctor.probe import follow_test_delivery
            from pipelines.doctor.receiver import check_folder, check_receiver, check_secrets
        diagnoses.append(check_secrets(os.environ))
        if folder is not None:
            folder = folder.absolute()
            diagnoses += check_folder(folder)
            diagnoses += check_receiver(listen, folder)
        if send_to is not None:
            diagnoses += follow_test_delivery(send_to, folder, os.environ)
    diagnoses += check_stores(raw_paths(raw or ()))
    diagnoses += check_warehouse(resolve(database=database).database, folder)
    print_result(as_json, lambda: as_dict(diagnoses), lambda console: render(diagnoses, console), of_work=False)
    raise typer.Exit(ExitCode.FAILED if has_problem(diagnoses) else ExitCode.DONE)
