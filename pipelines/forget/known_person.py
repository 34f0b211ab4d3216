"""Look up what the warehouse and people.csv know of a person: ids, names, lines and mentions."""

import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from pipelines.forget import people_file
from pipelines.load.search_terms import LINES_AT_ONCE, SearchTerms
from pipelines.load.withhold import Forgotten, forgotten, hash_of
from pipelines.report import formatting
from pipelines.warehouse import has_table, only_row

PARTICIPANTS_OF_PERSON = (Path(__file__).parent / "participants_of_person.sql").read_text(encoding="utf-8")
IS_ABOUT_PERSON = (Path(__file__).parent / "is_about_person.sql").read_text(encoding="utf-8")
NOT_BUILT = "(select null::varchar as participant_id, null::varchar as person_id, null::timestamptz as last_changed_at)"

STORED_LINES = """
select file_id, line_number, position, coalesce(line_bytes, encode(line)) as content
from raw.deliveries
where line is not null or line_bytes is not null
"""

COUNTS = """
select
    count(*) filter (is_about_person(participant_id, person_id, file_id, line_number, position)),
    count(*) filter (
        mentions_person(file_id, line_number, position)
        and not is_about_person(participant_id, person_id, file_id, line_number, position)
    )
from raw.deliveries
"""

LINE_POSITION = pa.schema({"file_id": pa.int32(), "line_number": pa.int64(), "position": pa.int32()})


@dataclass(frozen=True, slots=True)
class Ids:
    """The ids of a person and of their participants, and names and email addresses that nobody else has.

    They are never printed, logged or stored.
    """

    person: str = field(repr=False)
    participants: tuple[str, ...] = field(repr=False)
    names: tuple[str, ...] = field(repr=False, default=())
    emails: tuple[str, ...] = field(repr=False, default=())

    @property
    def all(self) -> tuple[str, ...]:
        """Every distinct id and email address. They decide who a line is about; names do not."""
        return tuple(dict.fromkeys((self.person, *self.participants, *self.emails)))

    @property
    def as_shown(self) -> tuple[str, ...]:
        """Every text that must not be left: ids, email addresses and names, also as reports show and shorten them."""
        exact = (*self.all, *self.names)
        return tuple(dict.fromkeys((*exact, *map(formatting.one_line, exact), *map(formatting.cut, exact))))


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """What is known of a person.

    `hashes`: of all their ids, including those from when they were forgotten before (`forgotten_at`). `id_terms`:
    search terms for their ids, including hashes of ids that are no longer known. `all_terms`: search terms for every
    text that must not be left. `mentioning_lines`: positions of stored whole lines that contain one of their ids.
    `lines`: number of their own lines. `mentions`: number of stored lines of others that name them. `people_rows`:
    number of their rows in people.csv. `is_in_tables`: whether the built tables have their row of people.csv.
    """

    ids: Ids
    hashes: Forgotten
    id_terms: SearchTerms
    all_terms: SearchTerms
    mentioning_lines: pa.Table
    lines: int
    mentions: int
    people_rows: int
    is_in_tables: bool
    forgotten_at: datetime | None

    @property
    def person_hash(self) -> str:
        """The hash of the person's id, which stands for them from now on."""
        return hash_of(self.hashes.salt, self.ids.person)

    @property
    def is_someone(self) -> bool:
        """Whether the person is known, or was forgotten before."""
        return self.is_in_warehouse or self.people_rows > 0 or self.forgotten_at is not None

    @property
    def is_in_warehouse(self) -> bool:
        """Whether the warehouse has any data on them."""
        return self.lines > 0 or self.mentions > 0 or self.is_in_tables

    def register_macros(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Create the SQL macros that say whether an id (withhold.sql) or a line (is_about_person.sql) is about them."""
        self.hashes.register_macros(connection)
        connection.register("mentioning_lines", self.mentioning_lines)
        connection.execute(IS_ABOUT_PERSON)


def look_up(connection: duckdb.DuckDBPyConnection, person: str, people: Path) -> KnownPerson:
    """Look up a person by id. This only reads the warehouse and people.csv.

    Raises:
        StudyflowError: people.csv cannot be read.
    """
    all_forgotten = forgotten(connection)
    salt = all_forgotten.salt if all_forgotten else secrets.token_hex(16)
    person_hash = hash_of(salt, person)
    before = forgotten(connection, person_hash)
    found = people_file.find(people, person)
    built = "marts.participants" if has_table(connection, "marts", "participants") else NOT_BUILT
    connection.execute(f"create or replace temp view built_participants as from {built}")
    participants = connection.execute(PARTICIPANTS_OF_PERSON, {"person": person}).fetchall()
    ids = Ids(person, tuple(participant for (participant,) in participants), found.names, found.emails)
    # Email addresses are stored like ids of participants, so that lines that contain one are withheld.
    hashes = Forgotten.of_ids(salt, [person], [*ids.participants, *ids.emails])
    forgotten_at = None
    if before:
        hashes = replace(hashes, participants=tuple(sorted({*hashes.participants, *before.participants})))
        query = "select min(forgotten_at) from raw.forgotten where person_hash = ?"
        forgotten_at = only_row(connection, query, [person_hash])[0]
    unknown_hashes = {*hashes.people, *hashes.participants} - {hash_of(salt, term) for term in ids.all}
    id_terms = SearchTerms.of(ids.all, salt, unknown_hashes)
    known = KnownPerson(
        ids,
        hashes,
        id_terms,
        all_terms=SearchTerms.of(ids.as_shown, salt, unknown_hashes),
        mentioning_lines=_mentioning_lines(connection, id_terms),
        lines=0,
        mentions=0,
        people_rows=found.rows,
        is_in_tables=has_table(connection, "staging", "stg_people")
        and only_row(connection, "select count(*) > 0 from staging.stg_people where person_id = ?", [person])[0],
        forgotten_at=forgotten_at,
    )
    known.register_macros(connection)
    lines, mentions = only_row(connection, COUNTS)
    return replace(known, lines=lines, mentions=mentions)


def _mentioning_lines(connection: duckdb.DuckDBPyConnection, terms: SearchTerms) -> pa.Table:
    """The positions of stored whole lines in which one of the terms occurs."""
    lines = (
        (row, row["content"])
        for batch in connection.sql(STORED_LINES).to_arrow_reader(LINES_AT_ONCE)
        for row in batch.to_pylist()
    )
    return pa.Table.from_pylist([row for row, _ in terms.filter_lines(lines)], schema=LINE_POSITION)
