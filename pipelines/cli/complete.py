"""What the shell offers for a word that is being typed. It is quick, and where it knows nothing it says nothing."""

import re
from pathlib import Path
from typing import Any

import typer

from pipelines.plain import plain

MOST_OFFERED = 50
# A shell splits, expands or runs these.
_SAFE = re.compile(r"[\w.:@%+=,-]+")


def studies(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Ids and names of studies that begin so; not names with blanks, which a shell would split."""
    return _offered(ctx, "study", incomplete)


def participants(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Ids of participants that begin so."""
    return _offered(ctx, "participant", incomplete)


def states(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """States of the incentive backlog."""
    return _offered(ctx, "state", incomplete)


def queries(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """The query with its last word as the name of a table."""
    start, word = re.fullmatch(r"(.*?)([\w.]*)", incomplete, re.DOTALL).groups()  # type: ignore[union-attr]
    return [(f"{start}{name}", said) for name, said in _offered(ctx, "table", word)] if word else []


def _offered(ctx: typer.Context, kind: str, typed: str) -> list[tuple[str, str]]:
    try:
        from pipelines.ask.warehouse import ask, reading
        from pipelines.settings import resolve

        database: Any = ctx.params.get("database")
        with reading(resolve(database=Path(database) if database else None).database) as connection:
            found = list(ask(connection, "complete", kind=kind, typed=typed, most=MOST_OFFERED).rows)
    except Exception:  # noqa: BLE001 - a command will report any error; a prompt must not
        return []
    return [(offered, plain(said)) for offered, said in found if _SAFE.fullmatch(offered)]
