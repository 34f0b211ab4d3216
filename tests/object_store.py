"""An S3 server in this process, of moto: what is asked of it is noted, and it can be made to answer wrongly."""

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, quote, unquote

import pytest
import requests

from pipelines.load import buckets
from pipelines.object_paths import ObjectPath

pytest.importorskip("obstore", reason="needs the extra: studyflow[remote]")
pytest.importorskip("moto", reason="needs moto, which requirements.lock has")

PAGE = 3
"""How many objects a listing has at once. On S3 it is 1,000."""
SETTINGS = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1"}

SIGNED = {"Authorization": "AWS4-HMAC-SHA256 Credential=id/20260731/us-east-1/s3/aws4_request"}
"""As far as moto looks."""


@dataclass
class ObjectStore:
    """A bucket of its own for each test. `requests`: method and key of each request, `LIST` where a bucket is listed."""

    url: str
    number: int = 0
    requests: list[tuple[str, str]] = field(default_factory=list)
    refused: dict[str, tuple[str, str]] = field(default_factory=dict)
    before_answer: Callable[[str, str], None] | None = None

    @property
    def bucket(self) -> str:
        """The name of the bucket."""
        return f"bucket-{self.number}"

    def path(self, key: str = "") -> ObjectPath:
        """The address of an object, a folder or a pattern in it."""
        return ObjectPath("s3", self.bucket, key)

    def put(self, files: Mapping[str, bytes]) -> None:
        """Write objects."""
        for key, content in files.items():
            self._request("PUT", quote(key), content)

    def delete(self, key: str) -> None:
        """Delete an object."""
        self._request("DELETE", quote(key))

    def _request(self, method: str, place: str, data: bytes = b"") -> None:
        url = f"{self.url}/{self.bucket}/{place}"
        requests.request(method, url, data=data, headers=SIGNED, timeout=10).raise_for_status()

    def read(self) -> list[str]:
        """The keys of objects of which anything was read."""
        return [key for method, key in self.requests if method == "GET"]

    def new_bucket(self) -> None:
        """Begin anew."""
        self.number += 1
        self.refused.clear()
        self.before_answer = None
        self._request("PUT", "")
        self.requests.clear()

    def serve(self, app: Callable[..., Any], environ: dict[str, Any], start: Callable[..., Any]) -> Any:  # noqa: ANN401
        """Answer a request, as moto does or as the test wants it."""
        bucket, _, key = unquote(environ["PATH_INFO"].lstrip("/")).partition("/")
        is_list = "list-type" in parse_qs(environ["QUERY_STRING"])
        method = "LIST" if is_list else environ["REQUEST_METHOD"]
        if method == "PUT":
            return app(environ, start)
        self.requests.append((method, key))
        if self.before_answer:
            self.before_answer(method, key)
        if refusal := self.refused.get(key or bucket):
            status, code = refusal
            start(status, [("Content-Type", "application/xml")])
            return [b"" if method == "HEAD" else f"<Error><Code>{code}</Code></Error>".encode()]
        return app(environ, start)


@contextmanager
def serving() -> Iterator[ObjectStore]:
    """The server, until the end of the block."""
    os.environ["MOTO_S3_DEFAULT_MAX_KEYS"] = str(PAGE)
    from moto.moto_server.werkzeug_app import (  # noqa: PLC0415 - takes two seconds
        DomainDispatcherApplication,
        create_backend_app,
    )
    from werkzeug.serving import make_server  # noqa: PLC0415

    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # no line for each request
    app = DomainDispatcherApplication(create_backend_app)
    store = ObjectStore("")
    server = make_server("127.0.0.1", 0, lambda environ, start: store.serve(app, environ, start), threaded=True)
    store.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield store
    finally:
        server.shutdown()
        thread.join()


def environment_of(store: ObjectStore) -> dict[str, str]:
    """The environment in which it is found."""
    return {**SETTINGS, "AWS_ENDPOINT_URL": store.url}


def use(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    """A new bucket, and the environment in which it is found."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in environment_of(store).items():
        monkeypatch.setenv(name, value)
    buckets.bucket_at.cache_clear()
    store.new_bucket()
    return store
