"""Addresses of object stores beside paths on disk: which are meant, which are refused."""

from pathlib import Path

import pytest

from pipelines.errors import UsageError
from pipelines.object_paths import ObjectPath, RawPath, raw_paths

# addresses


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (["s3://bucket/raw/2026/*.gz"], [ObjectPath("s3", "bucket", "raw/2026/*.gz")]),
        (["gs://bucket"], [ObjectPath("gs", "bucket", "")]),
        (["/srv/a", "az://container/"], [Path("/srv/a"), ObjectPath("az", "container", "")]),
        (
            ["s3", "//bucket/a", "/srv/b", "gs", "//c/d"],
            [ObjectPath("s3", "bucket", "a"), Path("/srv/b"), ObjectPath("gs", "c", "d")],
        ),
        (["s3"], [Path("s3").absolute()]),
    ],
)
def test_addresses_and_paths(given: list[str], meant: list[RawPath]) -> None:
    """Options come as paths, in which two slashes are one; a variable comes split at its colons."""
    assert list(raw_paths(map(Path, given))) == meant


def test_other_addresses_are_refused() -> None:
    """`https://…` is no file that is missing."""
    with pytest.raises(UsageError, match=r"^https://example.com/x: studyflow reads files on disk and addresses that"):
        list(raw_paths([Path("https://example.com/x")]))


def test_credentials_in_an_address_are_refused_and_not_repeated() -> None:
    """Logs and process lists would have them."""
    with pytest.raises(UsageError, match="no credentials") as refused:
        list(raw_paths([Path("s3://AKIA:secret@bucket/raw")]))
    assert "secret" not in str(refused.value)
