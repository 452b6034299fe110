"""The WebSocket protocol of uvicorn, with what ASGI does not have: reading and writing at once, knowing when the peer
does not keep up, closing while it does not, and aborting."""

from __future__ import annotations

import logging
import socket
import time
from asyncio import TimerHandle
from collections.abc import Callable
from functools import partial
from typing import Any

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidMessage
from websockets.frames import CloseCode, Opcode
from websockets.http11 import Request
from websockets.protocol import State

from events.core.faults import brief
from infra.base.origins import Origins
from infra.base.settings import Settings
from push import metrics
from push.protocol import codes
from push.protocol.codes import Disconnect
from push.transports import heads, refusals
from push.transports.door import Door, Visit
from push.transports.http import ABORT, HttpProtocol
from push.transports.linger import Linger
from push.transports.parsing import Parser

__all__ = ["ABORT", "EXTENSION", "Protocol", "uvicorn_options"]

#: Where the endpoint finds its protocol object, in ``scope["extensions"]``.
EXTENSION = "klatsch.wire"
#: Seconds for which a socket may take nothing before it is aborted.
SEND_SECONDS = 10.0
#: Seconds that a peer gets to answer a close frame.
CLOSE_SECONDS = 5.0
#: uvicorn and its WebSocket library have several lines at INFO for each connection, one with its query: not in our log.
_log = logging.getLogger("klatsch.push.wire")
_log.setLevel(logging.WARNING)


def uvicorn_options(settings: Settings) -> dict[str, Any]:
    """Keyword arguments for ``uvicorn.Config``, without which connections are refused or cost more.

    Each call makes a door of its own: one server.
    """
    return {
        "http": partial(HttpProtocol, settings, Door(settings), Origins(settings.origins)),
        "ws": partial(Protocol, settings),
        # Who the client is, and which name it called, is found in push.transports.http and api.core.guard.
        "proxy_headers": False,
        "headers": [refusals.NOSNIFF],
        # Frames above settings.body_bytes get a reason from the session; far larger ones are not even read.
        "ws_max_size": 2 * settings.body_bytes,
        # 33 KiB for each connection, and the same delta would be compressed once per recipient.
        "ws_per_message_deflate": False,
        # The protocol has its own pings, and SDKs do not look at these.
        "ws_ping_interval": None,
        "ws_ping_timeout": None,
        "timeout_graceful_shutdown": 5,
        # Above what proxies and clients keep an idle connection for: who closes first loses no request (nginx: 60 s).
        "timeout_keep_alive": 75,
    }


