"""Forgetting in any form and any place: after it is done, a search that knows nothing of how it was done finds nothing."""

import base64
import gzip
import html
import json
import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote, quote_plus

import pyarrow as pa
import pytest
from forgetting import WITHHELD, Place, forget, line
from hypothesis import example, given, settings
from hypothesis import strategies as st
from product import Product

from pipelines.load.search_terms import SearchTerms
from pipelines.report.pages import escaped

LIKE_AN_ESCAPE = "_x0041_y"
"""A workbook could mean `Ay` by it. Too much may be taken for this id, never too little."""

IDS = (
    "pe_gone_0001",
    "pe_1",
    "a<b>&c",
    "x~y#z*|w",
    "back\\slash\\n",
    'a "quoted" one',
    "100%25_off",
    "Zoë 佐藤 \U0001f600",
    LIKE_AN_ESCAPE,
    "it's=me+you/too",
)

DEAD = 2**22 + 1
"""No process has this number."""


def json_escaped(text: str) -> str:
    """Every character as an escape."""
    units = text.encode("utf-16-be")
    return '"' + "".join(f"\\u{units[at]:02x}{units[at + 1]:02X}" for at in range(0, len(units), 2)) + '"'


def in_base64(before: str, *, for_addresses: bool = False) -> Callable[[str], str]:
    """A payload in base64, in which the text begins at one of the three places in a group."""
    encode = base64.urlsafe_b64encode if for_addresses else base64.b64encode
    return lambda text: encode(json.dumps({before: text}, ensure_ascii=False).encode()).decode()


# How a text is written in another. Nothing of the product is in it, but for what reports do to Markdown.
FORMS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "JSON": json.dumps,
    "JSON, every character": json_escaped,
    "JSON in JSON": lambda text: json.dumps(json.dumps(json.dumps({"id": text}))),
    "percent": lambda text: f"id=%22{quote(text, safe='')}%22&more",
    "percent in lower case": lambda text: f"%7b%22{quote(text, safe='').lower() if text.isascii() else quote(text)}%22",
    "form": lambda text: f"payload={quote_plus(json.dumps({'id': text}))}",
    "twice percent": lambda text: quote(quote(f'"{text}"', safe=""), safe=""),
    "base64, 0": in_base64("a"),
    "base64, 1": in_base64("ab"),
    "base64, 2": in_base64("abc"),
    "base64 for addresses": in_base64("ab", for_addresses=True),
    "base64 in base64": lambda text: base64.b64encode(in_base64("a")(text).encode()).decode(),
    "HTML": lambda text: f"<td>{html.escape(text)}</td>",
    "HTML, every character": lambda text: f"<td>{''.join(f'&#{ord(one)};' for one in text)}</td>",
    "HTML, hexadecimal": lambda text: f"<td>{''.join(f'&#x{ord(one):X};' for one in text)}</td>",
    "Markdown": lambda text: f"| {escaped(text)} |",
    "CSV": lambda text: '"' + text.replace('"', '""') + '"',
}

ENCODINGS = ("utf-8", "utf-16", "utf-16-be")


def written(text: str, form: str, encoding: str) -> bytes:
    """A line in which the text stands in a form."""
    return f"see {FORMS[form](text)} there".encode(encoding)


def packed(content: bytes, ending: str) -> bytes:
    """What a file of that name holds."""
    if ending == ".gz":
        return gzip.compress(content)
    if ending == ".zst":
        return bytes(pa.compress(content, "zstd", asbytes=True))
    if ending == ".zip":
        with BytesIO() as made:
            with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr("a.txt", content)
            return made.getvalue()
    return content


@given(one=st.sampled_from(IDS), form=st.sampled_from(sorted(FORMS)), encoding=st.sampled_from(ENCODINGS))
def test_an_id_is_found_in_any_form(one: str, form: str, encoding: str) -> None:
    """And an id that has it as a part is another id, in every form."""
    wanted = SearchTerms.of([one])
    assert wanted.occur_in(written(one, form, encoding))
    others = (f"{one}2", f"2{one}", f"{one}_x", f"x-{one}")
    for other in others if one != LIKE_AN_ESCAPE else ():
        assert not wanted.occur_in(written(other, form, encoding)), other


@pytest.mark.parametrize("one", ["pe_gone_0001", "100%25_off", "Zoë-佐藤"])
def test_what_comes_later_in_any_form_is_withheld(tmp_path: Path, product: Product, one: str) -> None:
    """Only a hash of the id is known then."""
    place = Place(tmp_path, product)
    place.put({"a.jsonl": line(personId=one)})
    place.forget(one)
    others = [written(f"{one}2", form, "utf-8") for form in FORMS]
    place.put({"b.jsonl": b"\n".join([*(written(one, form, "utf-8") for form in FORMS), *others, b""])})
    assert place.of(WITHHELD) == [(1 + len(FORMS),)]
    assert place.of("select count(*) from raw.deliveries") == [(len(others),)]
    place.accounts_for()


@pytest.mark.parametrize("short", ["1", "pe1", "a<b", "4711", "12345"])
def test_a_short_id_is_found_where_it_is_no_accident(short: str) -> None:
    """In quotes and in cells: in running text it says nothing."""
    wanted = SearchTerms.of([short])
    for form in ("JSON", "JSON in JSON", "percent", "base64, 1", "HTML", "Markdown", "form"):
        assert wanted.occur_in(written(short, form, "utf-8")), form
    assert not wanted.occur_in(f"see {short} there".encode())
    assert wanted.short == 1


