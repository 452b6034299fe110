"""The process of the Faust workers: one or more of them on one event loop, and their health over HTTP.

Faust brings its own event loop habits and consumers, so it never shares a process with another role; workers share one
with each other, as most of a process' memory is that of its modules.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import logging
import os
import signal
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any

import msgspec
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from events.core.clock import now
from infra.base import reporting
from infra.base.settings import Settings
from infra.base.sites import Sites
from projectors.workers import emotions, usage
from projectors.workers.part import WorkerPart

log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

#: How much the process stands back (nice(2)): beside a busy one it gets a tenth of a processor.
NICE = 10
#: Seconds that all apps together get to stop; after that they are left: what was not committed is read again.
_STOP_SECONDS = 8.0


def run(
    settings: Settings,
    roles: Collection[str],
    operator_token: Callable[[], str],
    may_look: Callable[[str | None], bool],
    proof: Mapping[str, str],
) -> None:
    """Runs ``analytics``, ``usage`` or both until SIGTERM or SIGINT. Raises Stuck, or what made a worker or Faust
    crash. ``may_look``: see api.core.guard.onlookers; ``proof``: headers with which a process of the installation shows
    itself to the API.

    Where Faust has no build (Linux on ARM) it says so and returns: everything else works without.
    """
    if importlib.util.find_spec("faust") is None:
        log.warning(
            "Faust is not installed (it has no build for this platform): no emotions are detected and usage is counted "
            "by './klatsch usage rebuild' only; all else works"
        )
        return
    # Where processors are short, who waits for a message goes first; nobody waits for a worker.
    os.nice(NICE)
    asyncio.run(serve(settings, roles, operator_token, may_look, proof))


def api_of(settings: Settings) -> str:
    """Base URL of the API for workers: KLATSCH_API, else port 8400 of this machine."""
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::", "") else settings.host
    return settings.api or f"http://{host}:8400"


async def serve(
    settings: Settings,
    roles: Collection[str],
    operator_token: Callable[[], str],
    may_look: Callable[[str | None], bool],
    proof: Mapping[str, str],
) -> None:
    """The same on the running loop."""
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    api = api_of(settings)
    parts = [emotions.part(settings, api, operator_token)] if "analytics" in roles else []
    if "usage" in roles:
        parts.append(usage.part(settings))
    site = await _http(settings, parts, may_look)
    me = reporting.ProcessReport(settings, [part.role for part in parts], now())
    telling = asyncio.create_task(reporting.report(api, proof, lambda: {**me.figures(), **_report(parts)[1]}))
    working = [asyncio.create_task(work) for part in parts for work in (_begin(part), part.health.watch())]
    stop = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait((*working, stop), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (*working, telling, stop):
            task.cancel()
        results = await asyncio.gather(*working, telling, return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOP_SECONDS):
                await asyncio.gather(*(part.app.stop() for part in parts))
        for part in parts:
            await part.stop()
        await site.cleanup()
    for result in results:
        if isinstance(result, Exception):
            raise result
    log.info("stopped")


async def _begin(part: WorkerPart) -> None:
    """Starts it; ends only by what went wrong."""
    await part.start()
    await asyncio.Event().wait()


def _report(parts: Sequence[WorkerPart]) -> tuple[bool, dict[str, Any]]:
    """Readiness of all, and what it rests on."""
    reports = [part.health.report() for part in parts]
    found = {name: one for _, body in reports for name, one in body["parts"].items()}
    return all(ok for ok, _ in reports), {"parts": found}


def _waits(parts: Sequence[WorkerPart]) -> str:
    """What the first of them waits for; empty: none does."""
    return next((part.health.waits for part in parts if part.health.waits), "")


async def _http(
    settings: Settings, parts: Sequence[WorkerPart], may_look: Callable[[str | None], bool]
) -> web.AppRunner:
    sites = Sites(settings)

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        """As api.core.guard does it: under our names only, and nothing is taken for what its type does not say."""
        host = request.headers.get("host")
        if host is None or sites.named(host.encode("latin-1", "replace")):
            response = await handler(request)
        else:
            response = web.Response(status=421, text="expected a name of this installation as Host; see KLATSCH_HOSTS")
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    async def alive(request: web.Request) -> web.Response:
        return web.Response(body=b'{"ok":true}', content_type="application/json")

    async def ready(request: web.Request) -> web.Response:
        ok, body = _report(parts)
        if not may_look(request.headers.get("authorization")):
            body = {}
        if waits := _waits(parts):
            # Also for callers that may see nothing else: they would stop everything for a part that is not ready.
            body = {**body, "waits": waits}
        return web.Response(
            body=msgspec.json.encode({"ok": ok, **body}), status=200 if ok else 503, content_type="application/json"
        )

    async def metrics(request: web.Request) -> web.Response:
        if not may_look(request.headers.get("authorization")):
            return web.Response(status=401, text="expected the metrics token, or an operator's; see KLATSCH_METRICS")
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application(middlewares=[guard])
    app.add_routes([web.get("/healthz", alive), web.get("/readyz", ready), web.get("/metrics", metrics)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, settings.host, settings.port).start()
    return runner
