"""The same from Google Cloud Storage and Azure, where their emulators are on the PATH: fake-gcs-server and azurite-blob."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests
from inbox import A, B, C, Inbox, compressed

from pipelines.load import buckets, content
from pipelines.load.buckets import bucket_of
from pipelines.load.finding import find
from pipelines.load.loader import load, result_if_nothing_new
from pipelines.object_paths import ObjectPath

obstore = pytest.importorskip("obstore", reason="needs the extra: studyflow[remote]")

# Of Azurite, and the same everywhere.
AZURITE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
ODD = "with space+%20#?.jsonl"


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def started(command: list[str], url: str) -> Iterator[None]:
    """A server, once it answers, until the end of the block."""
    program = shutil.which(command[0])
    if program is None:
        pytest.skip(f"{command[0]} is not on the PATH")
    with subprocess.Popen([program, *command[1:]], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            for _ in range(300):
                try:
                    requests.get(url, timeout=1)
                    break
                except requests.ConnectionError:
                    time.sleep(0.1)
            yield
        finally:
            server.terminate()


@pytest.fixture(params=["gs", "az"])
def folder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectPath]:
    """A folder in an empty bucket."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    buckets.bucket_at.cache_clear()
    if request.param == "gs":
        monkeypatch.setenv("GOOGLE_BASE_URL", url)
        monkeypatch.setenv("GOOGLE_SKIP_SIGNATURE", "true")
        address = ["-host", "127.0.0.1", "-port", str(port), "-public-host", f"127.0.0.1:{port}"]
        with started(["fake-gcs-server", "-scheme", "http", "-backend", "memory", *address], url):
            requests.post(f"{url}/storage/v1/b?project=p", json={"name": "bucket"}, timeout=5).raise_for_status()
            yield ObjectPath("gs", "bucket", "raw")
    else:
        account = {"AZURE_STORAGE_ACCOUNT_NAME": "devstoreaccount1", "AZURE_STORAGE_ACCOUNT_KEY": AZURITE_KEY}
        for name, value in {**account, "AZURE_STORAGE_ENDPOINT": f"{url}/devstoreaccount1"}.items():
            monkeypatch.setenv(name, value)
        options = ["--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry", "--silent"]
        with started(["azurite-blob", *options, "--blobPort", str(port)], url):
            make_container(port)
            yield ObjectPath("az", "container", "raw")


def make_container(port: int) -> None:
    """Obstore makes none: a signed request by hand, as Azure's documentation has it."""
    import base64  # noqa: PLC0415
    import hashlib  # noqa: PLC0415
    import hmac  # noqa: PLC0415
    from email.utils import formatdate  # noqa: PLC0415

    headers = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": "2021-08-06"}
    place = "devstoreaccount1/container"
    signed = "PUT" + "\n" * 12 + "".join(f"{name}:{value}\n" for name, value in headers.items())
    signed += f"/devstoreaccount1/{place}\nrestype:container"
    digest = hmac.new(base64.b64decode(AZURITE_KEY), signed.encode(), hashlib.sha256).digest()
    headers["Authorization"] = f"SharedKey devstoreaccount1:{base64.b64encode(digest).decode()}"
    requests.put(f"http://127.0.0.1:{port}/{place}?restype=container", headers=headers, timeout=5).raise_for_status()


def put(folder: ObjectPath, name: str, content_of_file: bytes) -> None:
    """Write an object."""
    key, data = f"{folder.key}/{name}", compressed(name, content_of_file)
    if folder.scheme == "gs":  # whose emulator has another protocol for this
        url = f"{bucket_url()}/upload/storage/v1/b/{folder.bucket}/o"
        parameters = {"uploadType": "media", "name": key}
        requests.post(url, params=parameters, data=data, timeout=5).raise_for_status()
    else:
        obstore.put(bucket_of(folder)._store, key, data)  # noqa: SLF001 - which only reads


def bucket_url() -> str:
    """Where the emulator of Google's store listens."""
    import os  # noqa: PLC0415

    return os.environ["GOOGLE_BASE_URL"]


def test_another_store(folder: ObjectPath, box: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Found, read in blocks, known again by ETag and size, grown, changed while it is read, and not there."""
    monkeypatch.setattr(content, "BLOCK_OF_OBJECT", 100)
    put(folder, "a.jsonl", A)
    put(folder, "2026/b.jsonl.gz", B)
    put(folder, ODD, C)
    loaded = load(box.connection, [folder])
    assert (loaded.files_new, loaded.lines_read, loaded.problems) == (3, 3, ())
    assert result_if_nothing_new(box.connection, [folder.at("raw/*"), folder])
    put(folder, "a.jsonl", A + B)
    assert load(box.connection, [folder]).files_grown == 1
    box.build()
    assert list(box.delivered().values()) == [1, 2, 1, 0]
    [source] = find([folder.at("raw/a.jsonl")]).sources
    put(folder, "a.jsonl", A + C)
    with (
        content.open_content(source) as opened,
        pytest.raises(Exception, match="was rewritten while it was being read"),
    ):
        opened.read(100)
    for path, said in ((folder.at("nowhere"), "no such object"), (ObjectPath(folder.scheme, "other", ""), "")):
        [problem] = find([path]).problems
        assert said in problem.problem
        assert "Debug" not in problem.problem
