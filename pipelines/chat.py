"""Chat messages about a run: JSON in the form of Slack's incoming webhooks, posted or written to a file."""

import html
import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError
from urllib3.util import Retry

from pipelines.errors import ExitCode, StudyflowError
from pipelines.outcome import Outcome
from pipelines.system import write_atomically
from pipelines.trust import sentences_of_notes

TIMEOUT_SECONDS = 10
"""The timeout of each request."""
RETRIES = Retry(
    3,
    backoff_factor=1,
    status_forcelist=[429, 500, 502, 503, 504],
    allowed_methods=["POST"],
    retry_after_max=TIMEOUT_SECONDS,
)
MAX_WAIT_SECONDS = 30.0
"""How long a run waits for the chat, all attempts together."""
MAX_TEXT_LENGTH = 2900
"""Slack refuses sections of more than 3,000 characters."""
OUTCOMES = {
    ExitCode.DONE: (":white_check_mark:", "done"),
    ExitCode.CHECKS_FAILED: (":warning:", "done, but data checks failed"),
    ExitCode.FAILED: (":x:", "some of the input could not be read"),
}

_NOT_IN_ADDRESS = re.compile(r"[\s\"'<>\\^`{|}]")
_NOT_IN_FILE = re.compile(r"://|^'|[\"\x00-\x1f]")

Message = dict[str, Any]


def run_message(outcome: Outcome) -> Message:
    """The message about a finished run: actions from the report, problems, counts, and the report files."""
    emoji, phrase = OUTCOMES[outcome.exit_code]
    reported, failures = outcome.reported, outcome.report.failures if outcome.report else []
    sections = {
        "To do": list(reported.actions) if reported else [],
        "Problems": [
            *map(str, outcome.problems),
            *(f"{finding.table}: {finding.rule} ({finding.count:,} rows)" for finding in failures),
        ],
        "Run": _facts(outcome),
        "Reports": list(map(str, reported.files)) if reported else [],
    }
    return _message(f"{emoji} studyflow, as of {outcome.settings.as_of:%Y-%m-%d %H:%M} UTC: {phrase}", sections)


def failure_message(problem: object) -> Message:
    """The message about a run that failed."""
    emoji, _ = OUTCOMES[ExitCode.FAILED]
    return _message(f"{emoji} studyflow: the run failed", {"Problems": [str(problem)]})


def check_target(target: str) -> None:
    """Check that `target` is an address or a file that a message can be sent to.

    Errors do not repeat the target: it may be a mistyped address, and addresses are secrets.

    Raises:
        StudyflowError: it is neither an http address nor a .json file in an existing folder.
    """
    if _is_address(target):
        return
    if _NOT_IN_FILE.search(target) or not target.endswith(".json"):
        msg = "neither an http or https address nor the name of a .json file (not shown, because it may be a secret)"
        raise StudyflowError(msg)
    if not Path(target).parent.is_dir():
        msg = "the folder of this .json file does not exist"
        raise StudyflowError(msg)


def send(message: Message, target: str) -> None:
    """Post the message if `target` is an address, otherwise write it to the file `target`.

    Errors name only the host of an address, because the address is a secret.

    Raises:
        StudyflowError: posting failed after three retries or took more than 30 seconds, or the file cannot be written.
    """
    check_target(target)
    if _is_address(target):
        _post(message, target)
        return
    try:
        write_atomically(Path(target), json.dumps(message, indent=2, ensure_ascii=False) + "\n")
    except OSError as error:
        msg = f"The summary cannot be written to the file of --chat or STUDYFLOW_CHAT ({error.strerror}). Choose another one."
        raise StudyflowError(msg) from error


def _is_address(target: str) -> bool:
    try:
        parts = urlsplit(target)
        return (
            parts.scheme in {"http", "https"}
            and bool(parts.hostname)
            and parts.port != 0
            and not _NOT_IN_ADDRESS.search(target)
        )
    except ValueError:  # unbalanced brackets or an invalid port
        return False


def _facts(outcome: Outcome) -> list[str]:
    summary = outcome.summary
    facts = [outcome.loaded.sentence()] if outcome.loaded else []
    if summary:
        facts.append(f"{summary.participants:,} participants in {summary.studies:,} studies; {summary.gaps:,} gaps.")
        facts += sentences_of_notes(summary.trust) if summary.trust else []
    return facts


def _message(title: str, sections: Mapping[str, list[str]]) -> Message:
    filled = {name: lines for name, lines in sections.items() if lines}
    blocks: list[Message] = [{"type": "section", "text": {"type": "mrkdwn", "text": f"*{_escaped(title)}*"}}]
    for name, lines in filled.items():
        text = "\n".join([f"*{name}*", *(f"• {_escaped(line)}" for line in lines)])
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": _truncated(text)}})
    plain = "\n".join([title, *(f"{name}: {'; '.join(lines)}".replace(".; ", ". ") for name, lines in filled.items())])
    return {"text": _truncated(_escaped(plain)), "blocks": blocks}


def _escaped(text: str) -> str:
    """The text with &, < and > escaped, which Slack reads as markup."""
    return html.escape(text, quote=False)


def _truncated(text: str) -> str:
    return text if len(text) <= MAX_TEXT_LENGTH else f"{text[:MAX_TEXT_LENGTH].rstrip()}…"


def _post(message: Message, address: str) -> None:
    """Post the message from a daemon thread.

    The timeout of a request bounds neither name resolution nor a response that arrives byte by byte.
    """
    host = urlsplit(address).hostname
    problems = [f"{host} did not accept the summary within {MAX_WAIT_SECONDS:.0f} seconds. Check STUDYFLOW_CHAT."]

    def post() -> None:
        problems[:] = _post_problems(message, address)

    thread = Thread(target=post, daemon=True)
    thread.start()
    thread.join(MAX_WAIT_SECONDS)
    for problem in problems:
        raise StudyflowError(problem)


def _post_problems(message: Message, address: str) -> list[str]:
    """Why the message was not delivered; empty if it was. Redirects are not followed: only 2xx counts as delivered."""
    host = urlsplit(address).hostname
    with requests.Session() as session:
        for scheme in ("http://", "https://"):
            session.mount(scheme, HTTPAdapter(max_retries=RETRIES))
        try:
            answer = session.post(address, json=message, timeout=TIMEOUT_SECONDS, allow_redirects=False, stream=True)
        except (requests.RequestException, HTTPError, ValueError, OSError) as error:
            return [f"The summary could not be posted to {host} ({type(error).__name__}). Check STUDYFLOW_CHAT."]
    if not HTTPStatus.OK <= answer.status_code < HTTPStatus.MULTIPLE_CHOICES:
        return [f"{host} did not accept the summary: it answered {answer.status_code}. Check STUDYFLOW_CHAT."]
    return []
