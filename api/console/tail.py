"""``GET /v1/console/tail``: events as they are appended, as server-sent events for operators."""

from __future__ import annotations

import asyncio
import logging
from time import time
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from api.console.follower import TailFilter, TailFollower, Watcher
from api.console.names import NameCache
from api.core.auth import identify
from api.core.calls import Services
from api.core.operation import ROLES
from api.core.tokens import Identity
from api.support import problems
from api.support.address import client_address
from api.support.problems import Problem
from events.core.faults import Fault, brief
from events.core.type_faults import MOST
from infra.base import away, called
from push.transports.http import welcome

log = logging.getLogger(__name__)

PATH = "/v1/console/tail"
#: Seconds between two writes: what comes meanwhile goes out together.
_TURN_SECONDS = 0.2
#: Seconds of silence after which a comment is sent, and for which a socket may take nothing.
_HEARTBEAT_SECONDS, _SEND_SECONDS = 15.0, 10.0
#: Seconds that Postgres gets to say who is meant.
_NAME_SECONDS = 2.0
#: Longest filter.
_LONGEST = 200


class TailEndpoint:
    """The ASGI application for the route. Takes ``type`` (``message.*``), ``stream`` and ``actor`` in the query: those
    by id or name, as commands for operators do."""

    def __init__(self, services: Services, follower: TailFollower) -> None:
        self._services = services
        self._follower = follower
        self._names = NameCache(services.pool)
        self._open: set[asyncio.Task[Any]] = set()

    def route(self) -> Route:
        return Route(PATH, self, methods=["GET"], name="console.tail")

    async def drain(self) -> None:
        """Ends the streams, so that the server need not wait for those who look."""
        for task in self._open:
            task.cancel()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            identity = await self._permitted(request)
            wanted, unknown = await self._meant(_filter(request))
        except Exception as error:
            await problems.response(problems.of(error))(scope, receive, send)
            return
        with self._follower.watch(wanted) as watcher:
            writing = asyncio.create_task(_write(watcher, identity, send, self._names, unknown))
            leaving = asyncio.create_task(_gone(receive))
            self._open.add(writing)
            try:
                await asyncio.wait((writing, leaving), return_when=asyncio.FIRST_COMPLETED)
            finally:
                self._open.discard(writing)
                writing.cancel()
                leaving.cancel()
                await asyncio.gather(writing, leaving, return_exceptions=True)

    async def _meant(self, asked: TailFilter) -> tuple[TailFilter, list[str]]:
        """The filter by ids, and what the read models know no room or user of: the log may, and it may come yet.

        Raises Problem ``invalid`` where several are called so.
        """
        stream = "" if ":" in asked.stream else asked.stream
        actor = "" if asked.actor in called.NO_USERS else asked.actor
        if not (stream or actor):
            return asked, []
        try:
            async with self._services.pool.acquire(timeout=_NAME_SECONDS) as connection:
                of = stream and await called.stream_id(connection, stream)
                by = actor and await called.user_id(connection, actor)
        except called.Ambiguous as error:
            expected, _, actual = str(error).partition(", ")
            fault: Fault = {"parameter": "stream", "expected": expected.removeprefix("expected "), "actual": actual}
            raise Problem("invalid", str(error), errors=[fault]) from error
        except away.POSTGRES as error:
            log.warning("names are taken for ids: %r", error)
            return asked, []
        unknown = [text for text, found in ((stream, of), (actor, by)) if found is None]
        return asked._replace(stream=of or asked.stream, actor=by or asked.actor), unknown

    async def _permitted(self, request: Request) -> Identity:
        identity = await identify(self._services, request.headers.get("authorization"), client_address(request.scope))
        if identity is None:
            raise Problem("unauthenticated", "expected an operator's token, got none")
        welcome(request.scope)
        if identity.role not in ROLES["operator"]:
            raise Problem("forbidden", f"expected a token of: operator; got one of: {identity.role}")
        return identity


def _filter(request: Request) -> TailFilter:
    unknown = sorted(set(request.query_params) - set(TailFilter._fields))
    if unknown:
        what = f"one of {', '.join(TailFilter._fields)}"
        raise Problem("invalid", errors=[
            {"parameter": brief(name), "expected": what, "actual": "another parameter"} for name in unknown[:MOST]
        ])  # fmt: skip
    values = {name: request.query_params.get(name, "") for name in TailFilter._fields}
    if long := [name for name, value in values.items() if len(value) > _LONGEST]:
        raise Problem("invalid", errors=[
            {"parameter": name, "expected": f"at most {_LONGEST} characters", "actual": f"{len(values[name])}"}
            for name in long
        ])  # fmt: skip
    return TailFilter(**values)


async def _write(watcher: Watcher, identity: Identity, send: Send, names: NameCache, unknown: list[str]) -> None:
    """Until the token ends; the page comes back with its next one. First what nobody is called; before events, the
    names of whom they name."""
    headers = [
        (b"content-type", b"text/event-stream; charset=utf-8"),
        (b"cache-control", b"no-store"),
        (b"x-accel-buffering", b"no"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    told = 0
    text = b"event: unknown\ndata: %s\n\n" % msgspec.json.encode(unknown) if unknown else b":\n\n"
    while time() < identity.expires:
        async with asyncio.timeout(_SEND_SECONDS):
            await send({"type": "http.response.body", "body": text, "more_body": True})
        await asyncio.sleep(_TURN_SECONDS)
        try:
            async with asyncio.timeout(_HEARTBEAT_SECONDS):
                await watcher.news.wait()
        except TimeoutError:
            text = b":\n\n"
            continue
        taken = watcher.take()
        called = await names.of({id for seen in taken for id in (seen.stream, seen.actor)})
        text = b"event: names\ndata: %s\n\n" % msgspec.json.encode(called) if called else b""
        text += b"".join(b"data: %s\n\n" % _one_line(seen.line()) for seen in taken)
        if watcher.dropped > told:
            told = watcher.dropped
            text += b"event: dropped\ndata: %s\n\n" % msgspec.json.encode({"count": told})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _one_line(line: bytes) -> bytes:
    # JSON may have line feeds between its tokens, and an SSE field ends with one.
    return line.replace(b"\r", b" ").replace(b"\n", b" ")


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue
