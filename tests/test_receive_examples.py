"""The examples in docs/receiving/ as they stand: proxies that deliveries pass unharmed, a unit, an image's parts."""

import http.client
import os
import re
import shutil
import socket
import ssl
import subprocess
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import typer.main
from processes import PROJECT
from receiving import BODY, PATH, RunningReceiver, receiver, signed

from pipelines.cli import app

EXAMPLES = PROJECT / "docs" / "receiving"
HOST = "webhooks.example.com"
NGINX = """
daemon off;
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
    {site}
}}
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningReceiver]:
    """A receiver for both proxies."""
    with receiver(tmp_path_factory.mktemp("webhooks")) as started:
        yield started


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def proxy(command: list[str], port: int, folder: Path) -> Iterator[None]:
    """The proxy, once it listens."""
    own = os.environ | {"XDG_CONFIG_HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    process = subprocess.Popen(command, env=own, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        while True:
            assert process.poll() is None, process.stderr and process.stderr.read()
            try:
                socket.create_connection(("127.0.0.1", port)).close()
            except ConnectionRefusedError:
                continue
            break
        yield
    finally:
        process.terminate()
        process.wait()


def check_passage(connection: http.client.HTTPConnection, running: RunningReceiver) -> None:
    """Signed deliveries get through as they were, and nothing but deliveries does."""

    def status(method: str, path: str, body: bytes = b"") -> int:
        connection.request(method, path, body, signed(body, "msg_proxied") | {"host": HOST})
        answer = connection.getresponse()
        answer.read()
        return answer.status

    odd = '{"letters": "é\u2028", "spaces" :  1}\n'.encode()
    assert [status("POST", PATH, body) for body in (BODY, odd, b"")] == [204] * 3
    assert [b'"msg_proxied"' in line for line in running.lines()[-3:]] == [True] * 3
    assert odd[:-1] in running.lines()[-2]
    assert status("POST", PATH, b" " * (2 << 20)) == 413
    connection.close()
    assert [status("GET", path) for path in ("/metrics", "/health", f"{PATH}/x")] == [404] * 3
    connection.close()


@pytest.mark.skipif(not shutil.which("nginx"), reason="nginx is not installed")
def test_deliveries_pass_nginx(running: RunningReceiver, tmp_path: Path) -> None:
    port = free_port()
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{tmp_path}/privkey.pem")
    made = ("openssl", "req", "-x509", *key, "-subj", f"/CN={HOST}", "-out", f"{tmp_path}/fullchain.pem")
    subprocess.run(made, check=True, capture_output=True)
    site = (EXAMPLES / "nginx.conf").read_text().replace(f"/etc/ssl/{HOST}", str(tmp_path))
    site = site.replace("listen 443 ssl", f"listen 127.0.0.1:{port} ssl").replace(
        "127.0.0.1:8000", f"127.0.0.1:{running.port}"
    )
    (tmp_path / "nginx.conf").write_text(NGINX.format(folder=tmp_path, site=site))
    with proxy(["nginx", "-c", str(tmp_path / "nginx.conf"), "-p", str(tmp_path)], port, tmp_path):
        unverified = ssl._create_unverified_context()  # noqa: S323, SLF001 - the certificate is the test's own
        check_passage(http.client.HTTPSConnection("127.0.0.1", port, context=unverified), running)


@pytest.mark.skipif(not shutil.which("caddy"), reason="Caddy is not installed")
def test_deliveries_pass_caddy(running: RunningReceiver, tmp_path: Path) -> None:
    """Without TLS: nobody here can give it a certificate."""
    port = free_port()
    site = (EXAMPLES / "Caddyfile").read_text().replace(f"{HOST} {{", f"http://{HOST}:{port} {{\n\tbind 127.0.0.1")
    site = site.replace("127.0.0.1:8000", f"127.0.0.1:{running.port}")
    (tmp_path / "Caddyfile").write_text("{\n\tadmin off\n}\n" + site)
    with proxy(["caddy", "run", "--adapter", "caddyfile", "--config", str(tmp_path / "Caddyfile")], port, tmp_path):
        check_passage(http.client.HTTPConnection("127.0.0.1", port), running)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd here")
def test_the_unit_is_right_for_systemd(tmp_path: Path) -> None:
    unit = tmp_path / "studyflow-receive.service"
    unit.write_text((EXAMPLES / unit.name).read_text().replace("/srv/studyflow/.venv/bin/studyflow", "/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_image_is_made_of_what_is_there() -> None:
    """Nothing here can build it."""
    lines = (EXAMPLES / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
    copied = [word for line in lines if line.startswith("COPY") for word in line.split()[1:-1]]
    assert [word for word in copied if not (PROJECT / word).exists()] == []
    needed = {"data", "macros", "models", "tests/dbt", "dbt_project.yml", "profiles.yml", "pipelines", "pyproject.toml"}
    assert needed <= set(copied)


def test_every_variable_in_the_examples_is_one() -> None:
    command = typer.main.get_command(app).commands["receive"]  # type: ignore[attr-defined]
    known = {option.envvar for option in command.params} | {
        "STUDYFLOW_WEBHOOK_SECRETS",
        "STUDYFLOW_WEBHOOK_SECRETS_FILE",
    }
    named = {name for file in EXAMPLES.iterdir() for name in re.findall(r"\bSTUDYFLOW_\w+", file.read_text())}
    assert named
    assert named <= known


def test_the_locks_pin_what_the_project_asks_for() -> None:
    """A lock that was renewed without the extra would leave new installations without a receiver."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    dependencies = [*project["project"]["dependencies"], *project["project"]["optional-dependencies"]["receive"]]
    wanted = {re.sub(r"\[.*\]", "", one) for one in dependencies}
    for lock in ("requirements.lock", "requirements-receive.lock"):
        pinned = set(re.findall(r"^([\w.-]+)(?:\[.*\])?(==\S+)", (PROJECT / lock).read_text(), re.MULTILINE))
        assert wanted <= {name + version for name, version in pinned}, lock
