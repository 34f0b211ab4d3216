"""Signing secrets, and the check of Svix's signatures."""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal

from standardwebhooks.webhooks import Webhook

from pipelines.errors import StudyflowError

SECRETS, SECRETS_FILE = "STUDYFLOW_WEBHOOK_SECRETS", "STUDYFLOW_WEBHOOK_SECRETS_FILE"
PREFIX = "whsec_"
MIN_KEY_BYTES = 16
"""Svix makes keys of 24 bytes or more."""
TOLERANCE_SECONDS = 300
"""How far the time of a delivery may be from the clock here. The library has the same limit."""
HEADERS = ("id", "timestamp", "signature")

Refusal = Literal["headers", "time", "signature"]


def read_secrets(environment: Mapping[str, str]) -> list[str]:
    """The signing secrets from the environment, or from the file it names. There may be several during a rotation.

    Raises:
        StudyflowError: there is no secret, or an invalid one. The message does not contain secrets.
    """
    text, named = environment.get(SECRETS, ""), environment.get(SECRETS_FILE, "")
    if text and named:
        msg = f"{SECRETS} and {SECRETS_FILE} are both set. Unset one of them."
        raise StudyflowError(msg)
    place = named or SECRETS
    if named:
        try:
            text = Path(named).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not a text file"
            msg = f"{named}: the file of {SECRETS_FILE} cannot be read ({reason}). Correct the path or its permissions."
            raise StudyflowError(msg) from error
    secrets = re.split(r"[\s,]+", text.strip(" \t\r\n,"))
    if secrets == [""]:
        msg = (
            f"{place}: there is no signing secret. Copy it from the endpoint's page in Rally's webhook portal and set "
            f"{SECRETS}, or {SECRETS_FILE} to a file that has it."
        )
        raise StudyflowError(msg)
    for number, secret in enumerate(secrets, start=1):
        if not _is_secret(secret):
            msg = f"{place}: secret {number} of {len(secrets)} is not complete ({PREFIX} followed by base64). Copy it again."
            raise StudyflowError(msg)
    return secrets


def _is_secret(secret: str) -> bool:
    if not secret.startswith(PREFIX):
        return False
    encoded = secret.removeprefix(PREFIX)
    try:
        key = base64.b64decode(encoded.rstrip("=") + "=" * (-len(encoded.rstrip("=")) % 4), validate=True)
    except (binascii.Error, ValueError):
        return False
    return len(key) >= MIN_KEY_BYTES


class Signatures:
    """Verifies deliveries with any of the secrets, and signs test deliveries with the first."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._webhooks = [Webhook(secret) for secret in secrets]

    def refusal(self, headers: Mapping[str, str], body: bytes, now: float) -> Refusal | None:
        """Why the delivery is refused; None if it has a valid and recent signature.

        A body that is not UTF-8 is refused, because Svix signs text. If the time is off, the reason is `time`, even if
        the signature is wrong, too.
        """
        signed = signed_headers(headers)
        if not all(signed.values()):
            return "headers"
        try:
            if abs(now - float(signed["webhook-timestamp"])) > TOLERANCE_SECONDS:
                return "time"
        except ValueError:
            return "headers"
        return None if any(_has_signed(webhook, signed, body) for webhook in self._webhooks) else "signature"

    def sign(self, svix_id: str, moment: datetime, body: str) -> str:
        """The signature header of a delivery, made with the first secret."""
        return self._webhooks[0].sign(svix_id, moment, body)


def signed_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers of Svix or of Standard Webhooks, under the names that the library expects; empty if missing."""
    prefix = "svix" if "svix-id" in headers else "webhook"
    return {f"webhook-{name}": headers.get(f"{prefix}-{name}", "") for name in HEADERS}


def _has_signed(webhook: Webhook, signed: dict[str, str], body: bytes) -> bool:
    try:
        webhook.verify(body, signed, json_parse=False)
    except Exception:  # noqa: BLE001 - the library raises several kinds of errors for malformed headers
        return False
    return True
