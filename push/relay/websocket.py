"""``WS /v1/channels/{channel}/connect``: the transport of members who come by WebSocket, browsers above all.

The client's first message is a text, the channel token: no header is needed, which browsers cannot set, and no URL has
it. The server's first one is a text too, ``{"number": 7, "channel": 3}``: the member is in. All others are binary, each
a ``Message`` of the contract. The close frame says how it ended, also in answer to the client's.
"""

from __future__ import annotations

import asyncio
import json

from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.utils import ClientDisconnected

from push.protocol.codes import Disconnect
from push.relay import metrics
from push.relay.core.closes import CODES, reason
from push.relay.core.endings import QUIT, Ending, RelayRefused, unauthenticated
from push.relay.core.relay_channel import RelayMember
from push.relay.faults import fault
from push.relay.member_stream import TransportLost
from push.relay.relay import Relay
from push.transports.transport import EXTENSION, Protocol
from push.transports.ws import no_handshake

PATH = "/v1/channels/{channel}/connect"
#: A client that is gone without a word is noticed within the sum of both: it is asked so often, and has so many
#: seconds to answer.
ASK_SECONDS, DEAD_SECONDS = 15.0, 10.0
#: Bytes that are handed to the socket ahead: what a receiver is late with waits in their queue, where old frames give
#: way to new ones.
AHEAD_BYTES = 16 * 1024


def routes(relay: Relay) -> list[BaseRoute]:
    """The route. The server must run with ``push.transports.ws.uvicorn_options``."""
    return [
        WebSocketRoute(PATH, RelayEndpoint(relay), name="relay.connect"),
        Route(PATH, no_handshake, methods=["GET"], name="relay.no_handshake"),
    ]


class RelayEndpoint:
    """The ASGI application for the route."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        wire = scope.get("extensions", {}).get(EXTENSION)
        if not isinstance(wire, Protocol):
            raise RuntimeError("expected the server to run with uvicorn.Config(**push.ws.uvicorn_options(settings))")
        await receive()
        wire.speak(binary=True)
        wire.keep_alive(ASK_SECONDS, DEAD_SECONDS)
        wire.hold_little(AHEAD_BYTES)
        transport = WebSocketTransport(wire, receive, send)
        try:
            await send({"type": "websocket.accept"})
            token = await transport.token(self._relay.limits.token_seconds)
            await self._relay.serve(token, transport, _number(scope["path_params"]["channel"]))
        except RelayRefused as refused:
            await transport.end(refused.ending, 0)
        except (TransportLost, ClientDisconnected):
            metrics.ENDS.labels(QUIT.type).inc()
        except Exception as error:
            await transport.end(fault(error), 0)


def _number(text: str) -> int:
    """The channel of a path; 0, which no token has, for what is no number."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 10 else 0


class WebSocketTransport:
    """Implements MemberTransport over one WebSocket, which was accepted."""

    def __init__(self, wire: Protocol, receive: Receive, send: Send) -> None:
        self._wire = wire
        self._receive = receive
        self._send = send

    async def token(self, seconds: float) -> str:
        """The client's first message. Raises RelayRefused, also after so many seconds; TransportLost."""
        try:
            async with asyncio.timeout(seconds):
                message = await self._receive()
        except TimeoutError:
            raise unauthenticated(f"expected a channel token within {seconds:g} s, got nothing") from None
        if message["type"] == "websocket.disconnect":
            raise TransportLost("closed before a token was shown")
        text = message.get("text")
        if text is None:
            raise unauthenticated("expected a channel token as text, got a binary message")
        return str(text)

    async def welcome(self, member: RelayMember) -> None:
        self._wire.known()
        queue = member.queue
        # What still waits when the client closes does not reach it any more.
        self._wire.on_close(lambda: _disconnect(QUIT, queue.dropped + len(queue)))
        told = {"number": member.number, "channel": member.ticket.channel}
        try:
            await self._send({"type": "websocket.send", "text": json.dumps(told)})
        except ClientDisconnected as error:
            raise TransportLost("the connection is closed") from error

    async def read(self) -> bytes | None:
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            return None
        raw: bytes | None = message.get("bytes")
        if raw is None:
            detail = "expected binary messages after the channel token, got a text one"
            raise RelayRefused("INVALID_ARGUMENT", "malformed", detail)
        return raw

    async def write(self, frame: bytes) -> None:
        wire = self._wire
        if not wire.open:
            raise TransportLost("the connection is closed")
        wire.write(frame)
        if wire.paused:
            await wire.writable.wait()

    async def end(self, ending: Ending, dropped: int) -> None:
        metrics.ENDS.labels(ending.type).inc()
        self._wire.close_now(_disconnect(ending, dropped))


def _disconnect(ending: Ending, dropped: int) -> Disconnect:
    return Disconnect(CODES[ending.status], reason(ending, dropped))
