"""Answers as CSV or JSON on standard output, row by row, so that any number of them takes little memory."""

import sys
from collections.abc import Iterable, Iterator
from typing import Any

from pipelines.ask.values import as_json, cells
from pipelines.ask.warehouse import QueryResult, ResultColumn
from pipelines.plain import plain
from pipelines.streams import quiet_when_closed

_AT_ONCE = 1 << 16


def csv_lines(answer: QueryResult) -> Iterator[str]:
    """RFC 4180 in UTF-8 with a header, line feeds at the ends of lines as in the exports."""
    yield cells(["VARCHAR"] * len(answer.columns))(tuple(column.name for column in answer.columns))
    yield from map(cells([column.type for column in answer.columns]), answer.rows)


def json_lines(answer: QueryResult) -> Iterator[str]:
    """An array with an object for each row, one on a line."""
    names, kinds = _keys(answer.columns), [column.type for column in answer.columns]
    ascii_only = sys.stdout.isatty()
    before = "[\n"
    for row in answer.rows:
        values = zip(names, row, kinds, strict=True)
        yield (
            before
            + "{"
            + ", ".join(f"{name}: {as_json(one, kind, ascii_only=ascii_only)}" for name, one, kind in values)
            + "}"
        )
        before = ",\n"
    yield "\n]\n" if before == ",\n" else "[]\n"


def document(value: dict[str, Any]) -> Iterator[str]:
    """One JSON document, its lists with an element on a line."""
    ascii_only = sys.stdout.isatty()
    before = "{\n"
    for key, one in value.items():
        yield f"{before}{as_json(key)}: "
        if isinstance(one, list) and one:
            yield "[\n" + ",\n".join(as_json(row, ascii_only=ascii_only) for row in one) + "\n]"
        else:
            yield as_json(one, ascii_only=ascii_only)
        before = ",\n"
    yield "\n}\n"


def put(lines: Iterable[str]) -> None:
    """Write text as it comes, to a terminal with nothing in it that a terminal obeys; end quietly when nobody reads on."""
    is_terminal = sys.stdout.isatty()
    with quiet_when_closed(sys.stdout):
        waiting = bytearray()
        for line in lines:
            waiting += (plain(line, keep="\n\t") if is_terminal else line).encode("utf-8", "surrogatepass")
            if len(waiting) >= _AT_ONCE:
                sys.stdout.buffer.write(waiting)
                waiting.clear()
        sys.stdout.buffer.write(waiting)
        sys.stdout.buffer.flush()


def _keys(columns: tuple[ResultColumn, ...]) -> list[str]:
    """The names as JSON keys. Two alike would hide one: the later gets a number, as DuckDB does it."""
    taken: set[str] = set()
    keys = []
    for column in columns:
        name, number = column.name, 0
        while name in taken:
            number += 1
            name = f"{column.name}_{number}"
        taken.add(name)
        keys.append(as_json(name, ascii_only=sys.stdout.isatty()))
    return keys
