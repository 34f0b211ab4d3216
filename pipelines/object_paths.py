"""Addresses in object stores, such as s3://bucket/folder/, and paths on disk."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, cast, get_args

from pipelines.errors import UsageError

Scheme = Literal["s3", "gs", "az"]

ADDRESS = re.compile(r"(s3|gs|az):/{1,2}([^/]+)(?:/(.*))?", re.DOTALL)
"""Matches one or two slashes after the colon, because `Path` collapses them to one."""
OTHER_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+:/")


@dataclass(frozen=True, slots=True)
class ObjectPath:
    """An object, a folder of objects or a glob. An empty `key` means the whole bucket (on Azure: container)."""

    scheme: Scheme
    bucket: str
    key: str

    def __str__(self) -> str:
        """The address."""
        return f"{self.scheme}://{self.bucket}/{self.key}"

    @property
    def name(self) -> str:
        """The last part of the key."""
        return self.key.rpartition("/")[2]

    def at(self, key: str) -> "ObjectPath":
        """The path of another key in the same bucket."""
        return ObjectPath(self.scheme, self.bucket, key)


RawPath: TypeAlias = Path | ObjectPath


def object_path(text: str) -> ObjectPath | None:
    """The text as an object-store address; None if it is not one."""
    if not (match := ADDRESS.fullmatch(text)):
        return None
    scheme, bucket, key = match.groups()
    return ObjectPath(cast("Scheme", scheme), bucket, key or "")


def raw_paths(paths: Iterable[Path]) -> Iterator[RawPath]:
    """Yield the values of an option or variable as absolute paths on disk or as object-store addresses.

    Raises:
        UsageError: an address has another scheme, or contains credentials.
    """
    for text in _rejoined(list(map(str, paths))):
        if address := object_path(text):
            if "@" in address.bucket:
                msg = f"{address.scheme}://…@…: an address has a bucket and no credentials. These come from the environment."
                raise UsageError(msg)
            yield address
        elif OTHER_ADDRESS.match(text) and not Path(text).exists():
            msg = f"{text.replace(':/', '://', 1)}: studyflow reads files on disk and addresses that begin with s3://, gs:// or az://."
            raise UsageError(msg)
        else:
            yield Path(text).absolute()


def _rejoined(texts: list[str]) -> list[str]:
    """The texts with addresses put together again: environment variables are split at colons, also after a scheme."""
    rejoined: list[str] = []
    for text in texts:
        if text.startswith("//") and rejoined and rejoined[-1] in get_args(Scheme):
            rejoined[-1] += f":{text}"
        else:
            rejoined.append(text)
    return rejoined
