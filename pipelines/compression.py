"""Write compressed files."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, Literal

Compression = Literal["none", "gzip", "zstd"]


@contextmanager
def compressed(file: IO[bytes], compression: Compression) -> Iterator[Any]:
    """A stream that compresses what is written to it into `file`. gzip's header has no file name and no time."""
    if compression == "gzip":
        with gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=file, mtime=0) as target:
            yield target
    elif compression == "zstd":
        import pyarrow as pa  # noqa: PLC0415 - takes a quarter of a second

        with pa.CompressedOutputStream(pa.PythonFile(file, "w"), "zstd") as target:
            yield target
    else:
        yield file
