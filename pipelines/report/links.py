"""Links from ids to pages in Rally, by URL templates that the user sets."""

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
    """URL templates with `{study_id}`, `{participant_id}` or `{person_id}` in place of ids. Empty: no links.

    Raises:
        StudyflowError: a template is not an http(s) URL, has an unknown placeholder, or lacks the required one.
    """

    study_url: str = ""
    participant_url: str = ""

    def __post_init__(self) -> None:
        """Check the templates."""
        for name, required in (("study_url", ("study_id",)), ("participant_url", ("participant_id", "person_id"))):
            _check(name, getattr(self, name), required)

    @classmethod
    def from_environment(cls) -> "Links":
        """The templates in STUDYFLOW_STUDY_URL and STUDYFLOW_PARTICIPANT_URL."""
        return cls(os.environ.get("STUDYFLOW_STUDY_URL", ""), os.environ.get("STUDYFLOW_PARTICIPANT_URL", ""))

    def study(self, row: Mapping[str, Any]) -> str:
        """The URL of the row's study; empty if unknown."""
        return _filled(self.study_url, row)

    def participant(self, row: Mapping[str, Any]) -> str:
        """The URL of the row's participant; empty if unknown."""
        return _filled(self.participant_url, row)


def _check(name: str, url: str, required: tuple[str, ...]) -> None:
    subject = f"{name.removesuffix('_url')} URL {url!r}"
    if url and not re.match(r"https?://[^\s/]", url):
        msg = f"The {subject} must begin with https:// or http://."
        raise StudyflowError(msg)
    placeholders = set(_PLACEHOLDER.findall(url))
    if unknown := placeholders.difference(IDS):
        msg = f"The {subject} has {{{min(unknown)}}}, which is unknown. Use {', '.join(f'{{{name}}}' for name in IDS)}."
        raise StudyflowError(msg)
    if url and not placeholders.intersection(required):
        msg = f"The {subject} must have {' or '.join(f'{{{name}}}' for name in required)} where the id goes."
        raise StudyflowError(msg)


def _filled(url: str, row: Mapping[str, Any]) -> str:
    """The template filled with the ids of the row; empty if the row lacks one of them."""
    ids = {name: row.get(name) for name in _PLACEHOLDER.findall(url)}
    if not url or None in ids.values():
        return ""
    return _PLACEHOLDER.sub(lambda found: quote(str(ids[found[1]]), safe=""), url)
