"""What the shell offers for a word that is being typed. It is quick, and where it knows nothing it says nothing."""

import re
from pathlib import Path
from typing import Any

import typer

from pipelines.plain import plain

MOST_OFFERED = 50
# A shell splits, expands or runs these.
_SAFE = re.compile(r"[\w.:@%+=,-]+")

_STUDIES = """
    select study_id, coalesce(study_name, '')
    from marts.study_progress
    where starts_with(study_id, $typed)
    union all
    select study_name, study_id
    from marts.study_progress
    where starts_with(study_name, $typed)
    order by 1
    limit $most
"""
_PARTICIPANTS = """
    select participant_id, ''
    from marts.participants
    where starts_with(participant_id, $typed)
    order by participant_id
    limit $most
"""
_STATES = """
    select distinct backlog_state, ''
    from reference.incentive_effects
    where starts_with(backlog_state, $typed)
    order by backlog_state
    limit $most
"""
_TABLES = """
    select table_schema || '.' || table_name, ''
    from information_schema.tables
    where table_schema in ('marts', 'audit', 'reference', 'raw') and starts_with(table_schema || '.' || table_name, $typed)
    order by 1
    limit $most
"""


def studies(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Ids and names of studies that begin so; not names with blanks, which a shell would split."""
    return _offered(ctx, _STUDIES, incomplete)


def participants(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Ids of participants that begin so."""
    return _offered(ctx, _PARTICIPANTS, incomplete)


def states(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """States of the incentive backlog."""
    return _offered(ctx, _STATES, incomplete)


def queries(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """The query with its last word as the name of a table."""
    start, word = re.fullmatch(r"(.*?)([\w.]*)", incomplete, re.DOTALL).groups()  # type: ignore[union-attr]
    return [(f"{start}{name}", said) for name, said in _offered(ctx, _TABLES, word)] if word else []


def _offered(ctx: typer.Context, query: str, typed: str) -> list[tuple[str, str]]:
    try:
        from pipelines.ask.warehouse import reading
        from pipelines.settings import resolve

        database: Any = ctx.params.get("database")
        with reading(resolve(database=Path(database) if database else None).database) as connection:
            found = connection.execute(query, {"typed": typed, "most": MOST_OFFERED}).fetchall()
    except Exception:  # noqa: BLE001 - whatever is wrong, a command will say it; a prompt must not
        return []
    return [(offered, plain(said)) for offered, said in found if _SAFE.fullmatch(offered)]
