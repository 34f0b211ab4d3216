"""Files that nobody would send, made by a fuzzer, against the oracle; what once went wrong is kept in tests/corpus.

`make fuzz` goes on for longer, with other files each time. A file it finds belongs into the corpus.
"""

import os
from pathlib import Path

import pytest
from awkward_lines import AWKWARD, BOM
from hypothesis import given, settings
from hypothesis import strategies as st
from inbox import inbox
from product import Product

CORPUS = {path.name: path.read_bytes() for path in sorted((Path(__file__).parent / "corpus").glob("*.jsonl"))}
LINES = sorted({line for content in CORPUS.values() for line in content.split(b"\n")} | set(AWKWARD))
SHORT = [line for line in LINES if len(line) < 2_000]
PIECES = [
    b"\n",
    b"\r\n",
    b"\x00",
    b'"',
    b"\\",
    b"\\u",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\xff",
    BOM,
    b"NaN",
    b"null",
]
# A file that begins so is taken for a compressed one, which test_hostile_files.py is about.
PACKED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd")
EXAMPLES = int(os.environ.get("STUDYFLOW_FUZZ_EXAMPLES", "60"))


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Draw a file of lines that are known to be awkward, then cut, splice, flip and repeat its bytes."""
    content = b"\n".join(draw(st.lists(st.sampled_from(SHORT), max_size=6)))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(content)))
        end = draw(st.integers(start, min(len(content), start + 40)))
        match draw(st.sampled_from(["cut", "truncate", "flip", "repeat", "put", "splice"])):
            case "cut":
                content = content[:start] + content[end:]
            case "truncate":
                content = content[:start]
            case "flip" if start < len(content):
                flipped = content[start] ^ (1 << draw(st.integers(0, 7)))
                content = content[:start] + bytes([flipped]) + content[start + 1 :]
            case "repeat":
                content = content[:end] + content[start:end] * draw(st.integers(1, 50)) + content[end:]
            case "put":
                content = content[:start] + draw(st.sampled_from(PIECES) | st.binary(max_size=4)) + content[start:]
            case "splice":
                other = draw(st.sampled_from(SHORT))
                content = content[:start] + other[draw(st.integers(0, len(other))) :]
    return content


def check(product: Product, files: dict[str, bytes]) -> None:
    """Load the files, and hold every count, delivery and rejected line against the oracle's reading."""
    with inbox(product) as box:
        box.put(files)
        box.load()
        box.check(files)


def test_the_corpus(product: Product) -> None:
    """What once went wrong, or nearly."""
    check(product, CORPUS)


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.9])
def test_the_corpus_cut_off(product: Product, cut: float) -> None:
    """A file that is still being written may end anywhere."""
    cut_off = {name: content[: int(len(content) * cut)] for name, content in CORPUS.items()}
    check(product, {name: content for name, content in cut_off.items() if not content.startswith(PACKED)})


@settings(max_examples=EXAMPLES)
@given(st.lists(mutated() | st.binary(max_size=60), min_size=1, max_size=4))
def test_any_files(product: Product, contents: list[bytes]) -> None:
    """Bytes spliced from what is known to be awkward, and any bytes."""
    named = {f"{number}.jsonl": content for number, content in enumerate(contents)}
    check(product, {name: content for name, content in named.items() if not content.startswith(PACKED)})
