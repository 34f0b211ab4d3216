"""Buckets of object stores: list objects with ETag and size, and read an object only as long as it is unchanged."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from pipelines.errors import SourceError, StudyflowError
from pipelines.object_paths import ObjectPath, Scheme

if TYPE_CHECKING:
    from obstore import ObjectMeta
    from obstore.store import AzureStore, GCSStore, RetryConfig, S3Store

ENDPOINTS: dict[Scheme, tuple[str, ...]] = {
    "s3": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"),
    "gs": ("GOOGLE_BASE_URL",),
    "az": ("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"),
}
CREDENTIALS: dict[Scheme, str] = {
    "s3": "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
    "gs": "Set GOOGLE_APPLICATION_CREDENTIALS, or run gcloud auth application-default login",
    "az": "Set AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
}
RETRIES: "RetryConfig" = {"max_retries": 6, "retry_timeout": timedelta(minutes=1)}
"""With pauses of 0.1 to 6 seconds, long enough for a server that restarts."""
AT_ONCE = 16
"""How many requests are sent in parallel."""
TIMEOUT = timedelta(minutes=2)
"""For one request: a listing of 1,000 objects, or a block of an object."""

REWRITTEN = "was rewritten while it was being read. The next run reads it again."
# Patterns in errors of servers and of the library, each with a message for people. The first match counts.
PROBLEMS = (
    (
        r"169\.254\.169\.254|get_credentials|token request|Account must be specified|credential file",
        "no credentials were found. {credentials}.",
    ),
    (
        r"Error parsing Path|contained empty path segment",
        "an object's name cannot be read: {path}. Rename it: no part of a name may be empty, '.' or '..', or contain control characters.",
    ),
    (
        r"NoSuchBucket|ContainerNotFound|bucket does not exist",
        "there is no such bucket. Check its name{endpoint}.",
    ),
    (
        r"PermanentRedirect|AuthorizationHeaderMalformed|incorrectly configured region",
        "the bucket is in another region. Set AWS_REGION to its region.",
    ),
    (
        r"InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|InvalidToken|Authenticat|AuthorizationFailure| 401 ",
        "the credentials were refused ({code}). {credentials}, and check that they have not expired.",
    ),
    (
        r"AccessDenied|AuthorizationPermissionMismatch| 403 ",
        "access is denied. The credentials must allow listing the bucket and reading its objects.",
    ),
    (
        r"SlowDown|ServiceUnavailable|ServerBusy|InternalError| 50[0-4] ",
        "the store is faulty or overloaded ({code}). Run the command again later.",
    ),
    (
        r"error sending request|dns error|onnection|timed? ?out",
        "the store cannot be reached. Check the network{endpoint}, then run the command again.",
    ),
)
URL = re.compile(r"(https?://[^/\s]+)\S*")
"""Paths are cut off URLs before the patterns are applied, because names of buckets and objects may contain any word."""
CODE = re.compile(r"<Code>(\w+)</Code>")
STATUS = re.compile(r"status code: (\d+ [\w ]+)")


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object as it was listed. `etag` is empty if the store gives none."""

    path: ObjectPath
    etag: str
    size: int
    modified_ns: int


