"""Withhold lines of people who were forgotten. Only hashes of their ids are known."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipelines.warehouse import has_table, only_row

WITHHOLD = (Path(__file__).parent / "withhold.sql").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Forgotten:
    """Hashes of the ids of people and of their participants, with their common salt."""

    salt: str
    people: tuple[str, ...]
    participants: tuple[str, ...]

    @classmethod
    def of_ids(cls, salt: str, people: Iterable[str], participants: Iterable[str]) -> "Forgotten":
        """The hashes of these ids."""
        return cls(
            salt,
            tuple(hash_of(salt, person) for person in people),
            tuple(hash_of(salt, participant) for participant in participants),
        )

    def include(self, person: str, participant: str) -> bool:
        """Whether this person or this participant was forgotten."""
        return hash_of(self.salt, person) in self.people or hash_of(self.salt, participant) in self.participants

    def register_macros(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Create the SQL macros of withhold.sql, which say whether an id is of a forgotten person."""
        # `set variable` takes no parameters. Hashes and salts are hexadecimal, so they need no escaping.
        connection.execute(f"set variable forgotten_salt = {self.salt!r}")
        for name, hashes in (("people", self.people), ("participants", self.participants)):
            connection.execute(f"set variable forgotten_{name} = cast({list(hashes)} as varchar[])")
        connection.execute(WITHHOLD)


def hash_of(salt: str, term: str) -> str:
    """The hash of an id, in hexadecimal."""
    return hashlib.sha256(f"{salt}{term}".encode("utf-8", "surrogatepass")).hexdigest()


def forgotten(connection: duckdb.DuckDBPyConnection, person: str | None = None) -> Forgotten | None:
    """Everyone who was forgotten, or only the person with this hash; None if there is nobody."""
    if not has_table(connection, "raw", "forgotten"):
        return None
    query = """
    select
        any_value(salt),
        coalesce(list(id_hash order by id_hash) filter (kind = 'person'), []),
        coalesce(list(id_hash order by id_hash) filter (kind = 'participant'), [])
    from raw.forgotten
    where $1 is null or person_hash = $1
    """
    salt, people, participants = only_row(connection, query, [person])
    return Forgotten(salt, tuple(people), tuple(participants)) if salt else None
