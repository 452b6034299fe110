"""uvicorn's HTTP protocol, with bounds on what a client can take before anybody knows it: time, connections, heads.

The rules are those of RFC 9112. What is refused here gets a problem document, and the connection ends.
"""

from __future__ import annotations

import logging
import math
import re
from asyncio import TimerHandle
from collections.abc import Mapping
from enum import Enum, auto
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from events.core.errors import KlatschError
from events.core.faults import brief
from infra.base.origins import Origins
from infra.base.settings import Settings
from push import metrics
from push.transports import heads, refusals
from push.transports.door import Door, Visit, forwarded
from push.transports.linger import Linger
from push.transports.refusals import Headers

#: Where the application finds, in ``scope["state"]``: a function that aborts the connection,
ABORT = "klatsch.abort"
#: and one that says that a good token was shown on it.
_KNOWN = "klatsch.known"
#: Where the application notes there what headers an answer has for the limits that its request counted against.
_COUNTED = "klatsch.counted"
#: In the head of a request that wants a WebSocket.
_UPGRADE = re.compile(rb"\r\nupgrade:[ \t]*websocket[ \t]*\r\n", re.IGNORECASE)
#: uvicorn warns of each request that cannot be read: a line that others could write into our log at will.
_log = logging.getLogger("klatsch.push.http")
_log.setLevel(logging.ERROR)


def welcome(scope: Mapping[str, Any]) -> None:
    """A good token, or the installation's proof, was shown on this connection: it no longer counts as a stranger's."""
    scope.get("state", {}).get(_KNOWN, _nothing)()


def count(scope: Mapping[str, Any], headers: Headers) -> None:
    """The answer to this request has these headers too: what is left of the limits that it counted against. What is no
    HTTP request has no place for them."""
    if scope.get("type") == "http":
        scope.get("state", {})[_COUNTED] = headers


def counted(scope: Mapping[str, Any]) -> Headers:
    """What ``count`` was given for this request."""
    found: Headers = scope.get("state", {}).get(_COUNTED, ())
    return found


def _nothing() -> None:
    """Where no server of ours is underneath."""


class _Phase(Enum):
    """What the client owes: (the rest of) a head, a body, nothing."""

    HEAD = auto()
    BODY = auto()
    NOTHING = auto()


