"""``WS /v1/connection``: moves frames between a WebSocket and its session, and performs what the session asks."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Coroutine, Sequence
from typing import Any
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from infra.base.settings import Settings
from push import metrics
from push.delivery import pull
from push.delivery.bounds import FeedUnavailable
from push.delivery.hub import Hub
from push.delivery.snapshots import Snapshots
from push.delivery.subscriptions import Subscription
from push.protocol import codes
from push.protocol.actions import (
    Action,
    Attach,
    Authenticate,
    CallRpc,
    Close,
    Detach,
    ReadHistory,
    ReadPresence,
    Start,
    Write,
)
from push.protocol.backend import Backend, BadToken, ConnectionIdentity, Limited, RpcError
from push.protocol.codec import Codec, choose
from push.protocol.codes import Disconnect, Error
from push.protocol.items import FeedDelta
from push.protocol.session import ProtocolSession
from push.transports import refusals
from push.transports.transport import EXTENSION, Protocol, uvicorn_options

__all__ = ["Endpoint", "Protocol", "uvicorn_options"]

_log = logging.getLogger("klatsch.push")
#: Older deltas that are handed over at once while a client catches up.
_CHUNK = 256


class Endpoint:
    """The ASGI application for one route. Needs ``Protocol`` under it: see ``uvicorn_options``."""

    def __init__(self, hub: Hub, backend: Backend, settings: Settings) -> None:
        self._hub = hub
        self._backend = backend
        self._settings = settings
        self._snapshots = Snapshots(hub, backend)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        wire = scope.get("extensions", {}).get(EXTENSION)
        if not isinstance(wire, Protocol):
            raise RuntimeError("expected the server to run with uvicorn.Config(**push.ws.uvicorn_options(settings))")
        await receive()
        codec, subprotocol = choose(scope["subprotocols"], scope["query_string"])
        wire.speak(codec.binary)
        await send({"type": "websocket.accept", "subprotocol": subprotocol})
        connection = Connection(self._hub, self._backend, self._settings, self._snapshots, wire, scope, codec)
        with metrics.CONNECTIONS.labels("websocket").track_inprogress():
            await connection.run(receive)


async def no_handshake(request: Request) -> Response:
    """``GET /v1/connection`` that asks for no WebSocket."""
    document = refusals.document("upgrade_required", "expected a WebSocket handshake (RFC 6455), got a plain request")
    return Response(document, 426, refusals.headers("upgrade_required"))


class Connection:
    """One client. It is the sink of its subscription, and a peer of the hub."""

    def __init__(
        self,
        hub: Hub,
        backend: Backend,
        settings: Settings,
        snapshots: Snapshots,
        wire: Protocol,
        scope: Scope,
        codec: Codec,
    ) -> None:
        self.client = str(uuid4())
        self._hub = hub
        self._backend = backend
        self._snapshots = snapshots
        self._wire = wire
        self._scope = scope
        self._limit = settings.push_queue
        self._session = ProtocolSession(
            self.client,
            time.time(),
            ping_seconds=settings.ping_seconds,
            frame_bytes=settings.body_bytes,
            phase=random.uniform(0.5, 1.0),
            codec=codec,
        )
        self._join = codec.join
        self._put = wire.write
        self._subscription: Subscription | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        #: What waits for the socket: replies first, then deltas.
        self._replies: list[bytes] = []
        self._items: list[FeedDelta] = []
        wire.on_drained(self._on_drained)

    async def run(self, receive: Receive) -> None:
        """Read frames until the connection ends. Awaits nothing else, so that the socket goes on being read."""
        self._arm()
        self._wire.on_message(self._take)
        try:
            while True:
                # What came before ``on_message``, frames of the other kind, and the end.
                message = await receive()
                if message["type"] == "websocket.disconnect":
                    return
                text = message.get("text")
                self._take(message["bytes"] if text is None else text)
        finally:
            self._end()

    def _take(self, frame: str | bytes) -> None:
        self._perform(self._session.receive(frame, time.time()))

    # Sink and Peer.

    def deliver(self, items: Sequence[FeedDelta]) -> int:
        """See items.Sink."""
        if self._wire.paused:
            self._items.extend(items)
            return len(self._items) + len(self._replies)
        for frame in self._session.deliver(items):
            self._put(frame)
        return 0

    def signal(self, signals: Sequence[bytes]) -> bool:
        """See devices.Hearer. A signal never waits: when the client does not keep up, there is none."""
        if self._wire.paused or self._subscription is None:
            return False
        written = self._session.signal(signals)
        for frame in written:
            self._put(frame)
        return bool(written)

    def room(self) -> int:
        """See items.Sink."""
        return 0 if self._wire.paused or self._items else _CHUNK

    def caught_up(self) -> None:
        """See items.Sink."""

    def cut(self, disconnect: Disconnect) -> None:
        """See items.Sink and peers.Peer."""
        self._perform(self._session.close(disconnect))

    # Actions.

    def _perform(self, actions: Sequence[Action]) -> None:
        written: list[bytes] = []
        for action in actions:
            match action:
                case Write(data):
                    written.append(data)
                case Close(disconnect):
                    self._write(written)
                    written = []
                    self._wire.close_now(disconnect)
                    self._detach()
                case Authenticate(id, token):
                    self._spawn(id, self._authenticate(id, token))
                case Attach(id, _):
                    self._spawn(id, self._attach(action))
                case Start(snapshot):
                    # The reply must be out before the first publication.
                    self._write(written)
                    written = []
                    self._start(snapshot)
                case Detach():
                    self._detach()
                case CallRpc(id, method, data):
                    self._spawn(id, self._rpc(id, method, data))
                case ReadPresence(id, method):
                    self._perform(self._session.found(id, self._presence(method)))
                case ReadHistory(id, _, _):
                    self._spawn(id, self._history(action))
        self._write(written)
        self._arm()

    def _spawn(self, id: int, work: Coroutine[Any, Any, Sequence[Action]]) -> None:
        """Run what a command needs, then perform what the session makes of the outcome."""
        task = asyncio.create_task(self._outcome(id, work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        # A task that is cancelled before its first step has not begun the work.
        task.add_done_callback(lambda _: work.close())

    async def _outcome(self, id: int, work: Coroutine[Any, Any, Sequence[Action]]) -> None:
        try:
            actions = await work
        except FeedUnavailable as error:
            actions = self._session.failed(id, Error(codes.INTERNAL.code, str(error), temporary=True))
        except Exception:
            _log.exception("command %d of connection %s", id, self.client)
            actions = self._session.failed(id, codes.INTERNAL)
        self._perform(actions)

    async def _authenticate(self, id: int, token: str) -> Sequence[Action]:
        asked = time.monotonic()
        try:
            identity = await self._backend.authenticate(token, self._scope)
            if not self._hub.peers.has(self):
                # A refresh keeps the place that the connection has.
                self._backend.admit(identity)
        except BadToken as error:
            return self._session.refused(id, error.kind, time.time())
        except Limited as error:
            return self._session.failed(id, codes.TOO_MANY_REQUESTS, error.problem)
        reason = self._hub.peers.join(self, identity, asked)
        if reason is not None:
            return self._session.close(reason)
        self._wire.known()
        return self._session.authenticated(id, identity, time.time())

    async def _attach(self, action: Attach) -> Sequence[Action]:
        place = await self._hub.locate(self._identity.user, action.since)
        return self._session.attached(action.id, place, time.time())

    async def _rpc(self, id: int, method: str, data: bytes) -> Sequence[Action]:
        try:
            return self._session.answered(id, await self._backend.rpc(self._identity, method, data, self.client))
        except RpcError as error:
            return self._session.failed(id, Error(error.reply_code, error.message), error.problem)

    async def _history(self, action: ReadHistory) -> Sequence[Action]:
        return await pull.history(self._hub, self._session, self._identity.user, action)

    def _presence(self, method: str) -> dict[str, Any]:
        peers = self._hub.peers.of_user(self._identity.user)
        if method == "presence_stats":
            return {"num_clients": len(peers), "num_users": min(1, len(peers))}
        user = self._identity.user
        return {"presence": {p.client: {"client": p.client, "user": user} for p in peers}}

    @property
    def _identity(self) -> ConnectionIdentity:
        identity = self._session.identity
        if identity is None:
            raise RuntimeError("expected an identity: the session lets no command pass before the connect reply")
        return identity

    # The subscription.

    def _start(self, snapshot: bool) -> None:
        self._hub.presence_hub.join(self._identity.user, self)
        if snapshot:
            self._spawn(0, self._start_from_snapshot())
            return
        self._follow(self._session.position)

    def _follow(self, cursor: int) -> None:
        subscription = self._hub.subscribe(self._identity.user, cursor, self)
        self._subscription = subscription
        self._hub.advance(subscription)

    async def _start_from_snapshot(self) -> Sequence[Action]:
        try:
            item = await self._snapshots.take(self._identity)
        except Limited:
            return self._session.close(codes.FLOOD)
        except Exception as error:
            # The client still has offset 0, so it asks for the snapshot again when it comes back.
            away = isinstance(error, FeedUnavailable)
            _log.warning("no snapshot for connection %s: %s", self.client, error, exc_info=not away)
            return self._session.close(codes.SERVER_ERROR)
        if self._subscription is None and self._session.subscribed:
            self.deliver([item])
            self._follow(item.cursor)
        return []

    def _detach(self) -> None:
        self._hub.presence_hub.leave(self.client)
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            self._hub.unsubscribe(subscription)

    # The socket and the clock.

    def _write(self, written: Sequence[bytes]) -> None:
        if not written:
            return
        if self._wire.paused:
            self._replies.extend(written)
            if len(self._replies) + len(self._items) > self._limit:
                self.cut(codes.SLOW)
            return
        self._put(self._join(written))

    def _on_drained(self) -> None:
        replies, self._replies = self._replies, []
        if replies:
            self._put(self._join(replies))
        items, self._items = self._items, []
        if items:
            self.deliver(items)
        if self._subscription is not None:
            self._hub.advance(self._subscription)

    def _arm(self) -> None:
        """Have ``_tick`` called when the session next wants it, or earlier: then it arms again."""
        due = self._session.deadline()
        if self._timer is not None and self._timer_at <= due < float("inf"):
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if due < float("inf"):
            self._timer_at = due
            # Long waits are cut: event loops do not take any delay.
            delay = min(max(0.0, due - time.time()), 86_400.0)
            self._timer = asyncio.get_running_loop().call_later(delay, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._perform(self._session.tick(time.time()))

    def _end(self) -> None:
        self._session.close(codes.SERVER_ERROR)
        self._hub.peers.leave(self)
        self._detach()
        if self._timer is not None:
            self._timer.cancel()
        for task in tuple(self._tasks):
            task.cancel()
