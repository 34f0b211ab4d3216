"""The study or participants that someone means by what they typed."""

import duckdb

from pipelines.ask.warehouse import ask
from pipelines.errors import StudyflowError

_ALIKE = 5
MOST_LISTED = 20


def find_study(connection: duckdb.DuckDBPyConnection, asked: str) -> str:
    """The id of the study with that id or name, in any case, or the only one of which that is the beginning.

    Raises:
        StudyflowError: there is none, or more than one.
    """
    found = list(ask(connection, "find_study", asked=asked).rows)
    best = min((fit for *_, fit in found), default=_ALIKE)
    meant = [(study, name) for study, name, fit in found if fit == best]
    if best < _ALIKE and len(meant) == 1:
        return str(meant[0][0])
    listed = "".join(f"\n  {study}  {name or ''}".rstrip() for study, name in meant[:MOST_LISTED])
    listed += "\n  …" if len(meant) > MOST_LISTED else ""
    if best < _ALIKE:
        msg = f"{asked!r} matches several studies. Give more of the name, or the id:{listed}"
    elif listed:
        msg = f"{asked!r}: no study has this id or name. Did you mean one of these?{listed}"
    else:
        msg = f"{asked!r}: no study has this id or name. See all: studyflow studies"
    raise StudyflowError(msg)


def only_study(connection: duckdb.DuckDBPyConnection, asked: str | None) -> str | None:
    """The id of the study that was asked for; None, for all studies, where none was. Raises as `find_study`."""
    return None if asked is None else find_study(connection, asked)


def find_participants(connection: duckdb.DuckDBPyConnection, asked: str) -> list[str]:
    """The participant with that id, else all participants of the only person who is meant.

    People go by id, name or email address, or by a part of an id or name.

    Raises:
        StudyflowError: there is none, or it may mean several people.
    """
    found = list(ask(connection, "find_participant", asked=asked).rows)
    if len({person for _, person, *_ in found}) == 1:
        return [participant for participant, *_ in found]
    if found:
        listed = [f"\n  {'  '.join(filter(None, (one, name, study)))}" for one, _, name, study in found[:MOST_LISTED]]
        listed += ["\n  …"] if len(found) > MOST_LISTED else []
        msg = f"{asked!r} matches several people. Give more of the name, or the id:{''.join(listed)}"
    else:
        alike = "".join(f"\n  {one}" for (one,) in ask(connection, "find_people_alike", asked=asked).rows)
        did_you_mean = f" Did you mean one of these?{alike}" if alike else ""
        msg = f"{asked!r}: no participant and no person has this id, name or email address.{did_you_mean}"
    raise StudyflowError(msg)
