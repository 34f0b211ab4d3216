"""The process of a receiver: its socket, its signals, its log, and how it ends."""

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
"""How long a client may take from its first byte to the end of the headers."""
KEEP_ALIVE_SECONDS = 75
"""How long a connection may be idle: longer than for a proxy, so that the proxy is the one who closes it."""
STOP_SECONDS = 20
"""How long deliveries that have begun may take once the receiver is asked to stop."""
HEADER_BYTES = 64 << 10
"""How much may arrive of a request before its headers end."""
BACKLOG = 2048


def serve(
    settings: ReceiverSettings, host: str, port: int, background: Sequence[Callable[[], Awaitable[None]]] = ()
) -> None:
    """Receive until a signal asks to stop; then take nothing new, finish what has begun, and return.

    Raises:
        StudyflowError: the folder cannot be written to, another receiver has it, or the address is taken.
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
            loop="asyncio",  # uvloop was 5 % faster; not worth a package that Windows lacks
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
    """Ends as usual, with exit code 0, whichever signal asked for it."""

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
    """Closes connections on which no request begins, or whose request headers do not come to an end."""

    _deadline: asyncio.TimerHandle | None = None
    _arrived = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # uvicorn itself begins to count after the first answer
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
        self._forget_deadline()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_deadline()
        super().connection_lost(exc)

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


@contextmanager
def _only_writer(folder: Path) -> Iterator[None]:
    try:
        with FileLock(folder / LOCK, blocking=False):
            yield
    except Timeout as error:
        msg = f"{folder}: another receiver writes there. Stop it first, or give this one a folder of its own."
        raise StudyflowError(msg) from error


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """A socket that listens there, port 0: on any that is free.

    Raises:
        StudyflowError: the address is taken or not of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except (OSError, OverflowError) as error:
        msg = f"{host}:{port}: cannot listen there ({getattr(error, 'strerror', None) or error}). Choose another with --listen."
        raise StudyflowError(msg) from error
    with listener:
        yield listener


def _stopping_signals() -> list[signal.Signals]:
    """The signals that stop other commands, too, except those that were ignored when the process started."""
    known = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    return [number for number in known if signal.getsignal(number) is not signal.SIG_IGN]


def _allow_many_connections() -> None:
    """Let the process have as many open files as the system permits: each connection is one."""
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 - Windows does not have it

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class _ToLog(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if error:
            logs.log_traceback(error)
        else:
            logs.log_problem(record.getMessage())


def _log_errors_of_libraries() -> None:
    """Errors only: what uvicorn warns of, malformed requests, anyone can make in any number."""
    for name in ("uvicorn.error", "asyncio"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.ERROR)
        logger.handlers = [_ToLog()]
        logger.propagate = False