def test_what_is_wanted_does_not_show() -> None:
    """In a message or a log it would stay for good."""
    assert "pe_gone_0001" not in repr(SearchTerms.of(["pe_gone_0001"]))


PLACES = (
    "raw/b.jsonl",
    "raw/b.jsonl.gz",
    "raw/b.jsonl.zst",
    "raw/b.jsonl.1",
    "raw/never-loaded.jsonl.2",
    "exports/notes.txt",
    "exports/sent.zip",
    "exports/old.csv.gz",
    "reports/studyflow-2025-01-01.html",
    "reports/studyflow-2025-01-01.md",
    "reports/.index.html.0123456789abcdef.studyflow-draft",
    "w.duckdb.tmp/anything",
    f"w.duckdb.tmp/duckdb_temp_{DEAD}_0_storage_DEFAULT-0.tmp",
    ".exports.studyflow-export/new/participants.csv",
    ".w.duckdb.studyflow/work/w.duckdb.wal",
    "temp/whatever",
    "system/studyflow-0a1b2c3d/tmpabcdefgh",
    "system/studyflow-mine/notes.txt",
    "people.csv",
)
REPORT = '<meta name="studyflow-as-of" content="2025-01-01T00:00:00Z">\n'


PLANTED = st.dictionaries(
    st.sampled_from(PLACES), st.tuples(st.sampled_from(sorted(FORMS)), st.sampled_from(ENCODINGS)), max_size=4
)


@settings(max_examples=3)
@given(one=st.sampled_from(IDS), planted=PLANTED)
@example(one="pe_gone_0001", planted=dict.fromkeys(PLACES, ("percent", "utf-8")))
@example(one='a "quoted" one', planted={"raw/b.jsonl": ("CSV", "utf-16")})
@example(one="x~y#z*|w", planted={"reports/studyflow-2025-01-01.md": ("Markdown", "utf-8")})
@example(one="pe_gone_0001", planted=dict.fromkeys(PLACES[:4], ("base64, 1", "utf-8")))
def test_what_is_left_is_told(product: Product, one: str, planted: dict[str, tuple[str, str]]) -> None:
    """As `what_is_left` says, of some files. Many runs see many."""
    what_is_left(product, one, planted)


@pytest.mark.slow(reason="the same for more files")
@settings(max_examples=10)
@given(one=st.sampled_from(IDS), planted=PLANTED)
def test_what_is_left_is_told_of_more_files(product: Product, one: str, planted: dict[str, tuple[str, str]]) -> None:
    what_is_left(product, one, planted)


def what_is_left(product: Product, one: str, planted: dict[str, tuple[str, str]]) -> None:
    """Either it is gone, or the proof names the place, and the command does not end with 0."""
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        place = Place(folder, product)
        patch.setenv("STUDYFLOW_TEMP_DIRECTORY", f"{folder}/temp")
        patch.setattr("tempfile.tempdir", f"{folder}/system")
        place.put({"a.jsonl": line(personId=one) + line(personId="other", participantId="of-other")})
        for name, (form, encoding) in planted.items():
            plant(place, name, written(one, form, encoding))
        if "raw/b.jsonl.1" in planted:
            (place.raw / "rotated.jsonl").write_bytes((place.raw / "b.jsonl.1").read_bytes())
            (place.raw / "b.jsonl.1").unlink()
        place.load()
        if "raw/b.jsonl.1" in planted:
            (place.raw / "rotated.jsonl").rename(place.raw / "rotated.jsonl.1")
        proof = forget(place.settings, person=one)
        told = "\n".join([*proof.still_held, *proof.search.found, *proof.search.unread])
        left = [path for path in Path(folder).rglob("*") if path.is_file() and holds(path, one)]
        for path in left:
            assert str(path) in told, path
        assert not (left and proof.is_done)
        assert one not in json.dumps(proof.as_dict(), ensure_ascii=False)
        assert (place.raw / "a.jsonl").read_bytes() == line(personId="other", participantId="of-other")


def plant(place: Place, name: str, content: bytes) -> None:
    """Put a line into a file of a place, as it would be there."""
    path = place.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if name == "people.csv":
        content = b"note,person_id\nnothing,someone\n"
    elif name.startswith("reports/studyflow"):
        content = REPORT.encode() + content
    elif name.startswith("raw"):
        content += b"\n"
    path.write_bytes(packed(content, path.suffix))


def holds(path: Path, one: str) -> bool:
    """Whether any form of an id is in a file, by looking for each."""
    contents = list(unpacked(path))
    return any(
        FORMS[form](one).strip('"').encode(encoding).removeprefix(b"\xff\xfe") in content
        for form in FORMS
        for encoding in ENCODINGS
        for content in contents
    )


def unpacked(path: Path) -> Iterator[bytes]:
    """What is in a file."""
    content = path.read_bytes()
    yield content
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            yield from map(archive.read, archive.namelist())
    elif path.suffix == ".gz":
        yield gzip.decompress(content)
    elif path.suffix == ".zst":
        with pa.CompressedInputStream(pa.OSFile(str(path)), "zstd") as stream:
            yield stream.read()
