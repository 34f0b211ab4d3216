"""The HTTP interface of a receiver: where deliveries come in, and what monitors ask."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pipelines.receive.metrics import CONTENT_TYPE
from pipelines.receive.receiver import Receiver, ReceiverSettings

PATH = "/webhooks"
BODY_SECONDS = 10
"""How long a client may take to send a body. Svix waits for an answer for 15 seconds."""
BODIES_BYTES = 256 << 20
"""How much of bodies may be in memory at once; beyond that senders are asked to come again."""
DRAINED_BYTES = 16 << 20
"""How much of a body that is too large is read and thrown away, so that its sender reads the answer."""


def application(settings: ReceiverSettings, background: Sequence[Callable[[], Awaitable[None]]] = ()) -> Starlette:
    """The receiver as an ASGI application. It never answers 3xx, nor 410, which asks Svix to switch the endpoint off.

    `background`: what runs beside it until it stops.
    """
    deliveries = _Deliveries(settings)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        deliveries.receiver = Receiver(settings)
        work = [asyncio.ensure_future(one()) for one in (deliveries.receiver.summarise_in_log, *background)]
        try:
            yield
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)
            await deliveries.receiver.close()

    async def health(_: Request) -> Response:
        return JSONResponse(deliveries.receiver.health())

    async def ready(_: Request) -> Response:
        await deliveries.receiver.try_again()
        said = deliveries.receiver.health()
        return JSONResponse(said, 200 if said["ready"] else 503)

    async def metrics(_: Request) -> Response:
        return Response(deliveries.receiver.render_metrics(), media_type=CONTENT_TYPE)

    routes = [
        Route(PATH, deliveries.answer, methods=["POST"]),
        Route("/health", health),
        Route("/ready", ready),
        Route("/metrics", metrics),
    ]
    made = Starlette(routes=routes, lifespan=lifespan)
    made.router.redirect_slashes = False
    return made


class _Deliveries:
    """Reads deliveries as far as they may go, and answers them."""

    receiver: Receiver

    def __init__(self, settings: ReceiverSettings) -> None:
        self._settings = settings
        self._held = 0

    async def answer(self, request: Request) -> Response:
        """204 once the delivery is on the disk."""
        status = await self._status_for(request)
        self.receiver.count_answer(status)
        close = {"connection": "close"} if status in {408, 413} else {}
        return Response(status_code=status, headers=close)

    async def _status_for(self, request: Request) -> int:
        body, size, most = bytearray(), 0, self._settings.body_bytes
        try:
            async with asyncio.timeout(BODY_SECONDS):
                async for chunk in request.stream():
                    size += len(chunk)
                    if size > most + DRAINED_BYTES:
                        break
                    if size > most:
                        self._held -= len(body)
                        body.clear()
                        continue
                    self._held += len(chunk)
                    body += chunk
                    if self._held > BODIES_BYTES:
                        return 503
            return 413 if size > most else await self.receiver.take(request.headers, bytes(body))
        except TimeoutError:
            return 408
        except ClientDisconnect:
            return 400  # nobody reads it
        finally:
            self._held -= len(body)
