"""The one reader of CSV files: what it takes for a row, and that it loses no byte of a file."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.csv_records import UnreadableError, records
from pipelines.forget.people_file import find

TEXTS = st.lists(
    st.sampled_from(
        ["person_id", "pe_1", "a b", " ", "\t", ",", ",,", '"', '""', "\n", "\r\n", "\r", "\ufeff", "é", "#", ";"]
    ),
    max_size=30,
).map("".join)


@given(text=TEXTS)
def test_rows_together_are_the_file(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """Whoever takes a row out leaves the others as they were, byte for byte; each begins on the line it says."""
    file = tmp_path_factory.getbasetemp() / "people.csv"
    file.write_bytes(text.encode())
    try:
        found = list(records(file))
    except UnreadableError as error:
        assert 1 <= error.line <= len(text) + 1  # noqa: PT017 - any file may be unreadable
        return
    assert "".join(record.text for record in found) == text
    lines = 1
    for record in found:
        assert record.line == lines
        lines += len(re.findall("\r\n|\r|\n", record.text))
    left = find(file, "pe_1").other_rows
    file.write_bytes(left.encode())
    assert (find(file, "pe_1").rows, find(file, "pe_1").other_rows) == (0, left)


@pytest.mark.parametrize(
    ("content", "line", "problem"),
    [
        ("a\nb\n".encode("utf-16"), 1, "is in UTF-16"),
        (b"a\nb\r\nc\rd\0", 4, "has a NUL"),
        (b"a\r\nb\xff", 2, "is not in UTF-8"),
        (b'a\n"b', 2, "unexpected end of data"),
        (b'a\n"b" c,d', 2, "',' expected after '\"'"),
    ],
)
def test_what_is_no_csv_is_named_by_its_line(tmp_path: Path, content: bytes, line: int, problem: str) -> None:
    file = tmp_path / "people.csv"
    file.write_bytes(content)
    with pytest.raises(UnreadableError, match=problem) as found:
        list(records(file))
    assert found.value.line == line
