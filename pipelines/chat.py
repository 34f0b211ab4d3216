"""The outcome of a run as a message for a chat: JSON as Slack's incoming webhooks take it, to a file or posted."""

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

SECONDS = 10
"""How long the chat may take to answer, each time."""
AGAIN = Retry(
    3,
    backoff_factor=1,
    status_forcelist=[429, 500, 502, 503, 504],
    allowed_methods=["POST"],
    retry_after_max=SECONDS,
)
LONGEST = 30.0
"""The most seconds that a run waits for the chat."""
LONGEST_TEXT = 2900
"""Slack refuses sections of more than 3,000 characters."""
OUTCOMES = {
    ExitCode.DONE: (":white_check_mark:", "done"),
    ExitCode.CHECKS_FAILED: (":warning:", "done, but data checks failed"),
    ExitCode.FAILED: (":x:", "some of the input could not be read"),
}

_NO_ADDRESS = re.compile(r"[\s\"'<>\\^`{|}]")
_NO_FILE = re.compile(r"://|^'|[\"\x00-\x1f]")

Message = dict[str, Any]


def of_run(outcome: Outcome) -> Message:
    """What came of a run: what is to be done first, if it made a report, then how far the run itself can be trusted."""
    sign, words = OUTCOMES[outcome.exit_code]
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
    return _message(f"{sign} studyflow, as of {outcome.settings.as_of:%Y-%m-%d %H:%M} UTC: {words}", sections)


def of_failure(problem: object) -> Message:
    """That a run could not be done, and why."""
    sign, _ = OUTCOMES[ExitCode.FAILED]
    return _message(f"{sign} studyflow: the run failed", {"Problems": [str(problem)]})


def check_target(target: str) -> None:
    """Find out whether a message can be sent there at all.

    What is neither address nor file may be an address with a typo, which is a secret: errors do not repeat it.

    Raises:
        StudyflowError: it is neither an address nor a JSON file in a folder that is there.
    """
    if _is_address(target):
        return
    if _NO_FILE.search(target) or not target.endswith(".json"):
        msg = "neither an http or https address nor the name of a .json file (not shown, because it may be a secret)"
        raise StudyflowError(msg)
    if not Path(target).parent.is_dir():
        msg = "the folder of this .json file does not exist"
        raise StudyflowError(msg)


def send(message: Message, target: str) -> None:
    """Post the message where `target` is an address, else write it to the file of that name.

    Addresses of chats are secrets: no error names more than their host.

    Raises:
        StudyflowError: it could not be posted, after three more tries or in 30 seconds, or not be written.
    """
    check_target(target)
    if _is_address(target):
        _post(message, target)
    else:
        _write(message, Path(target))


def _is_address(target: str) -> bool:
    try:
        parts = urlsplit(target)
        return (
            parts.scheme in {"http", "https"}
            and bool(parts.hostname)
            and parts.port != 0
            and not _NO_ADDRESS.search(target)
        )
    except ValueError:  # brackets, or a port that is none
        return False


def _facts(outcome: Outcome) -> list[str]:
    summary = outcome.summary
    facts = [outcome.loaded.sentence()] if outcome.loaded else []
    if summary:
        facts.append(f"{summary.participants:,} participants in {summary.studies:,} studies; {summary.gaps:,} gaps.")
        facts += sentences_of_notes(summary.trust) if summary.trust else []
    return facts


def _message(title: str, sections: Mapping[str, list[str]]) -> Message:
    told = {name: lines for name, lines in sections.items() if lines}
    blocks: list[Message] = [{"type": "section", "text": {"type": "mrkdwn", "text": f"*{_escaped(title)}*"}}]
    for name, lines in told.items():
        text = "\n".join([f"*{name}*", *(f"• {_escaped(line)}" for line in lines)])
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": _cut(text)}})
    plain = "\n".join([title, *(f"{name}: {'; '.join(lines)}".replace(".; ", ". ") for name, lines in told.items())])
    return {"text": _cut(_escaped(plain)), "blocks": blocks}


def _escaped(text: str) -> str:
    """Slack takes &, < and > for markup; line breaks of an error stay what they are."""
    return html.escape(text, quote=False)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT].rstrip()}…"


def _post(message: Message, address: str) -> None:
    """Post it, in a thread of its own: a chat that sends its answer byte by byte, or a name server, may take for ever."""
    host = urlsplit(address).hostname
    problems = [f"{host} did not accept the summary within {LONGEST:.0f} seconds. Check STUDYFLOW_CHAT."]

    def post() -> None:
        problems[:] = _problems(message, address)

    thread = Thread(target=post, daemon=True)
    thread.start()
    thread.join(LONGEST)
    for problem in problems:
        raise StudyflowError(problem)


def _problems(message: Message, address: str) -> list[str]:
    """Why the message was not delivered; nothing if it was. A redirect is not followed: only 2xx says that it arrived."""
    host = urlsplit(address).hostname
    with requests.Session() as session:
        for scheme in ("http://", "https://"):
            session.mount(scheme, HTTPAdapter(max_retries=AGAIN))
        try:
            answer = session.post(address, json=message, timeout=SECONDS, allow_redirects=False, stream=True)
        except (requests.RequestException, HTTPError, ValueError, OSError) as error:
            return [f"The summary could not be posted to {host} ({type(error).__name__}). Check STUDYFLOW_CHAT."]
    if not HTTPStatus.OK <= answer.status_code < HTTPStatus.MULTIPLE_CHOICES:
        return [f"{host} did not accept the summary: it answered {answer.status_code}. Check STUDYFLOW_CHAT."]
    return []


def _write(message: Message, file: Path) -> None:
    try:
        write_atomically(file, json.dumps(message, indent=2, ensure_ascii=False) + "\n")
    except OSError as error:
        msg = f"The summary cannot be written to the file of --chat or STUDYFLOW_CHAT ({error.strerror}). Choose another one."
        raise StudyflowError(msg) from error
