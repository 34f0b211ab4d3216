"""Sends a signed test delivery and follows it into a table."""

import json
import secrets
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path

import requests

from pipelines.doctor.diagnoses import Diagnosis
from pipelines.errors import StudyflowError
from pipelines.load.loader import load
from pipelines.receive.files import TEST_ID_PREFIX, delivery_files
from pipelines.receive.signatures import Signatures, read_secrets
from pipelines.warehouse import connect

EVENT = "studyflow.test"
TIMEOUT_SECONDS = 15
"""The timeout of Svix."""
REMEDIES = {
    401: "The receiver at that address has another secret or a wrong clock, or a proxy changes the request.",
    404: "No receiver accepts deliveries at this path. Use the path /webhooks.",
    405: "No receiver accepts deliveries at this path. Use the path /webhooks.",
    503: "The receiver cannot write. See its log and /ready.",
}


def follow_test_delivery(address: str, folder: Path | None, environment: Mapping[str, str]) -> Iterator[Diagnosis]:
    """Send a test delivery, look for it in the files of the folder, and load these files into a temporary database.

    The delivery stays in the files; loads count it as another event.
    """
    try:
        signatures = Signatures(read_secrets(environment))
    except StudyflowError as error:
        yield Diagnosis("test delivery", "problem", f"cannot be signed: {error}")
        return
    svix_id, now = f"{TEST_ID_PREFIX}{secrets.token_hex(8)}", datetime.now(UTC)
    body = json.dumps({"_eventType": EVENT, "sentAt": now.isoformat()}, separators=(",", ":"))
    headers = {
        "content-type": "application/json",
        "svix-id": svix_id,
        "svix-timestamp": str(int(now.timestamp())),
        "svix-signature": signatures.sign(svix_id, now, body),
    }
    try:
        answer = requests.post(address, body.encode(), headers=headers, timeout=TIMEOUT_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        remedy = "Check the address, the proxy and its certificate, and that the receiver is running."
        yield Diagnosis("test delivery", "problem", f"{address}: no answer ({type(error).__name__}).", remedy)
        return
    if not answer.ok or answer.is_redirect:
        phrase = HTTPStatus(answer.status_code).phrase if answer.status_code in set(HTTPStatus) else "?"
        remedy = REMEDIES.get(answer.status_code, "Only 2xx counts as delivered. See what answers at that address.")
        yield Diagnosis("test delivery", "problem", f"{address} answered {answer.status_code} ({phrase}).", remedy)
        return
    milliseconds = answer.elapsed.total_seconds() * 1000
    yield Diagnosis("test delivery", "ok", f"{address} acknowledged it after {milliseconds:.0f} ms")
    if folder is None or not folder.is_dir():
        yield Diagnosis(
            "test delivery",
            "skipped",
            "not looked for in files, because no --receive-folder is given, or it does not exist here",
        )
        return
    yield _find(svix_id, folder)


def _find(svix_id: str, folder: Path) -> Diagnosis:
    files = [file for file in delivery_files(folder)[-2:] if svix_id.encode() in file.read_bytes()]
    if not files:
        remedy = "The receiver at that address writes elsewhere: compare its --receive-folder."
        return Diagnosis("test delivery", "problem", f"it was acknowledged, but is in no file in {folder}", remedy)
    with connect(Path(":memory:")) as connection:
        load(connection, files)
        found = connection.execute("select event_type from raw.deliveries where svix_id = ?", [svix_id]).fetchall()
    if found != [(EVENT,)]:
        return Diagnosis(
            "test delivery", "problem", f"{files[0]} has it, but a load does not find it", "Report this bug."
        )
    return Diagnosis("test delivery", "ok", f"it is in {files[0].name}, and a load puts it into raw.deliveries")
