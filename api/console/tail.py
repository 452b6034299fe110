"""``GET /v1/console/tail``: events as they are appended, as server-sent events for operators."""

from __future__ import annotations

import asyncio
from time import time
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from api import problems
from api.auth import identify
from api.calls import Services
from api.console.follower import Filter, Follower, Watcher
from api.http import translate
from api.problems import Problem
from api.surface import ROLES
from api.tokens import Identity
from push.http import welcome

PATH = "/v1/console/tail"
#: Seconds between two writes: what comes meanwhile goes out together.
_TURN_SECONDS = 0.2
#: Seconds of silence after which a comment is sent, and for which a socket may take nothing.
_HEARTBEAT_SECONDS, _SEND_SECONDS = 15.0, 10.0
#: Longest filter.
_LONGEST = 200


class Tail:
    """The ASGI application for the route. Takes ``type`` (``message.*``), ``stream`` and ``actor`` in the query."""

    def __init__(self, services: Services, follower: Follower) -> None:
        self._services = services
        self._follower = follower
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
            wanted = _filter(request)
        except Exception as error:
            await problems.response(translate(error))(scope, receive, send)
            return
        with self._follower.watch(wanted) as watcher:
            writing = asyncio.create_task(_write(watcher, identity, send))
            leaving = asyncio.create_task(_gone(receive))
            self._open.add(writing)
            try:
                await asyncio.wait((writing, leaving), return_when=asyncio.FIRST_COMPLETED)
            finally:
                self._open.discard(writing)
                writing.cancel()
                leaving.cancel()
                await asyncio.gather(writing, leaving, return_exceptions=True)

    async def _permitted(self, request: Request) -> Identity:
        identity = await identify(self._services, request.headers.get("authorization"))
        if identity is None:
            raise Problem("unauthenticated", "expected an operator's token, got none")
        welcome(request.scope)
        if identity.role not in ROLES["operator"]:
            raise Problem("forbidden", f"expected a token of: operator; got one of: {identity.role}")
        return identity


def _filter(request: Request) -> Filter:
    unknown = sorted(set(request.query_params) - set(Filter._fields))
    if unknown:
        raise Problem("invalid", f"expected some of {', '.join(Filter._fields)}, got {', '.join(unknown)[:_LONGEST]}")
    values = {name: request.query_params.get(name, "") for name in Filter._fields}
    if long := [name for name, value in values.items() if len(value) > _LONGEST]:
        raise Problem("invalid", f"{long[0]}: expected at most {_LONGEST} characters")
    return Filter(**values)


async def _write(watcher: Watcher, identity: Identity, send: Send) -> None:
    """Until the token ends; the page comes back with its next one."""
    headers = [
        (b"content-type", b"text/event-stream; charset=utf-8"),
        (b"cache-control", b"no-store"),
        (b"x-accel-buffering", b"no"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    told = 0
    text = b":\n\n"
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
        text = b"".join(b"data: %s\n\n" % _one_line(seen.line()) for seen in watcher.take())
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