class _Refused(KlatschError):
    """A request that is refused before the application receives it."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class HttpProtocol(H11Protocol):
    """One connection. Pass it to uvicorn with its first arguments bound: see ``transport.uvicorn_options``."""

    conn: _Requests

    def __init__(self, settings: Settings, door: Door, origins: Origins, **options: Any) -> None:
        super().__init__(**options)
        self.logger = _log
        self.conn = _Requests(self)
        self._settings = settings
        self._door = door
        self._origins = origins
        #: Of the latest head that could be read.
        self._origin: bytes | None = None
        self._request_id = b""
        self._visit: Visit | None = None
        self._phase = _Phase.HEAD
        self._due = 0.0
        self._timer: TimerHandle | None = None
        self._timer_at = 0.0
        self._begun = False
        #: After a refusal.
        self._linger: Linger | None = None

    # For asyncio.

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        peer = self.client[0] if self.client else ""
        visit = self._visit = self._door.enter(peer)
        self._due = self.loop.time() + self._settings.head_seconds
        self._arm()
        if visit is None:
            self._refuse(_Refused("overloaded", "expected a free connection, all are in use; try again later"))
            return
        self.app_state = {**self.app_state, ABORT: transport.abort, _KNOWN: visit.known}
        if not self._door.proxies and not visit.count(peer):
            self._refuse(self._too_many())

    def data_received(self, data: bytes) -> None:
        """A WebSocket that begins as they all do is not parsed as HTTP first and then again: 0.1 ms for each."""
        if self._linger is not None:
            self._linger.receive(data)
            return
        begun, self._begun = self._begun, True
        if not (begun or self._door.proxies) and data.startswith(b"GET /"):
            end = data.find(b"\r\n\r\n", 0, heads.BYTES) + 4
            if end > 3 and _UPGRADE.search(data, 0, end - 2) and not heads.too_large(data):
                self._upgrade(data[:end], data[end:])
                return
        if self._phase is _Phase.BODY:
            self._due += len(data) / self._settings.body_rate
        super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._visit is not None:
            self._visit.leave()
            self._visit = None
        super().connection_lost(exc)

    # For uvicorn.

    def handle_events(self) -> None:
        super().handle_events()
        if self._linger is not None or self._visit is None:
            return
        state = self.conn.their_state
        if state is h11.SEND_BODY:
            self._owes(_Phase.BODY)
        elif state is h11.IDLE and self.conn.trailing_data[0]:
            self._owes(_Phase.HEAD)
        elif state is not h11.IDLE or self._phase is not _Phase.HEAD or self.cycle is not None:
            self._owes(_Phase.NOTHING)

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """A handshake that was not in one piece."""
        first = b"%s %s HTTP/%s" % (event.method, event.target, event.http_version)
        lines = [first, *(b"%s: %s" % pair for pair in self.headers), b"", b""]
        self._upgrade(b"\r\n".join(lines), self.conn.trailing_data[0])

    def send_400_response(self, msg: str) -> None:
        fault = self.conn.fault
        if isinstance(fault, _Refused):
            self._refuse(fault)
        elif fault is not None and fault.error_status_hint == 431:
            self._refuse(_Refused("head_too_large", f"expected at most {heads.BYTES} bytes of a chunk's head"))
        else:
            self._refuse(_Refused("malformed", f"expected HTTP/1.1: {_words(fault, msg)}"))

    def on_response_complete(self) -> None:
        if self._door.proxies and self._visit is not None:
            self._visit.release()
        super().on_response_complete()

    def shutdown(self) -> None:
        if self._linger is not None:
            self.transport.abort()
        else:
            super().shutdown()

    # Judging.

    def judge(self, request: h11.Request) -> None:
        """Looks at a request's head. Raises _Refused."""
        self._origin = next((value for name, value in request.headers if name == b"origin"), None)
        self._request_id = b""
        length = coding = False
        for name, value in request.headers:
            if name == b"content-length":
                length = True
            elif name == b"x-request-id":
                self._request_id = value
            elif name == b"transfer-encoding":
                coding = True
        if request.http_version not in (b"1.0", b"1.1"):
            raise _Refused("malformed", f"expected HTTP/1.1, got HTTP/{request.http_version.decode()}")
        if length and coding:
            # RFC 9112 6.1: proxies before us may have read another request than we would.
            raise _Refused("malformed", "expected Content-Length or Transfer-Encoding, got both")
        if self._door.proxies:
            self._from_proxy(request)

    def _from_proxy(self, request: h11.Request) -> None:
        visit = self._visit
        if visit is None:
            return
        address, scheme = forwarded(request.headers, self._door.proxy_header, self._door.proxies)
        self.client = (address or visit.peer, 0)
        self.scheme = scheme or "http"
        visit.next_request()
        if not visit.count(self.client[0]):
            raise self._too_many()

    def _too_many(self) -> _Refused:
        most = self._door.strangers
        return _Refused(
            "rate_limited", f"expected at most {most} connections of one address that have shown no token; close some"
        )

    # Time.

    def _owes(self, phase: _Phase) -> None:
        if phase is self._phase:
            return
        self._phase = phase
        if phase is _Phase.NOTHING:
            self._due = math.inf
            return
        wait = self._settings.head_seconds if phase is _Phase.HEAD else self._settings.body_seconds
        self._due = self.loop.time() + wait
        self._arm()

    def _arm(self) -> None:
        """Have ``_late`` called when something is due, or earlier: then it arms again. One timer for many requests."""
        if self._timer is not None:
            if self._timer_at <= self._due:
                return
            self._timer.cancel()
        self._timer_at = self._due
        self._timer = self.loop.call_at(self._due, self._late)

    def _late(self) -> None:
        self._timer = None
        if self._due == math.inf or self.transport.is_closing():
            return
        if self.loop.time() < self._due:
            self._arm()
            return
        if not self._begun:
            # Browsers open connections that they may need: nobody waits for an answer.
            metrics.REFUSED.labels("idle").inc()
            self.transport.close()
            return
        what = "head" if self._phase is _Phase.HEAD else "body"
        self._refuse(_Refused("too_slow", f"expected the whole {what} of the request in time; send it at once"))

    # Ends.

    def _upgrade(self, head: bytes, rest: bytes) -> None:
        self._owes(_Phase.NOTHING)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        visit, self._visit = self._visit, None
        if visit is None:
            self.transport.abort()
            return
        self.connections.discard(self)
        make: Any = self.ws_protocol_class
        protocol = make(config=self.config, server_state=self.server_state, app_state=self.app_state)
        protocol.connection_made(self.transport)
        protocol.client = self.client
        self.transport.set_protocol(protocol)
        protocol.begin(visit, head, rest)

    def _refuse(self, refused: _Refused) -> None:
        """Answer, read for a while what is still on its way, and close; the application receives a disconnect."""
        metrics.REFUSED.labels(refused.code).inc()
        self._owes(_Phase.NOTHING)
        self._unset_keepalive_if_required()
        begun = self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if begun or self.transport.is_closing():
            self.transport.abort()
            return
        # Before anything has come, nobody knows whose page waits.
        rest = self.conn.head or self.conn.trailing_data[0]
        origin = heads.origin(rest) or self._origin
        id = heads.request_id(rest) or heads.request_id(b"\nx-request-id: %s\n" % self._request_id)
        self.transport.write(refusals.answer(refused.code, refused.detail, self._origins.shared(origin), id=id))
        self._linger = Linger(self.transport, self.loop)
        self.flow.resume_reading()


def _words(fault: h11.RemoteProtocolError | None, else_: str) -> str:
    """What is wrong, in the parser's words, without the line that it repeats: that may hold a token."""
    return brief(str(fault or else_).partition(": bytearray(")[0])


class _Requests(h11.Connection):
    """h11's parser, which shows each head to the protocol, and remembers why it gave up."""

    def __init__(self, protocol: HttpProtocol) -> None:
        super().__init__(h11.SERVER, heads.BYTES)
        self._protocol = protocol
        self.fault: h11.RemoteProtocolError | _Refused | None = None
        #: What came of a head that cannot be read.
        self.head = b""

    def next_event(self) -> Any:
        head = self.trailing_data[0] if self.their_state is h11.IDLE else b""
        try:
            # h11 bounds a head only while its end is missing.
            if heads.too_large(head):
                raise _Refused(
                    "head_too_large",
                    f"expected a head of at most {heads.BYTES} bytes and {heads.LINES} lines of headers",
                )
            event = super().next_event()
            if type(event) is h11.Request:
                self._protocol.judge(event)
                return heads.in_origin_form(event)
        except h11.RemoteProtocolError as error:
            self.fault, self.head = error, head
            raise
        except _Refused as refused:
            self.fault, self.head = refused, head
            raise h11.RemoteProtocolError(refused.detail) from refused
        return event
