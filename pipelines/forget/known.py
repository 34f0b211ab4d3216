"""What a warehouse knows of a person."""

import secrets
from dataclasses import dataclass
from datetime import datetime

import duckdb

from pipelines.forget.ids import Ids
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

# What a text says, also where it is kept as bytes.
TEXT = "coalesce(line, readable(line_bytes), '')"

IS_THEIRS = f"""
case
    when participant_id is not null then is_forgotten_person(person_id) or is_forgotten_participant(participant_id)
    else mentions_forgotten({TEXT}) or regexp_matches({TEXT}, $pattern)
end
"""
"""SQL, of a row of `raw.deliveries`, once `Forgotten.tell` has told who it is."""

MENTIONS_THEM = f"(line is not null and (mentions_forgotten({TEXT}) or regexp_matches({TEXT}, $pattern)))"


@dataclass(frozen=True, slots=True)
class Known:
    """A person as a warehouse knows them: their ids, and the lines that are theirs.

    `forgotten_at`: when they were forgotten before; `hashes` are those of all their ids, now and then.
    """

    ids: Ids
    hashes: Forgotten
    lines: int
    forgotten_at: datetime | None

    @property
    def person_hash(self) -> str:
        """What they are called from now on."""
        return hash_of(self.hashes.salt, self.ids.person)

    @property
    def is_someone(self) -> bool:
        """Whether anything is, or was, known of them."""
        return self.lines > 0 or self.forgotten_at is not None


def look_up(connection: duckdb.DuckDBPyConnection, person: str) -> Known:
    """What is known of them. The warehouse is only read."""
    everyone = forgotten(connection)
    salt = everyone.salt if everyone else secrets.token_hex(16)
    person_hash = hash_of(salt, person)
    before = forgotten(connection, person_hash) if everyone else None
    has_lines = has_table(connection, "raw", "deliveries")
    ids = Ids(person, _participants(connection, person) if has_lines else ())
    now = Forgotten.of_ids(salt, [person], ids.participants)
    hashes = Forgotten(salt, now.people, tuple(sorted({*now.participants, *(before.participants if before else ())})))
    lines = 0
    if has_lines:
        hashes.tell(connection)
        query = f"select count(*) from raw.deliveries where {IS_THEIRS}"  # noqa: S608
        lines = only_row(connection, query, {"pattern": ids.pattern})[0]
    forgotten_at = None
    if before:
        query = "select min(forgotten_at) from raw.forgotten where person_hash = ?"
        forgotten_at = only_row(connection, query, [person_hash])[0]
    return Known(ids, hashes, lines, forgotten_at)


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
