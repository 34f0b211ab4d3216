"""Writes answers as CSV or JSON to standard output, row by row, in little memory."""

import re
import sys
from collections.abc import Iterable, Iterator
from itertools import chain
from json.encoder import encode_basestring_ascii
from typing import Any

from pipelines.ask.values import as_cell, as_json
from pipelines.ask.warehouse import QueryResult, ResultColumn
from pipelines.plain import plain
from pipelines.streams import quiet_when_closed

_BUFFER_BYTES = 1 << 16


def csv_lines(answer: QueryResult) -> Iterator[str]:
    """Yield CSV lines: RFC 4180 with a header, but with line feeds as line ends, as in the exports."""
    kinds = [column.type for column in answer.columns]
    for row in chain([[column.name for column in answer.columns]], answer.rows):
        yield ",".join(map(as_cell, row, kinds)) + "\n"


def json_lines(answer: QueryResult) -> Iterator[str]:
    """Yield a JSON array with an object for each row, one on a line."""
    names, kinds = _keys(answer.columns), [column.type for column in answer.columns]
    before = "[\n"
    for row in answer.rows:
        values = zip(names, row, kinds, strict=True)
        yield before + "{" + ", ".join(f"{name}: {as_json(value, kind)}" for name, value, kind in values) + "}"
        before = ",\n"
    yield "\n]\n" if before == ",\n" else "[]\n"


def document(value: dict[str, Any]) -> Iterator[str]:
    """Yield one JSON object. Each element of its lists is on a line of its own."""
    before = "{\n"
    for key, member in value.items():
        yield f"{before}{as_json(key)}: "
        if isinstance(member, list) and member:
            yield "[\n" + ",\n".join(map(as_json, member)) + "\n]"
        else:
            yield as_json(member)
        before = ",\n"
    yield "\n}\n"


def on_a_terminal(text: str, *, is_json: bool) -> str:
    """The text without what a terminal would obey: JSON in ASCII, CSV with control characters escaped."""
    if is_json:
        return re.sub(r"[^\0-~]", lambda found: encode_basestring_ascii(found[0])[1:-1], text)
    return plain(text, keep="\n\t")


def write_stdout(lines: Iterable[str], *, is_json: bool) -> None:
    """Write CSV or JSON to standard output. A closed pipe is no error."""
    is_terminal = sys.stdout.isatty()
    with quiet_when_closed(sys.stdout):
        buffer = bytearray()
        for line in lines:
            buffer += (on_a_terminal(line, is_json=is_json) if is_terminal else line).encode("utf-8", "surrogatepass")
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
        keys.append(as_json(name))
    return keys
