"""Writes answers as CSV or JSON to standard output, row by row, in little memory."""

import sys
from collections.abc import Iterable, Iterator
from typing import Any

from pipelines.ask.values import as_json, cells
from pipelines.ask.warehouse import QueryResult, ResultColumn
from pipelines.plain import plain
from pipelines.streams import quiet_when_closed

_BUFFER_BYTES = 1 << 16


def csv_lines(answer: QueryResult) -> Iterator[str]:
    """Yield CSV lines: RFC 4180 with a header, but with line feeds as line ends, as in the exports."""
    yield cells(["VARCHAR"] * len(answer.columns))(tuple(column.name for column in answer.columns))
    yield from map(cells([column.type for column in answer.columns]), answer.rows)


def json_lines(answer: QueryResult) -> Iterator[str]:
    """Yield a JSON array with an object for each row, one on a line."""
    names, kinds = _keys(answer.columns), [column.type for column in answer.columns]
    ascii_only = sys.stdout.isatty()
    before = "[\n"
    for row in answer.rows:
        values = zip(names, row, kinds, strict=True)
        yield (
            before
            + "{"
            + ", ".join(f"{name}: {as_json(value, kind, ascii_only=ascii_only)}" for name, value, kind in values)
            + "}"
        )
        before = ",\n"
    yield "\n]\n" if before == ",\n" else "[]\n"


def document(value: dict[str, Any]) -> Iterator[str]:
    """Yield one JSON object. Each element of its lists is on a line of its own."""
    ascii_only = sys.stdout.isatty()
    before = "{\n"
    for key, member in value.items():
        yield f"{before}{as_json(key)}: "
        if isinstance(member, list) and member:
            yield "[\n" + ",\n".join(as_json(row, ascii_only=ascii_only) for row in member) + "\n]"
        else:
            yield as_json(member, ascii_only=ascii_only)
        before = ",\n"
    yield "\n}\n"


def write_stdout(lines: Iterable[str]) -> None:
    """Write text to standard output. Control characters are escaped on a terminal. A closed pipe is no error."""
    is_terminal = sys.stdout.isatty()
    with quiet_when_closed(sys.stdout):
        buffer = bytearray()
        for line in lines:
            buffer += (plain(line, keep="\n\t") if is_terminal else line).encode("utf-8", "surrogatepass")
            if len(buffer) >= _BUFFER_BYTES:
                sys.stdout.buffer.write(buffer)
                buffer.clear()
        sys.stdout.buffer.write(buffer)
        sys.stdout.buffer.flush()


def _keys(columns: tuple[ResultColumn, ...]) -> list[str]:
    """The column names as JSON keys. A repeated name gets a number appended, as in DuckDB."""
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
