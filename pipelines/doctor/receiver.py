"""The checks of the receiver: secrets, folder, free space, last delivery, readiness, clock and refused deliveries."""

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests

from pipelines.doctor.diagnoses import Diagnosis
from pipelines.errors import StudyflowError
from pipelines.plain import instant, several
from pipelines.receive.files import delivery_files, is_being_written, last_received
from pipelines.receive.receiver import LEAST_FREE_BYTES
from pipelines.receive.signatures import SECRETS_FILE, TOLERANCE_SECONDS, read_secrets

TIMEOUT_SECONDS = 10
"""How long the receiver may take to answer."""
MAX_SKEW_SECONDS = 30
RECENT_DAYS = 7
MIN_DAYS = 30
"""If there is room for fewer days than this, there is a warning."""
QUIET = timedelta(days=1)
"""If the last delivery is older than this, there is a warning."""
MEGABYTE = 1 << 20
RETRIES = tuple(timedelta(seconds=seconds) for seconds in (5, 300, 1_800, 7_200, 18_000, 36_000, 36_000))
"""The waiting times between Svix's attempts to deliver a webhook."""
RETRY_PERIOD = sum(RETRIES, timedelta())
DISABLED_AFTER = timedelta(days=5)
PORTAL = "the endpoint's page in Rally's webhook portal"


def check_secrets(environment: Mapping[str, str]) -> Diagnosis:
    """Check that the signing secrets are well-formed, and that other users cannot read their file."""
    try:
        secrets = read_secrets(environment)
    except StudyflowError as error:
        return Diagnosis("secrets", "problem", str(error))
    found = several(len(secrets), "signing secret")
    if file := environment.get(SECRETS_FILE):
        if os.name == "posix" and Path(file).stat().st_mode & stat.S_IROTH:
            return Diagnosis("secrets", "warning", f"{found} in {file}, which everybody can read", f"chmod o-r {file}")
        return Diagnosis("secrets", "ok", f"{found} in {file}")
    return Diagnosis("secrets", "ok", found)


def check_folder(folder: Path) -> Iterator[Diagnosis]:
    """Check that the folder is writable and has enough space, and when the last delivery arrived."""
    if not folder.is_dir():
        yield Diagnosis("folder", "problem", f"{folder}: there is no such folder.", "Create it, or mount its disk.")
        return
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".studyflow-doctor-") as probe:
            probe.write(b"x")
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as error:
        remedy = "Make it writable for the user of the receiver, or free some space."
        yield Diagnosis("folder", "problem", f"{folder}: cannot be written to ({error.strerror}).", remedy)
    else:
        yield Diagnosis("folder", "ok", f"{folder} can be written to")
    yield _check_room(folder)
    yield _check_last_delivery(folder)


def _check_room(folder: Path) -> Diagnosis:
    now = datetime.now(UTC)
    free = shutil.disk_usage(folder).free
    stats = [file.stat() for file in delivery_files(folder)]
    recent = [stat for stat in stats if stat.st_mtime > (now - timedelta(days=RECENT_DAYS)).timestamp()]
    found = f"{free / MEGABYTE:,.0f} MB free"
    if free < LEAST_FREE_BYTES:
        return Diagnosis(
            "room", "problem", found, "Free some space: when the disk is full, deliveries are answered with 503."
        )
    if bytes_a_day := sum(stat.st_size for stat in recent) / RECENT_DAYS:
        days = free / bytes_a_day
        found += f", enough for {days:,.0f} days like the last {RECENT_DAYS}"
        if days < MIN_DAYS:
            return Diagnosis("room", "warning", found, "Compress or move files of earlier days.")
    return Diagnosis("room", "ok", found)


