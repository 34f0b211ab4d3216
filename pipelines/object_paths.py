"""Addresses in object stores, such as s3://bucket/folder/, beside paths on disk."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, cast, get_args

from pipelines.errors import UsageError

Scheme = Literal["s3", "gs", "az"]

ADDRESS = re.compile(r"(s3|gs|az):/{1,2}([^/]+)(?:/(.*))?", re.DOTALL)
"""With one slash after the colon, too: a `Path` leaves out the other."""
OTHER_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+:/")


@dataclass(frozen=True, slots=True)
class ObjectPath:
    """An object, a folder of objects or a pattern for them. `key` is empty for all of the bucket (on Azure: container)."""

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
        """Another place in the same bucket."""
        return ObjectPath(self.scheme, self.bucket, key)


RawPath: TypeAlias = Path | ObjectPath


def object_path(text: str) -> ObjectPath | None:
    """The address that a text is, if it is one."""
    if not (found := ADDRESS.fullmatch(text)):
        return None
    scheme, bucket, key = found.groups()
    return ObjectPath(cast("Scheme", scheme), bucket, key or "")


def raw_paths(given: Iterable[Path]) -> Iterator[RawPath]:
    """What options and variables name: absolute paths on disk, and addresses.

    Raises:
        UsageError: an address of a kind that is not read, or with credentials.
    """
    for text in _whole(list(map(str, given))):
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


def _whole(texts: list[str]) -> list[str]:
    """A variable is split at colons, also at the one of an address: put that together again."""
    whole: list[str] = []
    for text in texts:
        if text.startswith("//") and whole and whole[-1] in get_args(Scheme):
            whole[-1] += f":{text}"
        else:
            whole.append(text)
    return whole
