"""Runs the receiver's HTTP server: socket, signals, log and shutdown."""

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from filelock import FileLock, Timeout
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from pipelines import logs
from pipelines.errors import StudyflowError
from pipelines.receive.application import application
from pipelines.receive.files import LOCK
from pipelines.receive.receiver import ReceiverSettings

HEADER_SECONDS = 10
"""How long a client may take to send the headers of a request."""
KEEP_ALIVE_SECONDS = 75
"""How long a connection may be idle. It is longer than usual in proxies, so that the proxy closes connections."""
STOP_SECONDS = 20
"""How long requests in progress may take after a signal to stop."""
HEADER_BYTES = 64 << 10
"""The limit for the headers of a request."""
BACKLOG = 2048


def serve(
    settings: ReceiverSettings, host: str, port: int, background: Sequence[Callable[[], Awaitable[None]]] = ()
) -> None:
    """Receive deliveries until a signal to stop; then finish the requests in progress and return.

    Raises:
        StudyflowError: the folder cannot be written to, another receiver uses it, or the address is in use.
    """
    with _only_writer(settings.folder), listening(host, port) as listener:
        _allow_many_connections()
        _log_errors_of_libraries()
        port = listener.getsockname()[1]
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        logs.configure(as_json=True)
        logs.log("receiver started", address=address, folder=settings.folder, secrets=len(settings.secrets))
        config = uvicorn.Config(
            application(settings, background),
            loop="asyncio",  # uvloop was only 5% faster, and is not available on Windows
            http=_Protocol,
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=STOP_SECONDS,
            backlog=BACKLOG,
        )
        _Server(config).run(sockets=[listener])
        logs.log("receiver stopped")


class _Server(uvicorn.Server):
    """A server that exits with code 0 after any stopping signal."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        def stop(_: int, __: object) -> None:
            self.should_exit = True

        before = {number: signal.signal(number, stop) for number in _stopping_signals()}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class _Protocol(HttpToolsProtocol):
    """Closes connections without a request, and those whose headers are too slow or too large."""

    _deadline: asyncio.TimerHandle | None = None
    _arrived = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # uvicorn starts this timer only after the first response
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def data_received(self, data: bytes) -> None:
        if self._deadline is None and (self.cycle is None or self.cycle.response_complete):
            self._deadline = self.loop.call_later(HEADER_SECONDS, self.transport.close)
            self._arrived = 0
        super().data_received(data)
        self._arrived += len(data)
        if self._deadline is not None and self._arrived > HEADER_BYTES and not self.transport.is_closing():
            self.send_400_response("Request headers are too large.")

    def on_headers_complete(self) -> None:
        self._cancel_deadline()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel_deadline()
        super().connection_lost(exc)

    def _cancel_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


@contextmanager
def _only_writer(folder: Path) -> Iterator[None]:
    try:
        with FileLock(folder / LOCK, blocking=False):
            yield
    except Timeout as error:
        msg = f"{folder}: another receiver is writing there. Stop it first, or give this one a folder of its own."
        raise StudyflowError(msg) from error


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """A listening socket. Port 0 means any free port.

    Raises:
        StudyflowError: the address is in use, or is not an address of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except (OSError, OverflowError) as error:
        msg = f"{host}:{port}: cannot listen there ({getattr(error, 'strerror', None) or error}). Choose another address with --listen."
        raise StudyflowError(msg) from error
    with listener:
        yield listener


def _stopping_signals() -> list[signal.Signals]:
    """The signals that stop commands, except those that were ignored when the process started."""
    known = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    return [number for number in known if signal.getsignal(number) is not signal.SIG_IGN]


def _allow_many_connections() -> None:
    """Raise the limit of open files to the maximum, because each connection counts as a file."""
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 - Windows does not have it

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class _LogHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if error:
            logs.log_traceback(error)
        else:
            logs.log_problem(record.getMessage())


def _log_errors_of_libraries() -> None:
    """Write errors of uvicorn and asyncio to the log. Warnings are left out: any client can cause them."""
    for name in ("uvicorn.error", "asyncio"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.ERROR)
        logger.handlers = [_LogHandler()]
        logger.propagate = False
