"""What is known of a person: in the warehouse, and in people.csv."""

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

THEIRS = (Path(__file__).parent / "theirs.sql").read_text(encoding="utf-8")
WHOSE = (Path(__file__).parent / "whose.sql").read_text(encoding="utf-8")
NOT_BUILT = "(select null::varchar as participant_id, null::varchar as person_id, null::timestamptz as last_changed_at)"

KEPT_LINES = """
select file_id, line_number, position, coalesce(line_bytes, encode(line)) as content
from raw.deliveries
where line is not null or line_bytes is not null
"""

COUNTS = """
select
    count(*) filter (is_theirs(participant_id, person_id, file_id, line_number, position)),
    count(*) filter (
        is_named(file_id, line_number, position)
        and not is_theirs(participant_id, person_id, file_id, line_number, position)
    )
from raw.deliveries
"""

NAMED = pa.schema({"file_id": pa.int32(), "line_number": pa.int64(), "position": pa.int32()})


@dataclass(frozen=True, slots=True)
class Ids:
    """The id of a person, those of their participants, email addresses and names that nobody else has, as far as known.

    They are never printed, logged or kept.
    """

    person: str = field(repr=False)
    participants: tuple[str, ...] = field(repr=False)
    names: tuple[str, ...] = field(repr=False, default=())
    emails: tuple[str, ...] = field(repr=False, default=())

    @property
    def all(self) -> tuple[str, ...]:
        """Every id and email address once. By these, and never by a name, it is decided whose a line is."""
        return tuple(dict.fromkeys((self.person, *self.participants, *self.emails)))

    @property
    def as_shown(self) -> tuple[str, ...]:
        """All that must be nowhere: ids and names as they are, and as reports show and shorten them."""
        exact = (*self.all, *self.names)
        return tuple(dict.fromkeys((*exact, *map(formatting.one_line, exact), *map(formatting.cut, exact))))


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a person.

    `hashes`: of all their ids, now and when they were forgotten before (`forgotten_at`). `named`: where
    kept lines are in which an id of theirs stands. `lines` are theirs, `mentions` are kept lines of others that name them.
    `people_rows`: of people.csv. `described`: whether the tables have their row of it. `in_lines` finds the lines that
    name them, by their ids and by hashes of ids that nobody knows any more; `anywhere` finds what must be nowhere.
    """

    ids: Ids
    hashes: Forgotten
    in_lines: SearchTerms
    anywhere: SearchTerms
    named: pa.Table
    lines: int
    mentions: int
    people_rows: int
    described: bool
    forgotten_at: datetime | None

    @property
    def person_hash(self) -> str:
        """What they are called from now on."""
        return hash_of(self.hashes.salt, self.ids.person)

    @property
    def is_someone(self) -> bool:
        """Whether anything is, or was, known of them."""
        return self.is_in_warehouse or self.people_rows > 0 or self.forgotten_at is not None

    @property
    def is_in_warehouse(self) -> bool:
        """Whether the warehouse has anything of them."""
        return self.lines > 0 or self.mentions > 0 or self.described

    def register_macros(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Make the macros that tell what is theirs, of a person (withhold.sql) and of a line (whose.sql)."""
        self.hashes.register_macros(connection)
        connection.register("named", self.named)
        connection.execute(WHOSE)


def look_up(connection: duckdb.DuckDBPyConnection, person: str, people: Path) -> Known:
    """What is known of them. The warehouse and people.csv are only read.

    Raises:
        StudyflowError: people.csv cannot be read.
    """
    everyone = forgotten(connection)
    salt = everyone.salt if everyone else secrets.token_hex(16)
    person_hash = hash_of(salt, person)
    before = forgotten(connection, person_hash)
    found = people_file.find(people, person)
    built = "marts.participants" if has_table(connection, "marts", "participants") else NOT_BUILT
    connection.execute(f"create or replace temp view built_participants as from {built}")
    theirs = connection.execute(THEIRS, {"person": person}).fetchall()
    ids = Ids(person, tuple(participant for (participant,) in theirs), found.names, found.emails)
    # Addresses are kept like ids of participants: what has one of them is withheld.
    hashes = Forgotten.of_ids(salt, [person], [*ids.participants, *ids.emails])
    if before:
        hashes = replace(hashes, participants=tuple(sorted({*hashes.participants, *before.participants})))
    forgotten_at = None
    if before:
        query = "select min(forgotten_at) from raw.forgotten where person_hash = ?"
        forgotten_at = only_row(connection, query, [person_hash])[0]
    hidden = {*hashes.people, *hashes.participants} - {hash_of(salt, one) for one in ids.all}
    in_lines = SearchTerms.of(ids.all, salt, hidden)
    known = Known(
        ids,
        hashes,
        in_lines,
        anywhere=SearchTerms.of(ids.as_shown, salt, hidden),
        named=_named(connection, in_lines),
        lines=0,
        mentions=0,
        people_rows=found.theirs,
        described=has_table(connection, "staging", "stg_people")
        and only_row(connection, "select count(*) > 0 from staging.stg_people where person_id = ?", [person])[0],
        forgotten_at=forgotten_at,
    )
    known.register_macros(connection)
    lines, mentions = only_row(connection, COUNTS)
    return replace(known, lines=lines, mentions=mentions)


def _named(connection: duckdb.DuckDBPyConnection, wanted: SearchTerms) -> pa.Table:
    """Where the kept lines are in which one of them is."""
    kept = (
        ((row["file_id"], row["line_number"], row["position"]), row["content"])
        for batch in connection.sql(KEPT_LINES).to_arrow_reader(LINES_AT_ONCE)
        for row in batch.to_pylist()
    )
    rows = [dict(zip(NAMED.names, place, strict=True)) for place, _ in wanted.filter_lines(kept)]
    return pa.Table.from_pylist(rows, schema=NAMED)
