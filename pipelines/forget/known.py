"""What is known of a person: in the warehouse, and in people.csv."""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from pipelines.forget import people_file
from pipelines.forget.ids import Ids
from pipelines.load.wanted import LINES_AT_ONCE, Wanted
from pipelines.load.withhold import Forgotten, forgotten, hash_of
from pipelines.warehouse import has_table, only_row

# Whose a participant is, the last change decides. Of several at one instant the marts know the order, where they have it.
LAST_DELIVERIES = """
with

candidates as (
    select distinct participant_id from raw.deliveries where person_id = $person
),

ranked as (
    select
        participant_id,
        person_id,
        updated_at,
        rank() over (partition by participant_id order by updated_at desc) as place
    from raw.deliveries
    where participant_id in (select participant_id from candidates)
)

select distinct participant_id, updated_at
from ranked
where place = 1 and person_id = $person
"""

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

NAMED = pa.table({"file_id": pa.array([], pa.int32()), "line_number": pa.array([], pa.int64())})


@dataclass(frozen=True, slots=True)
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

    @property
    def in_lines(self) -> Wanted:
        """What finds the lines that name them: their ids, and hashes of ids that nobody knows any more."""
        return _in_lines(self.ids, self.hashes)

    @property
    def anywhere(self) -> Wanted:
        """What must be nowhere."""
        lines = self.in_lines
        return Wanted.of(self.ids.as_shown, lines.salt, lines.hashes)

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
    before = forgotten(connection, person_hash) if everyone else None
    has_lines = has_table(connection, "raw", "deliveries")
    found = people_file.find(people, person)
    ids = Ids(person, _participants(connection, person) if has_lines else (), found.names)
    now = Forgotten.of_ids(salt, [person], ids.participants)
    hashes = Forgotten(salt, now.people, tuple(sorted({*now.participants, *(before.participants if before else ())})))
    described = has_table(connection, "staging", "stg_people") and bool(
        only_row(connection, "select count(*) from staging.stg_people where person_id = ?", [person])[0]
    )
    forgotten_at = None
    if before:
        query = "select min(forgotten_at) from raw.forgotten where person_hash = ?"
        forgotten_at = only_row(connection, query, [person_hash])[0]
    known = Known(ids, hashes, NAMED, 0, 0, found.theirs, described, forgotten_at)
    if not has_lines:
        return known
    known = replace(known, named=_named(connection, known.in_lines))
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
    rows = [{"file_id": file_id, "line_number": number} for (file_id, number), _ in wanted.among(kept)]
    return pa.Table.from_pylist(rows, schema=NAMED.schema)


def _in_lines(ids: Ids, hashes: Forgotten) -> Wanted:
    plain = {hash_of(hashes.salt, one) for one in ids.all}
    return Wanted.of(ids.all, hashes.salt, {*hashes.people, *hashes.participants} - plain)


def _participants(connection: duckdb.DuckDBPyConnection, person: str) -> tuple[str, ...]:
    last = dict(connection.execute(LAST_DELIVERIES, {"person": person}).fetchall())
    theirs = set(last)
    if has_table(connection, "marts", "participants"):
        ids = [person, list(last)]
        query = (
            "select participant_id, person_id, last_changed_at from marts.participants "
            "where person_id = $1 or participant_id in (select unnest($2))"
        )
        for participant, its_person, changed in connection.execute(query, ids).fetchall():
            if its_person == person:
                theirs.add(participant)
            elif changed >= last[participant]:
                theirs.discard(participant)
    return tuple(sorted(theirs))
