"""A read ends with its client: what nobody waits for is not looked up to the end. (A push connection ends its own.)"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.requests import ClientDisconnect, Request

#: Seconds after which it is looked whether the client is still there: most reads are answered before.
LOOK_SECONDS = 0.1


@contextmanager
def attended(request: Request) -> Iterator[None]:
    """Cancels the task within the block once the client has gone, which raises ClientDisconnect. Reads the body."""
    task = asyncio.current_task()
    assert task is not None
    cancelling, gone = task.cancelling(), False
    watching: asyncio.Task[None] | None = None

    async def watch() -> None:
        nonlocal gone
        while (await request.receive())["type"] != "http.disconnect":
            pass
        gone = True
        task.cancel()

    def look() -> None:
        nonlocal watching
        watching = asyncio.create_task(watch())

    timer = asyncio.get_running_loop().call_later(LOOK_SECONDS, look)
    try:
        yield
    except asyncio.CancelledError:
        # As asyncio.timeout does: it may have been cancelled from outside as well.
        if gone and task.uncancel() <= cancelling:
            raise ClientDisconnect from None
        raise
    finally:
        timer.cancel()
        if watching is not None:
            watching.cancel()
