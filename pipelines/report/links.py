"""Links from ids to Rally, by addresses that the user gives: studyflow does not know where a workspace is."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from pipelines.errors import StudyflowError

IDS = ("study_id", "participant_id", "person_id")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses with `{study_id}`, `{participant_id}` or `{person_id}` where the ids go; empty: no links.

    Raises:
        StudyflowError: an address is no http(s) one, or lacks the id that it leads to.
    """

    study_url: str = ""
    participant_url: str = ""

    def __post_init__(self) -> None:
        """Check the addresses."""
        for name, needed in (("study_url", ("study_id",)), ("participant_url", ("participant_id", "person_id"))):
            _check(name, getattr(self, name), needed)

    @classmethod
    def from_environment(cls) -> "Links":
        """What STUDYFLOW_STUDY_URL and STUDYFLOW_PARTICIPANT_URL say."""
        return cls(os.environ.get("STUDYFLOW_STUDY_URL", ""), os.environ.get("STUDYFLOW_PARTICIPANT_URL", ""))

    def study(self, row: Mapping[str, Any]) -> str:
        """Where the study of a row is, or nothing."""
        return _filled(self.study_url, row)

    def participant(self, row: Mapping[str, Any]) -> str:
        """Where the participant of a row is, or nothing."""
        return _filled(self.participant_url, row)


def _check(name: str, url: str, needed: tuple[str, ...]) -> None:
    said = f"{name.removesuffix('_url')} URL {url!r}"
    if url and not re.match(r"https?://[^\s/]", url):
        msg = f"The {said} must begin with https:// or http://."
        raise StudyflowError(msg)
    placeholders = set(_PLACEHOLDER.findall(url))
    if unknown := placeholders.difference(IDS):
        msg = f"The {said} has {{{min(unknown)}}}, which is unknown. Use {', '.join(f'{{{one}}}' for one in IDS)}."
        raise StudyflowError(msg)
    if url and not placeholders.intersection(needed):
        msg = f"The {said} must have {' or '.join(f'{{{one}}}' for one in needed)} where the id goes."
        raise StudyflowError(msg)


def _filled(url: str, row: Mapping[str, Any]) -> str:
    """The address with the ids of the row; nothing where the row lacks one of them."""
    ids = {name: row.get(name) for name in _PLACEHOLDER.findall(url)}
    if not url or None in ids.values():
        return ""
    return _PLACEHOLDER.sub(lambda found: quote(str(ids[found[1]]), safe=""), url)