class Bucket:
    """A bucket. Credentials come from the environment and from where the store's own tools look for them."""

    def __init__(self, path: ObjectPath) -> None:
        self._path = path
        with self._explain_errors(path):
            self._store = _connect(path)

    def list(self, folder: str) -> Iterator[StoredObject]:
        """Every object in a folder, however deep.

        Raises:
            SourceError: the bucket cannot be listed.
        """
        with self._explain_errors(self._path.at(folder)):
            for some in self._store.list(folder or None, chunk_size=1000):
                yield from map(self._stored, some)

    def find(self, key: str) -> StoredObject | None:
        """The object with exactly this key; None if there is none.

        Raises:
            SourceError: the bucket cannot be asked.
        """
        with self._explain_errors(self._path.at(key)):
            try:
                return self._stored(self._store.head(key))
            except FileNotFoundError:
                return None

    def read(self, key: str, etag: str, start: int, end: int) -> memoryview:
        """The bytes of an object from `start` to before `end`.

        Raises:
            SourceError: it cannot be read, or no longer has this ETag.
        """
        from obstore.exceptions import PreconditionError  # noqa: PLC0415 - it may be missing

        path = self._path.at(key)
        condition = f'"{etag}"' if etag else None
        with self._explain_errors(path):
            try:
                answer = self._store.get(key, options={"if_match": condition, "range": (start, end)})
                data = memoryview(answer.bytes())
            except PreconditionError:
                raise SourceError(str(path), REWRITTEN) from None
            except FileNotFoundError:
                raise SourceError(str(path), "was deleted while it was being read.") from None
        if _etag(answer.meta) != etag or len(data) != end - start:  # not every store respects `if_match`
            raise SourceError(str(path), REWRITTEN)
        return data

    def _stored(self, meta: "ObjectMeta") -> StoredObject:
        modified_ns = int(meta["last_modified"].timestamp()) * 1_000_000_000
        return StoredObject(self._path.at(meta["path"]), _etag(meta), meta["size"], modified_ns)

    @contextmanager
    def _explain_errors(self, path: ObjectPath) -> Iterator[None]:
        """Replace errors of the store or the library by messages that say what to do."""
        try:
            yield
        except ImportError as error:
            msg = f'{path}: reading it needs more packages ({error.name} is missing): pip install "studyflow[remote]"'
            raise StudyflowError(msg) from error
        except StudyflowError:
            raise
        except Exception as error:  # errors of botocore and obstore have no common base class
            raise SourceError(str(path), _problem(path.scheme, error)) from error


bucket_at = cache(Bucket)
"""The bucket at a path with an empty key. Its connection is reused."""


def bucket_of(path: ObjectPath) -> Bucket:
    """The bucket that an object is in.

    Raises:
        SourceError: the connection failed.
        StudyflowError: a package for connecting is not installed.
    """
    return bucket_at(path.at(""))


def _connect(path: ObjectPath) -> "S3Store | GCSStore | AzureStore":
    from obstore import store  # noqa: PLC0415 - it may be missing

    options: dict[str, Any] = {"client_options": {"timeout": TIMEOUT}, "retry_config": RETRIES}
    if any(os.environ.get(name, "").startswith("http://") for name in ENDPOINTS[path.scheme]):
        options["client_options"]["allow_http"] = True
    if path.scheme == "s3" and not {"AWS_ACCESS_KEY_ID", "AWS_SKIP_SIGNATURE"} & os.environ.keys():
        from obstore.auth.boto3 import Boto3CredentialProvider  # noqa: PLC0415 - takes half a second

        options["credential_provider"] = Boto3CredentialProvider()  # profiles, single sign-on, roles
    stores: dict[Scheme, type[S3Store | GCSStore | AzureStore]]
    stores = {"s3": store.S3Store, "gs": store.GCSStore, "az": store.AzureStore}
    return stores[path.scheme](path.bucket, **options)


def _etag(meta: "ObjectMeta") -> str:
    """The ETag without quotes, which Azure sends in some answers and not in others."""
    return (meta["e_tag"] or "").strip('"')


def _problem(scheme: Scheme, error: Exception) -> str:
    text = URL.sub(r"\1", str(error).split("\n\nDebug source", maxsplit=1)[0])
    code = CODE.search(text) or STATUS.search(text)
    path = re.search(r'[Pp]ath "([^"]*)"', text)
    set_endpoint = next((name for name in ENDPOINTS[scheme] if name in os.environ), None)
    words = {
        "credentials": CREDENTIALS[scheme],
        "endpoint": f" and {set_endpoint}" if set_endpoint else "",
        "code": code[1] if code else "no reason given",
        "path": path[1] if path else "?",
    }
    for pattern, problem in PROBLEMS:
        if re.search(pattern, text):
            return problem.format(**words)
    return f"cannot be read ({' '.join(text.split())[:300]})."
