"""Replace ids by keyed hashes. A person has the same pseudonym everywhere; only the key tells who it is."""

import hmac
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from pipelines.errors import StudyflowError

KEY, KEY_FILE = "STUDYFLOW_PSEUDONYM_KEY", "STUDYFLOW_PSEUDONYM_KEY_FILE"
SHORTEST_KEY = 16
DIGITS = 32
KEY_COMMAND = 'python -c "import secrets; print(secrets.token_hex(32))"'

IDS = {"participant_id": "participant", "person_id": "person"}
"""Columns with ids of people and their kinds. A participant and a person with equal ids get different pseudonyms."""
PSEUDONYM_OF = "pseudonym_of"


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """Computes pseudonyms with a key. The same key always gives the same pseudonyms."""

    key: bytes = field(repr=False)

    @property
    def fingerprint(self) -> str:
        """A hash that identifies the key without revealing it."""
        return self.of("fingerprint", "")

    def of(self, kind: str, id_: str) -> str:
        """The pseudonym of an id of a kind: 32 hexadecimal digits of an HMAC-SHA256."""
        return hmac.digest(self.key, f"{kind}\0{id_}".encode(), "sha256").hex()[:DIGITS]

    @contextmanager
    def registered(self, connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
        """Let queries in the block call `of` as the SQL function PSEUDONYM_OF.

        Enter and leave this outside a transaction: after a rollback, DuckDB has dropped the function but its name stays
        taken.
        """
        connection.create_function(PSEUDONYM_OF, self.of, ["VARCHAR", "VARCHAR"], "VARCHAR")
        try:
            yield
        finally:
            connection.remove_function(PSEUDONYM_OF)


def from_environment() -> Pseudonyms:
    """Pseudonyms with the key from the environment, or from the file that it names.

    Raises:
        StudyflowError: there is no key, it is too short, or both variables are set.
    """
    text, file = os.environ.get(KEY, ""), os.environ.get(KEY_FILE, "")
    if text and file:
        msg = f"{KEY} and {KEY_FILE} are both set. Keep the one that your exports were made with."
        raise StudyflowError(msg)
    if file:
        try:
            key = Path(file).read_bytes().strip()
        except OSError as error:
            msg = f"{KEY_FILE}: {file} cannot be read ({error.strerror})."
            raise StudyflowError(msg) from error
    else:
        key = os.fsencode(text).strip()
    if len(key) < SHORTEST_KEY:
        problem = (
            f"the key has {len(key)} bytes, but needs at least {SHORTEST_KEY}"
            if key
            else "pseudonyms need a secret key"
        )
        msg = (
            f"{problem}. Set {KEY}, or set {KEY_FILE} to a file that has the key. Keep the key. Make one: {KEY_COMMAND}"
        )
        raise StudyflowError(msg[0].upper() + msg[1:])
    return Pseudonyms(key)
