"""The HTTP interface of the receiver: /webhooks for deliveries; /health, /ready and /metrics for monitoring."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pipelines.receive.receiver import Receiver, ReceiverSettings

PATH = "/webhooks"
BODY_SECONDS = 10
"""How long a client may take to send a body. Svix waits 15 seconds for an answer."""
BODIES_BYTES = 256 << 20
"""The limit for all request bodies in memory. Beyond it the answer is 503, so that the sender retries."""
DRAINED_BYTES = 16 << 20
"""How much of a too large body is read and discarded before the 413, because some clients send all before they read."""


def application(settings: ReceiverSettings, background: Sequence[Callable[[], Awaitable[None]]] = ()) -> Starlette:
    """The receiver as an ASGI application. It never answers 3xx, and never 410, on which Svix disables an endpoint.

    `background`: coroutines that run until the receiver stops.
    """
    deliveries = _Deliveries(settings)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        deliveries.receiver = Receiver(settings)
        tasks = [asyncio.ensure_future(start()) for start in (deliveries.receiver.summarise_in_log, *background)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await deliveries.receiver.close()

    async def health(_: Request) -> Response:
        return JSONResponse(deliveries.receiver.health())

    async def ready(_: Request) -> Response:
        await deliveries.receiver.retry_commit()
        state = deliveries.receiver.health()
        return JSONResponse(state, 200 if state["ready"] else 503)

    async def metrics(_: Request) -> Response:
        return Response(deliveries.receiver.render_metrics(), media_type=CONTENT_TYPE_LATEST)

    routes = [
        Route(PATH, deliveries.answer, methods=["POST"]),
        Route("/health", health),
        Route("/ready", ready),
        Route("/metrics", metrics),
    ]
    app = Starlette(routes=routes, lifespan=lifespan)
    app.router.redirect_slashes = False
    return app


class _Deliveries:
    """Reads deliveries, within limits of size and time, and answers them."""

    receiver: Receiver

    def __init__(self, settings: ReceiverSettings) -> None:
        self._settings = settings
        self._held_bytes = 0

    async def answer(self, request: Request) -> Response:
        """Answer a delivery: 204 once it is on disk, or the status of the error."""
        status = await self._status_for(request)
        self.receiver.count_answer(status)
        close = {"connection": "close"} if status in {408, 413} else {}
        return Response(status_code=status, headers=close)

    async def _status_for(self, request: Request) -> int:
        body, size, max_size = bytearray(), 0, self._settings.body_bytes
        try:
            async with asyncio.timeout(BODY_SECONDS):
                async for chunk in request.stream():
                    size += len(chunk)
                    if size > max_size + DRAINED_BYTES:
                        break
                    if size > max_size:
                        self._held_bytes -= len(body)
                        body.clear()
                        continue
                    self._held_bytes += len(chunk)
                    body += chunk
                    if self._held_bytes > BODIES_BYTES:
                        return 503
            return 413 if size > max_size else await self.receiver.take(request.headers, bytes(body))
        except TimeoutError:
            return 408
        except ClientDisconnect:
            return 400  # only counted: the client is gone
        finally:
            self._held_bytes -= len(body)