def _check_last_delivery(folder: Path) -> Diagnosis:
    last, now = last_received(folder), datetime.now(UTC)
    if last is None:
        remedy = "Send a test event from Rally's webhook portal, or check the whole path with --send-to."
        return Diagnosis("last delivery", "warning", "none has arrived yet", remedy)
    age = now - last
    if age < timedelta(seconds=-MAX_SKEW_SECONDS):
        remedy = "Set the clock (timedatectl): signatures are refused when it is more than 5 minutes off."
        return Diagnosis("last delivery", "problem", f"{instant(last)}, which is in the future", remedy)
    found = f"{instant(last)}, {_ago(age)} ago"
    return Diagnosis(
        "last delivery", "warning" if age > QUIET else "ok", found, after_outage(last, now) if age > QUIET else ""
    )


def after_outage(since: datetime, now: datetime) -> str:
    """What happens to deliveries that failed since then, and what to do."""
    retry_period = f"{RETRY_PERIOD.total_seconds() / 3600:.1f} hours"
    if now - since < RETRY_PERIOD:
        return (
            f"If the receiver has been down since {instant(since)}, you need not replay anything: Svix keeps trying for "
            f"{retry_period}, with pauses of up to 10 hours."
        )
    advice = (
        f"If the receiver has been down since {instant(since)}, deliveries from before {instant(now - RETRY_PERIOD)} are marked "
        f"as failed, because Svix gives up after {retry_period}. Replay them: on {PORTAL}, recover failed messages since "
        f"{instant(since)}. A delivery that arrives twice counts once."
    )
    if now - since >= DISABLED_AFTER:
        advice += " After 5 days Svix disables an endpoint: enable it again there first."
    return advice


def check_receiver(address: str, folder: Path | None) -> Iterator[Diagnosis]:
    """Check that a receiver answers and is ready, that its clock is right, and how many deliveries it refused."""
    try:
        answer = requests.get(f"http://{address}/ready", timeout=TIMEOUT_SECONDS)
        health: dict[str, Any] = answer.json()
    except (requests.RequestException, ValueError) as error:
        runs = folder is not None and folder.is_dir() and is_being_written(folder)
        remedy = (
            "A receiver uses the folder but listens on another address. Name that address with --listen."
            if runs
            else "Start it: studyflow receive. Svix keeps retrying deliveries in the meantime."
        )
        yield Diagnosis("receiver", "problem", f"no receiver answers at {address} ({type(error).__name__}).", remedy)
        return
    if health["ready"]:
        yield Diagnosis("receiver", "ok", f"ready at {address}, {several(health['lines_today'], 'line')} today")
    else:
        reason = health["problem"] or "there is too little free space"
        yield Diagnosis(
            "receiver", "problem", f"{address} is not ready: {reason}.", "Free some space or repair the disk."
        )
    yield _check_clock(health)
    yield from _check_refused(health["refused"])


def _check_clock(health: Mapping[str, Any]) -> Diagnosis:
    skew = health["clock_skew_seconds"]
    if skew is None:
        return Diagnosis("clock", "skipped", "not known yet: the receiver has had no delivery since it started")
    found = f"{abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} Svix's at the last delivery"
    if abs(skew) > MAX_SKEW_SECONDS:
        remedy = f"Set the clock (timedatectl): beyond {TOLERANCE_SECONDS} s every signature is refused."
        return Diagnosis("clock", "problem", found, remedy)
    return Diagnosis("clock", "ok", found)


def _check_refused(refused: Mapping[str, int]) -> Iterator[Diagnosis]:
    remedies = {
        "time": "If Svix sent them, the clock is off: set it (timedatectl).",
        "signature": "If Svix sent them, the secret is wrong, or a proxy changes bodies. Compare the secret with the one on the endpoint's "
        "page in the portal.",
    }
    for reason, remedy in remedies.items():
        if count := refused.get(reason, 0):
            yield Diagnosis(
                "refused", "warning", f"{several(count, 'delivery', 'deliveries')} because of their {reason}", remedy
            )


def _ago(age: timedelta) -> str:
    if age >= timedelta(days=2):
        return several(age.days, "day")
    if age >= timedelta(hours=2):
        return several(age // timedelta(hours=1), "hour")
    return several(age // timedelta(minutes=1), "minute")
