"""Group commit: all deliveries that arrive while the disk is busy are written together, with one flush."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor


class GroupCommit:
    """Calls `append` with all waiting lines, in a thread of its own, as soon as the previous call has ended."""

    def __init__(self, append: Callable[[Sequence[bytes]], None]) -> None:
        self._append = append
        self._waiting: list[tuple[bytes, asyncio.Future[None]]] = []
        self._arrived = asyncio.Event()
        self._is_closing = False
        self._thread = ThreadPoolExecutor(1, "commit")
        self._task = asyncio.create_task(self._run())

    async def keep(self, line: bytes) -> None:
        """Write the line; return once it is durable.

        Raises:
            OSError: the line was not written.
        """
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((line, future))
        self._arrived.set()
        await future

    async def close(self) -> None:
        """Finish all waiting lines and stop."""
        self._is_closing = True
        self._arrived.set()
        await self._task
        self._thread.shutdown()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting or not self._is_closing:
            await self._arrived.wait()
            self._arrived.clear()
            batch, self._waiting = self._waiting, []
            if not batch:
                continue
            failure: Exception | None = None
            try:
                await loop.run_in_executor(self._thread, self._append, [line for line, _ in batch])
            except Exception as error:  # noqa: BLE001 - every waiting caller must get the error
                failure = error
            for _, future in batch:
                if future.done():  # the caller was cancelled
                    continue
                if failure:
                    future.set_exception(failure)
                else:
                    future.set_result(None)
