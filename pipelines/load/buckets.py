"""Buckets of object stores: what is in them, by ETag and size, and the bytes of one object as it was when it was listed."""

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
"""With pauses of 0.1 to 6 seconds: a name server or a server that is restarted is waited for."""
AT_ONCE = 16
"""How many requests wait for an answer at the same time."""
TIMEOUT = timedelta(minutes=2)
"""For one request: a listing of 1,000 objects, or a block of one."""

# What servers and the library say, and what a person can do. The first that is found holds.
PROBLEMS = (
    (
        r"169\.254\.169\.254|get_credentials|token request|Account must be specified|credential file",
        "no credentials were found. {credentials}.",
    ),
    (
        r"Error parsing Path|contained empty path segment",
        "an object's name cannot be read: {path}. Move it: no part of a name may be empty, . or .., or have control characters.",
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
PLACE = re.compile(r"(https?://[^/\s]+)\S*")
"""Names of buckets and objects may have any word in them."""
CODE = re.compile(r"<Code>(\w+)</Code>")
STATUS = re.compile(r"status code: (\d+ [\w ]+)")


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object as it was when it was listed. `etag` is empty where the store gives none."""

    path: ObjectPath
    etag: str
    size: int
    modified_ns: int


class Bucket:
    """One bucket. Credentials come from the environment and from where the store's own tools look for them."""

    def __init__(self, path: ObjectPath) -> None:
        self._path = path.at("")
        with self._explained(self._path):
            self._store = _connect(path)

    def list(self, folder: str) -> Iterator[StoredObject]:
        """Every object in a folder, however deep.

        Raises:
            SourceError: the bucket cannot be listed.
        """
        with self._explained(self._path.at(folder)):
            for some in self._store.list(folder or None, chunk_size=1000):
                yield from map(self._stored, some)

    def find(self, key: str) -> StoredObject | None:
        """The object of this very key, if there is one.

        Raises:
            SourceError: the bucket does not say.
        """
        with self._explained(self._path.at(key)):
            try:
                return self._stored(self._store.head(key))
            except FileNotFoundError:
                return None

    def read(self, key: str, etag: str, start: int, end: int) -> memoryview:
        """Bytes of an object.

        Raises:
            SourceError: it cannot be read, or is another object by now.
        """
        from obstore.exceptions import PreconditionError  # noqa: PLC0415 - it may be missing

        path = self._path.at(key)
        condition = f'"{etag}"' if etag else None
        with self._explained(path):
            try:
                answer = self._store.get(key, options={"if_match": condition, "range": (start, end)})
                data = memoryview(answer.bytes())
            except PreconditionError:
                raise _changed(path) from None
            except FileNotFoundError:
                raise SourceError(str(path), "was deleted while it was being read.") from None
        if _etag(answer.meta) != etag or len(data) != end - start:  # not every store minds the condition
            raise _changed(path)
        return data

    def _stored(self, meta: "ObjectMeta") -> StoredObject:
        modified_ns = int(meta["last_modified"].timestamp()) * 1_000_000_000
        return StoredObject(self._path.at(meta["path"]), _etag(meta), meta["size"], modified_ns)

    @contextmanager
    def _explained(self, path: ObjectPath) -> Iterator[None]:
        """Turn what the store or the library says into what a person can do."""
        try:
            yield
        except ImportError as error:
            msg = f'{path}: reading it needs more packages ({error.name} is missing): pip install "studyflow[remote]"'
            raise StudyflowError(msg) from error
        except StudyflowError:
            raise
        except Exception as error:  # botocore and obstore have no class in common
            raise SourceError(str(path), _problem(path.scheme, error)) from error


@cache
def _bucket(scheme: Scheme, name: str) -> Bucket:
    return Bucket(ObjectPath(scheme, name, ""))


def bucket_of(path: ObjectPath) -> Bucket:
    """The bucket that an object is in, connected once.

    Raises:
        SourceError: it cannot be connected to.
        StudyflowError: what connects is not installed.
    """
    return _bucket(path.scheme, path.bucket)


def forget_connections() -> None:
    """Connect anew where the environment has changed."""
    _bucket.cache_clear()


def _connect(path: ObjectPath) -> "S3Store | GCSStore | AzureStore":
    from obstore import store  # noqa: PLC0415 - it may be missing

    options: dict[str, Any] = {"client_options": {"timeout": TIMEOUT}, "retry_config": RETRIES}
    if any(os.environ.get(name, "").startswith("http://") for name in ENDPOINTS[path.scheme]):
        options["client_options"]["allow_http"] = True
    if path.scheme == "gs":
        return store.GCSStore(path.bucket, **options)
    if path.scheme == "az":
        return store.AzureStore(path.bucket, **options)
    if not {"AWS_ACCESS_KEY_ID", "AWS_SKIP_SIGNATURE"} & os.environ.keys():
        from obstore.auth.boto3 import Boto3CredentialProvider  # noqa: PLC0415 - takes half a second

        options["credential_provider"] = Boto3CredentialProvider()  # profiles, single sign-on, roles
    return store.S3Store(path.bucket, **options)


def _etag(meta: "ObjectMeta") -> str:
    """Azure has quotes around it in some answers and not in others."""
    return (meta["e_tag"] or "").strip('"')


def _changed(path: ObjectPath) -> SourceError:
    return SourceError(str(path), "was rewritten while it was being read. The next run reads it again.")


def _problem(scheme: Scheme, error: Exception) -> str:
    said = PLACE.sub(r"\1", str(error).split("\n\nDebug source", maxsplit=1)[0])
    code = CODE.search(said) or STATUS.search(said)
    path = re.search(r'[Pp]ath "([^"]*)"', said)
    set_endpoint = next((name for name in ENDPOINTS[scheme] if name in os.environ), None)
    words = {
        "credentials": CREDENTIALS[scheme],
        "endpoint": f" and {set_endpoint}" if set_endpoint else "",
        "code": code[1] if code else "no reason given",
        "path": path[1] if path else "?",
    }
    for pattern, problem in PROBLEMS:
        if re.search(pattern, said):
            return problem.format(**words)
    return f"cannot be read ({' '.join(said.split())[:300]})."
