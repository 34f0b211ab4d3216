"""What is known of a person: in the warehouse, and in people.csv."""

import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path

import duckdb
import pyarrow as pa

from pipelines.forget import people_file
from pipelines.load.wanted import LINES_AT_ONCE, Wanted
from pipelines.load.withhold import Forgotten, forgotten, hash_of
from pipelines.report import formatting
from pipelines.warehouse import has_table, only_row

# Whose a participant is, the last change decides. Of several at one instant the marts know the order, where they have it.
THEIRS = """
with

last_changes as (
    select participant_id, max(updated_at) as updated_at
    from raw.deliveries
    where participant_id in (select participant_id from raw.deliveries where person_id = $person)
    group by participant_id
    having max(updated_at) = max(updated_at) filter (person_id = $person)
)

select participant_id from {participants} where person_id = $person
union
select participant_id
from last_changes
where not exists (
    select 1
    from {participants} as built
    where
        built.participant_id = last_changes.participant_id
        and built.person_id <> $person
        and built.last_changed_at >= last_changes.updated_at
)
order by participant_id
"""
NOT_BUILT = "(select null::varchar as participant_id, null::varchar as person_id, null::timestamptz as last_changed_at)"

KEPT_LINES = """
select file_id, line_number, coalesce(line_bytes, encode(line)) as content
from raw.deliveries
where line is not null or line_bytes is not null
"""

IS_NAMED = "exists (select 1 from named where named.file_id = deliveries.file_id and named.line_number = deliveries.line_number)"

IS_THEIRS = f"""
case
    when participant_id is not null then is_forgotten_person(person_id) or is_forgotten_participant(participant_id)
    else {IS_NAMED}
end
"""
"""SQL, of a row of `raw.deliveries`, where `Known.register_macros` has said who it is."""

NAMED = pa.schema({"file_id": pa.int32(), "line_number": pa.int64()})


@dataclass(frozen=True, slots=True)
class Ids:
    """The id of a person, those of their participants, and names that nobody else has, as far as they are known.

    They are never printed, logged or kept.
    """

    person: str = field(repr=False)
    participants: tuple[str, ...] = field(repr=False)
    names: tuple[str, ...] = field(repr=False, default=())

    @property
    def all(self) -> tuple[str, ...]:
        """Every id once. By these, and never by a name, it is decided whose a line is."""
        return tuple(dict.fromkeys((self.person, *self.participants)))

    @property
    def as_shown(self) -> tuple[str, ...]:
        """All that must be nowhere: ids and names as they are, and as reports show and shorten them."""
        exact = (*self.all, *self.names)
        return tuple(dict.fromkeys((*exact, *map(formatting.shown, exact), *map(formatting.cut, exact))))


@dataclass(frozen=True)
class Known:
    """What is known of a person.

    `hashes`: of all their ids, now and when they were forgotten before (`forgotten_at`). `named`: file and number of
    kept lines in which an id of theirs stands. `lines` are theirs, `mentions` are kept lines of others that name them.
    `people_rows`: of people.csv. `described`: whether the tables have their row of it.
    """

    ids: Ids
    hashes: Forgotten
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

    @cached_property
    def in_lines(self) -> Wanted:
        """What finds the lines that name them: their ids, and hashes of ids that nobody knows any more."""
        return _in_lines(self.ids, self.hashes)

    @cached_property
    def anywhere(self) -> Wanted:
        """What must be nowhere."""
        return Wanted.of(self.ids.as_shown, self.in_lines.salt, self.in_lines.hashes)

    def register_macros(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Let the connection know who it is, for `IS_THEIRS`."""
        self.hashes.register_macros(connection)
        connection.register("named", self.named)


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
    participants = THEIRS.format(
        participants="marts.participants" if has_table(connection, "marts", "participants") else NOT_BUILT
    )
    theirs = connection.execute(participants, {"person": person}).fetchall()
    ids = Ids(person, tuple(participant for (participant,) in theirs), found.names)
    hashes = Forgotten.of_ids(salt, [person], ids.participants)
    if before:
        hashes = replace(hashes, participants=tuple(sorted({*hashes.participants, *before.participants})))
    forgotten_at = None
    if before:
        query = "select min(forgotten_at) from raw.forgotten where person_hash = ?"
        forgotten_at = only_row(connection, query, [person_hash])[0]
    known = Known(
        ids,
        hashes,
        named=_named(connection, _in_lines(ids, hashes)),
        lines=0,
        mentions=0,
        people_rows=found.theirs,
        described=has_table(connection, "staging", "stg_people")
        and only_row(connection, "select count(*) > 0 from staging.stg_people where person_id = ?", [person])[0],
        forgotten_at=forgotten_at,
    )
    known.register_macros(connection)
    query = (
        f"select count(*) filter ({IS_THEIRS}), count(*) filter ({IS_NAMED} and not {IS_THEIRS}) from raw.deliveries"  # noqa: S608
    )
    lines, mentions = only_row(connection, query)
    return replace(known, lines=lines, mentions=mentions)


def _named(connection: duckdb.DuckDBPyConnection, wanted: Wanted) -> pa.Table:
    """File and number of the kept lines in which one of them is."""
    kept = (
        ((row["file_id"], row["line_number"]), row["content"])
        for batch in connection.sql(KEPT_LINES).to_arrow_reader(LINES_AT_ONCE)
        for row in batch.to_pylist()
    )
    rows = [dict(zip(NAMED.names, place, strict=True)) for place, _ in wanted.among(kept)]
    return pa.Table.from_pylist(rows, schema=NAMED)


def _in_lines(ids: Ids, hashes: Forgotten) -> Wanted:
    plain = {hash_of(hashes.salt, one) for one in ids.all}
    return Wanted.of(ids.all, hashes.salt, {*hashes.people, *hashes.participants} - plain)
