"""``GET /v1/stream``: a user's deltas as server-sent events, for browsers without an SDK and for curl.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html. An event's id is the cursor after it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from math import ceil
from typing import Any
from uuid import uuid4

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from events.core.faults import Fault, quoted, sentence
from infra.base.settings import Settings
from infra.base.sites import bearer, own_page
from push import metrics
from push.delivery.bounds import FeedUnavailable
from push.delivery.hub import Hub
from push.delivery.pull import CURSOR, BadCursor, cursor_text, parse_cursor
from push.delivery.snapshots import Snapshots
from push.delivery.subscriptions import Subscription
from push.protocol import codes
from push.protocol.actions import SubscriptionStart
from push.protocol.backend import Backend, BadToken, BadTokenKind, ConnectionIdentity, Limited
from push.protocol.codes import Disconnect
from push.protocol.items import FeedDelta
from push.transports import refusals
from push.transports.http import ABORT, counted, welcome
from push.transports.refusals import Headers
from push.transports.transport import SEND_SECONDS

_log = logging.getLogger("klatsch.push")
#: The cookie that a browser's EventSource sends, which cannot send headers. Set it HttpOnly.
COOKIE = "klatsch_stream"
#: Seconds between comments on a quiet stream, so that no proxy takes it for dead.
HEARTBEAT_SECONDS = 15.0
_CHUNK = 256
#: The problem of each kind of bad token.
_TOKENS: dict[BadTokenKind, str] = {
    "invalid": "unauthenticated",
    "expired": "token_expired",
    "early": "token_not_yet_valid",
    "revoked": "token_revoked",
}


class Stream:
    """The ASGI application for one route."""

    def __init__(self, hub: Hub, backend: Backend, settings: Settings) -> None:
        self._hub = hub
        self._backend = backend
        self._limit = settings.push_queue
        self._snapshots = Snapshots(hub, backend)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        asked = time.monotonic()
        try:
            identity = await self._backend.authenticate(_token(request), scope)
            welcome(scope)
            place = await self._place(identity, request)
            self._backend.admit(identity)
        except BadToken as error:
            refusal = _problem(_TOKENS[error.kind], str(error))
        except Limited as error:
            refusal = _limited(error)
        except BadCursor:
            fault = _misplaced(request)
            refusal = _problem("malformed", sentence([fault]), fault)
        except FeedUnavailable as error:
            refusal = _problem("unavailable", str(error))
        else:
            with metrics.CONNECTIONS.labels("sse").track_inprogress():
                await _Events(self._hub, identity, send, scope.get("state", {}).get(ABORT)).run(
                    receive, place, self._snapshots, asked, counted(scope)
                )
            return
        refusal.raw_headers += counted(scope)
        await refusal(scope, receive, send)

    async def _place(self, identity: ConnectionIdentity, request: Request) -> SubscriptionStart:
        # A browser that reconnects sends the header, and the same address as before.
        text = _cursor(request)
        return await self._hub.locate(identity.user, parse_cursor(text) if text else None)


class _Events:
    """One stream: the sink of its subscription, and a peer of the hub."""

    def __init__(self, hub: Hub, identity: ConnectionIdentity, send: Send, abort: Any) -> None:
        self.client = str(uuid4())
        self._hub = hub
        self._identity = identity
        self._send = send
        self._abort = abort
        self._epoch = hub.epoch
        self._items: list[FeedDelta] = []
        self._signals: list[bytes] = []
        self._wake = asyncio.Event()
        self._subscription: Subscription | None = None
        self._reason: Disconnect | None = None
        self._sending = False
        self._gone = False

    # Sink and Peer.

    def deliver(self, items: Sequence[FeedDelta]) -> int:
        """See items.Sink."""
        self._items.extend(items)
        self._wake.set()
        # What comes in one turn goes out in the next; only behind a write that takes long does it wait.
        return len(self._items) if self._sending else 0

    def signal(self, signals: Sequence[bytes]) -> bool:
        """See devices.Hearer. A signal waits for the next turn, but behind no write that takes long."""
        if self._sending or self._signals:
            return False
        self._signals.extend(signals)
        self._wake.set()
        return True

    def room(self) -> int:
        """See items.Sink."""
        return 0 if self._items else _CHUNK

    def caught_up(self) -> None:
        """See items.Sink."""

    def cut(self, disconnect: Disconnect) -> None:
        """See items.Sink and peers.Peer."""
        self._reason = self._reason or disconnect
        if disconnect.final:
            self._items.clear()
        self._detach()
        self._wake.set()

    # The stream.

    async def run(
        self, receive: Receive, place: SubscriptionStart, snapshots: Snapshots, asked: float, counted: Headers
    ) -> None:  # fmt: skip
        """Stream until the client goes, the token ends, or the node sends the client away."""
        self._reason = self._hub.peers.join(self, self._identity, asked)
        watch = asyncio.create_task(self._watch(receive))
        expiry = asyncio.get_running_loop().call_later(
            min(max(0.0, self._identity.expires - time.time()), 86_400.0 * 30), self.cut, codes.EXPIRED
        )
        try:
            await self._begin(place, snapshots, counted)
            await self._go_on()
        except TimeoutError:
            metrics.CLOSES.labels("aborted").inc()
            if self._abort is not None:
                self._abort()
        finally:
            watch.cancel()
            expiry.cancel()
            self._detach()
            self._hub.peers.leave(self)

    async def _begin(self, place: SubscriptionStart, snapshots: Snapshots, counted: Headers) -> None:
        """Headers, those of limits among them, the position, and for a lost place a snapshot."""
        headers = [
            (b"content-type", b"text/event-stream; charset=utf-8"),
            (b"cache-control", b"no-store"),
            (b"x-accel-buffering", b"no"),
            *counted,
        ]
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})
        lost = place.recovering and not place.recovered
        position = {"epoch": place.epoch, "offset": place.offset, "recovered": place.recovered}
        # No id before the snapshot: a client that is cut off in between comes back with its old one.
        at = b"" if lost else _id(place.epoch, place.offset)
        await self._write(b"retry: 1000\nevent: position\n%sdata: %s\n\n" % (at, msgspec.json.encode(position)))
        cursor = place.offset
        if self._reason is None and lost:
            try:
                item = await snapshots.take(self._identity)
            except Limited:
                self.cut(codes.FLOOD)
            except Exception as error:
                away = isinstance(error, FeedUnavailable)
                _log.warning("no snapshot for user %s: %s", self._identity.user, error, exc_info=not away)
                self.cut(codes.SERVER_ERROR)
            else:
                cursor = item.cursor
                data = msgspec.json.decode(item.delta, type=_Snapshot).data
                await self._write(b"event: snapshot\n%sdata: %s\n\n" % (_id(self._epoch, cursor), data))
        if self._reason is None:
            self._subscription = self._hub.subscribe(self._identity.user, cursor, self)
            self._hub.presence_hub.join(self._identity.user, self)

    async def _go_on(self) -> None:
        while not self._gone:
            if self._subscription is not None:
                self._hub.advance(self._subscription)
            if not (self._items or self._signals) and self._reason is None:
                try:
                    await asyncio.wait_for(self._wake.wait(), HEARTBEAT_SECONDS)
                except TimeoutError:
                    await self._write(b":\n\n")
                self._wake.clear()
            items, self._items = self._items, []
            signals, self._signals = self._signals, []
            if items or (signals and self._reason is None):
                events = [self._event(item) for item in items]
                await self._write(b"".join([*events, *(b"event: signal\ndata: %s\n\n" % one for one in signals)]))
            elif self._reason is not None:
                await self._finish(self._reason)
                return

    async def _finish(self, reason: Disconnect) -> None:
        metrics.CLOSES.labels(reason.code).inc()
        data = msgspec.json.encode({"code": reason.code, "reason": reason.reason, "reconnect": not reason.final})
        await self._write(b"event: disconnect\ndata: %s\n\n" % data, more=False)

    def _event(self, item: FeedDelta) -> bytes:
        return b"%sdata: %s\n\n" % (_id(self._epoch, item.cursor), item.delta)

    async def _write(self, data: bytes, more: bool = True) -> None:
        """Raises TimeoutError when the socket takes nothing for too long."""
        self._sending = True
        async with asyncio.timeout(SEND_SECONDS):
            await self._send({"type": "http.response.body", "body": data, "more_body": more})
        self._sending = False

    async def _watch(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            continue
        self._gone = True
        self._wake.set()

    def _detach(self) -> None:
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            self._hub.presence_hub.leave(self.client)
            self._hub.unsubscribe(subscription)


class _Snapshot(msgspec.Struct):
    data: msgspec.Raw


def _id(epoch: str, offset: int) -> bytes:
    return b"id: %s\n" % cursor_text(epoch, offset).encode()


def _token(request: Request) -> str:
    token = bearer(request.headers.get("authorization", ""))
    if token is not None:
        return token
    # A browser adds it by itself: to calls of pages on other ports too, which are of the same site to it.
    return request.cookies.get(COOKIE, "") if own_page(request.scope["headers"]) else ""


def _cursor(request: Request) -> str | None:
    return request.headers.get("last-event-id") or request.query_params.get("since")


def _misplaced(request: Request) -> Fault:
    """What is wrong with a request whose place is no cursor."""
    found = quoted(_cursor(request))
    if request.headers.get("last-event-id"):
        return {"header": "Last-Event-ID", "expected": CURSOR, "actual": found}
    return {"parameter": "since", "expected": CURSOR, "actual": found}


def _problem(code: str, detail: str, *errors: Fault) -> Response:
    return Response(refusals.document(code, detail, errors=errors), refusals.KINDS[code].status, refusals.headers(code))


def _limited(error: Limited) -> Response:
    headers = {"retry-after": str(ceil(error.retry_after)), "cache-control": "no-store"}
    return Response(error.problem, error.status, headers, "application/problem+json")
