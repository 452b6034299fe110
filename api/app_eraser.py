"""Removes the rows of erased applications, in one of the processes that take requests, and notes in the log when they
are gone: whatever was cut, by a crash or by a rebuild, is gone on with."""

from __future__ import annotations

import asyncio
import logging

from api.core.calls import Call, Services
from api.support.problems import LATER
from events.core.clock import uuid7
from infra.base import away
from infra.base.progress import Invalidation
from producers.apps import CompleteErasure
from projectors.erasure.sweeping import pending, sweep
from projectors.rebuild.fresh import RebuildError

log = logging.getLogger(__name__)

#: Seconds until a removal that could not be made is tried again: others may be at work, or a part away.
AGAIN_SECONDS = 2.0


class AppEraser:
    """Looks at the start, and when the read models tell that applications have changed."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._work = asyncio.Event()
        self._work.set()
        self._task: asyncio.Task[None] | None = None
        services.progress.on_touch(self._touched)

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="eraser")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _touched(self, touched: Invalidation) -> None:
        if touched.all or touched.apps:
            self._work.set()

    async def _run(self) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            try:
                async with self._services.pool.acquire(timeout=5) as connection:
                    waiting = await pending(connection)
                for app in waiting:
                    await self._erase(app)
                continue
            except RebuildError as error:
                log.info("an erased application waits: %s", error)
            except LATER as error:
                log.warning("an erased application waits: %s", away.words(error))
            except Exception:
                # A fault of ours: tried again, as it would stay half erased otherwise.
                log.exception("the rows of an erased application could not be removed")
            await asyncio.sleep(AGAIN_SECONDS)
            self._work.set()

    async def _erase(self, app: str) -> None:
        services = self._services
        rows = await sweep(services.settings, app, services.credential_store.forget)
        call = Call(services, None)
        await call.step(CompleteErasure(app=app, rows=rows), key=uuid7(), actor="system", everywhere=True)
        log.info("application %s: its rows are gone: %s", app, rows)