class Protocol(WebSocketsSansIOProtocol):
    """Pass it to uvicorn as ``ws``: see ``uvicorn_options``."""

    #: Whether the socket takes nothing more at present.
    paused = False
    _drained: Callable[[], None] | None = None
    _taken: Callable[[str | bytes], None] | None = None
    #: Of the frames on this connection: the kind of those that come, and how those that go begin (RFC 6455, 5.2): with
    #: the opcode, and a length of one byte, of two or of eight.
    _kind = "text"
    _short, _medium, _long = 0x8100, 0x817E0000, b"\x81\x7f"
    _deadline: TimerHandle | None = None
    _paused_at = 0.0
    _visit: Visit | None = None
    #: What came behind the head before the handshake was answered: no frame is read before.
    _held: bytearray | None = None
    #: After the end.
    _linger: Linger | None = None

    conn: Parser

    def __init__(self, settings: Settings, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.conn = Parser(settings, max_size=self.config.ws_max_size, logger=_log)
        self.logger = _log
        self._held_bytes = settings.early_bytes

    def begin(self, visit: Visit, head: bytes, rest: bytes) -> None:
        """The head of the handshake, and what has come behind it. ``connection_made`` was called."""
        self._visit = visit
        self._held = bytearray(rest)
        super().data_received(head)
        if not self.handshake_initiated:
            # To a request that it cannot read the library says nothing, or not in our words.
            error = self.conn.handshake_exc
            code = "malformed" if isinstance(error, InvalidMessage) else "head_too_large"
            cause = (error and error.__cause__) or error
            metrics.REFUSED.labels("handshake").inc()
            detail = f"expected a WebSocket handshake (RFC 6455), without a body; {brief(str(cause))}"
            self.transport.write(refusals.answer(code, detail, id=heads.request_id(head)))
            self._end()

    def data_received(self, data: bytes) -> None:
        if self._linger is not None:
            self._linger.receive(data)
            return
        if self._held is None:
            super().data_received(data)
            return
        self._held += data
        if len(self._held) > self._held_bytes:
            self.transport.abort()

    async def send(self, message: ASGISendEvent) -> None:
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
            # The handshake is refused, and that is the end: the library would take it for a fault of the application,
            # and whoever sends a foreign Origin would write into our log.
            self.handshake_complete = self.close_sent = True
            return
        if self._held is not None and self.handshake_complete:
            held, self._held = self._held, None
            if held and not self.close_sent:
                super().data_received(bytes(held))

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        scope = getattr(self, "scope", None)
        if scope is not None:
            # The application's task has been made, but has not run yet.
            scope["extensions"][EXTENSION] = self
            scope["headers"] = [(name.lower(), value) for name, value in scope["headers"]]

    def handle_parser_exception(self) -> None:
        """What came cannot be read, or is too much: the close frame says so, and nothing is read any more."""
        if not self.handshake_initiated:
            # The head could not be read: see ``begin``.
            return
        close = self.conn.close_sent
        code, reason = (close.code, close.reason) if close is not None else (1006, "")
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self._end()

    def _end(self) -> None:
        """Close, but read what is on its way first: a reset would destroy what was just said."""
        if self._linger is not None or self.transport.is_closing():
            return
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self._linger = Linger(self.transport, self.loop)
        if self.close_timer is not None:
            self.close_timer.cancel()
        self.close_timer = self._linger.timer

    def send_receive_event_to_app(self) -> None:
        """A message goes where ``on_message`` says, at once: no queue, no task that wakes, no pause of the socket."""
        message = b"".join(self.frames)
        # What came earlier and has not been received yet goes first.
        if self._taken is None or self.curr_msg_data_type != self._kind or self.close_sent or not self.queue.empty():
            if self.curr_msg_data_type == "bytes" or self.close_sent or self._text(message) is not None:
                super().send_receive_event_to_app()
            return
        if self._kind == "bytes":
            self.frames = []
            self._taken(message)
            return
        text = self._text(message)
        if text is not None:
            self.frames = []
            self._taken(text)

    def _text(self, message: bytes) -> str | None:
        """A message as text. None for what is no UTF-8, which closes the connection, without a traceback in the log as
        from the library."""
        try:
            return message.decode()
        except UnicodeDecodeError:
            self.frames = []
            # Otherwise the client's close came in the same packet, and has been answered.
            if self.conn.state is State.OPEN:
                self.conn.send_close(CloseCode.INVALID_DATA)
                self.handle_parser_exception()
            return None

    def handle_ping(self) -> None:
        """Nothing is written after the end, to which frames of the same packet come."""
        if self._linger is None:
            super().handle_ping()

    def keepalive_timeout(self) -> None:
        """Who does not answer pings reads no close frame either."""
        self.pong_timer = None
        metrics.CLOSES.labels("aborted").inc()
        self.transport.abort()

    # For the endpoint.

    def known(self) -> None:
        """The client's token is good."""
        self.conn.known()
        if self._visit is not None:
            self._visit.known()

    @property
    def open(self) -> bool:
        """Whether frames can be written."""
        if self.close_sent or self.disconnected or not self.handshake_complete:
            return False
        return not self.transport.is_closing()

    def on_drained(self, callback: Callable[[], None]) -> None:
        """Call this whenever the socket takes data again after it was ``paused``."""
        self._drained = callback

    def speak(self, binary: bool) -> None:
        """Which kind of frames this connection has: of text unless it is called, before the handshake is answered."""
        if binary:
            self._kind, self.conn.whole = "bytes", Opcode.BINARY
            self._short, self._medium, self._long = 0x8200, 0x827E0000, b"\x82\x7f"

    def keep_alive(self, ask: float, dead: float) -> None:
        """Ask the client, by pings, every ``ask`` seconds whether it is there, and drop the connection when it has not
        answered for ``dead`` seconds. Before the handshake is answered."""
        self.ping_interval, self.ping_timeout = ask, dead

    def hold_little(self, size: int) -> None:
        """Be ``paused`` from this many waiting bytes on; and have the kernel hold no more that it has not sent."""
        self.transport.set_write_buffer_limits(high=size)
        raw = self.transport.get_extra_info("socket")
        # Without it the kernel takes megabytes before it says that the peer is slow.
        if raw is not None and hasattr(socket, "TCP_NOTSENT_LOWAT"):
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, size)

    def on_close(self, callback: Callable[[], Disconnect]) -> None:
        """Call this when the peer closes, and answer with what it returns instead of the peer's own words."""
        self.conn.farewell = callback

    def on_message(self, callback: Callable[[str | bytes], None]) -> None:
        """Call this with each message of this connection's kind from now on, unless others wait to be received.

        When it raises, the loop drops the connection.
        """
        self._taken = callback

    def write(self, payload: bytes) -> None:
        """Write one frame now, into the transport's buffer; nothing when not ``open``.

        The frame is built here: what a server sends is not masked and, without compression, only has a length before
        it (RFC 6455, 5.2).
        """
        if not self.open:
            return
        size = len(payload)
        if size < 126:
            head = (self._short | size).to_bytes(2)
        elif size < 65536:
            head = (self._medium | size).to_bytes(4)
        else:
            head = self._long + size.to_bytes(8)
        self.transport.write(head + payload)

    def close_now(self, disconnect: Disconnect) -> None:
        """Send a close frame without waiting for the socket, and abort when the peer does not answer it in time."""
        if not self.open:
            return
        metrics.CLOSES.labels(disconnect.code).inc()
        self.queue.put_nowait({"type": "websocket.disconnect", "code": disconnect.code, "reason": disconnect.reason})
        self.conn.send_close(disconnect.code, disconnect.reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self.close_timer = self.loop.call_later(CLOSE_SECONDS, self.transport.abort)

    def abort(self) -> None:
        """Drop the connection and whatever is still in its buffer."""
        self.transport.abort()

    # For the transport and the server.

    def pause_writing(self) -> None:
        super().pause_writing()
        self.paused = True
        self._paused_at = time.monotonic()
        self._deadline = self.loop.call_later(SEND_SECONDS, self._stuck)

    def resume_writing(self) -> None:
        super().resume_writing()
        self.paused = False
        self._settle()
        if self._drained is not None:
            self._drained()

    def connection_lost(self, exc: Exception | None) -> None:
        self._settle()
        self._drained = self._taken = None
        self.paused = False
        if self._visit is not None:
            self._visit.leave()
            self._visit = None
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """The server stops: a client that ``Hub.drain`` did not reach gets the same reason as the others."""
        if self.open:
            self.stop_keepalive()
            self.close_now(codes.SHUTDOWN)
        else:
            super().shutdown()

    def _stuck(self) -> None:
        metrics.CLOSES.labels("aborted").inc()
        self._settle()
        self.transport.abort()

    def _settle(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
            metrics.SEND.observe(time.monotonic() - self._paused_at)
