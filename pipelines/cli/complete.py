"""Shell completion of arguments and options."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer

from pipelines.plain import plain

MAX_COMPLETIONS = 50
# Shells would split, expand or run other characters.
_SAFE = re.compile(r"[\w.:@%+=,-]+")


def complete(kind: str) -> Callable[[typer.Context, str], list[tuple[str, str]]]:
    """A function that completes words of this kind of complete.sql, except words that a shell would split."""

    def completions(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
        return _completions(ctx, kind, incomplete)

    return completions


def queries(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Complete the last word of a query to the name of a table."""
    start, word = re.fullmatch(r"(.*?)([\w.]*)", incomplete, re.DOTALL).groups()  # type: ignore[union-attr]
    return [(f"{start}{name}", help_text) for name, help_text in _completions(ctx, "table", word)] if word else []


def _completions(ctx: typer.Context, kind: str, typed: str) -> list[tuple[str, str]]:
    """Completions with their help texts; none if the warehouse cannot be read."""
    try:
        from pipelines.ask.warehouse import ask, reading
        from pipelines.settings import resolve

        database: Any = ctx.params.get("database")
        with reading(resolve(database=Path(database) if database else None).database) as connection:
            rows = list(ask(connection, "complete", kind=kind, typed=typed, most=MAX_COMPLETIONS).rows)
    except Exception:  # noqa: BLE001 - an error must not disturb the prompt; the command will report it
        return []
    return [(completion, plain(help_text)) for completion, help_text in rows if _SAFE.fullmatch(completion)]
