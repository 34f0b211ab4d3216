"""Finds the study or participants that a typed text refers to."""

import duckdb

from pipelines.ask.warehouse import ask
from pipelines.errors import StudyflowError

_SIMILAR = 5
"""The fit of studies that are only similar to the text. Matches have a lower fit, which is better."""
MAX_LISTED = 20


def find_study(connection: duckdb.DuckDBPyConnection, text: str) -> str:
    """The id of the study whose id or name is the text, or of the only one whose id or name begins with it.

    Case is ignored.

    Raises:
        StudyflowError: the text matches no study or several.
    """
    found = list(ask(connection, "find_study", search=text).rows)
    best = min((fit for *_, fit in found), default=_SIMILAR)
    matches = [(study, name) for study, name, fit in found if fit == best]
    if best < _SIMILAR and len(matches) == 1:
        return str(matches[0][0])
    listed = "".join(f"\n  {study}  {name or ''}".rstrip() for study, name in matches[:MAX_LISTED])
    listed += "\n  …" if len(matches) > MAX_LISTED else ""
    if best < _SIMILAR:
        msg = f"{text!r} matches several studies. Give more of the name, or the id:{listed}"
    elif listed:
        msg = f"{text!r}: no study has this id or name. Did you mean one of these?{listed}"
    else:
        msg = f"{text!r}: no study has this id or name. See all: studyflow studies"
    raise StudyflowError(msg)


def only_study(connection: duckdb.DuckDBPyConnection, text: str | None) -> str | None:
    """The id of the study that the text matches; None if the text is None, which means all studies.

    Raises:
        StudyflowError: the text matches no study or several.
    """
    return None if text is None else find_study(connection, text)


def find_participants(connection: duckdb.DuckDBPyConnection, text: str) -> list[str]:
    """The id of the participant with this id, or the ids of all participants of the only person who matches.

    A person matches by id, name or email address, or by a part of an id or name.

    Raises:
        StudyflowError: the text matches nobody or several people.
    """
    found = list(ask(connection, "find_participant", search=text).rows)
    if len({person for _, person, *_ in found}) == 1:
        return [participant for participant, *_ in found]
    if found:
        listed = [
            f"\n  {'  '.join(filter(None, (participant, name, study)))}"
            for participant, _, name, study in found[:MAX_LISTED]
        ]
        listed += ["\n  …"] if len(found) > MAX_LISTED else []
        msg = f"{text!r} matches several people. Give more of the name, or the id:{''.join(listed)}"
    else:
        similar = "".join(f"\n  {name}" for (name,) in ask(connection, "find_people_alike", search=text).rows)
        did_you_mean = f" Did you mean one of these?{similar}" if similar else ""
        msg = f"{text!r}: no participant and no person has this id, name or email address.{did_you_mean}"
    raise StudyflowError(msg)
