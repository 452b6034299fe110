"""The WebSocket library's parser, which counts what it reads while it reads, and stops where there is too much.

A packet holds tens of thousands of tiny frames, and each takes ten microseconds and more to read: a bound that waits
until they are read comes too late.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from websockets.exceptions import InvalidHeaderValue, ProtocolError
from websockets.frames import Close, Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.server import ServerProtocol

from events.core.faults import brief
from infra.base import request_ids
from infra.base.settings import Settings
from push import metrics
from push.protocol import codes
from push.protocol.codes import Disconnect
from push.transports import heads, refusals

#: Control frames and fragments at once, as a multiple of those in a second.
_BURST = 10
_VERSION = "Sec-WebSocket-Version"
_WORDS = re.compile(r"^Failed to open a WebSocket connection: ?")


class Parser(ServerProtocol):
    """A server's side of one WebSocket."""

    #: Bytes of the message whose fragments are coming; None between messages. Until version 15, and since.
    cur_size: int | None
    current_size: int | None

    def __init__(self, settings: Settings, **options: Any) -> None:
        super().__init__(**options)
        #: Messages of this kind, each in one frame, are for the session to count.
        self.whole = Opcode.TEXT
        #: What is answered to the client's close frame; None: its own words.
        self.farewell: Callable[[], Disconnect] | None = None
        self._early = True
        #: The one that the client gave.
        self._request_id = ""
        self._frames_left = settings.early_frames
        self._bytes_left = settings.early_bytes
        self._rate = settings.control_frames
        self._left = float(_BURST * self._rate)
        self._at = time.monotonic()

    def known(self) -> None:
        """The token is good: from now on only control frames and fragments are counted here."""
        self._early = False

    def receive_data(self, data: bytes | bytearray) -> None:
        if self._early:
            self._bytes_left -= len(data)
            if self._bytes_left < 0 and self.parser_exc is None:
                self._refuse(codes.TOO_MUCH_EARLY)
                return
        super().receive_data(data)

    def recv_frame(self, frame: Frame) -> None:
        if self._early:
            self._frames_left -= 1
            if self._frames_left < 0:
                raise self._refuse(codes.TOO_MUCH_EARLY)
        if not (frame.fin and frame.opcode is self.whole) and not self._may():
            raise self._refuse(codes.TOO_MANY_FRAMES)
        if frame.opcode is Opcode.CLOSE:
            # It may stand between fragments (RFC 6455, 5.4), and nothing comes behind it.
            self.cur_size = self.current_size = None
            if self.farewell is not None and self.state is State.OPEN:
                # Raises ProtocolError for what is no close frame.
                Close.parse(frame.data)
                self.send_close(*self.farewell())
        super().recv_frame(frame)

    def accept(self, request: Request) -> Response:
        """The answer to a handshake that could be read."""
        given = request.headers.get_all(request_ids.HEADER)
        self._request_id = heads.request_id(f"\n{request_ids.HEADER}: {given[0]}\n".encode()) if len(given) == 1 else ""
        return super().accept(request)

    def reject(self, status: int, text: str) -> Response:
        """The handshake's refusal as problem document. 403 without a word is a path that has no WebSocket."""
        code = {403: "not_found", 426: "upgrade_required", 431: "head_too_large", 500: "internal"}.get(
            int(status), "malformed"
        )
        version = getattr(self.handshake_exc, "name", None) == _VERSION
        if version and isinstance(self.handshake_exc, InvalidHeaderValue):
            # RFC 6455, 4.2.2: 426 for a version that the server does not know.
            code = "upgrade_required"
        words = _WORDS.sub("", text.partition("\n")[0]).strip(" .")
        detail = f"expected a WebSocket handshake (RFC 6455); {brief(words)}"
        if code == "not_found":
            detail = "expected the path of a WebSocket, /v1/connection or /v1/channels/{id}/connect; see /docs"
        kind = refusals.KINDS[code]
        metrics.REFUSED.labels("handshake").inc()
        id = request_ids.known() or self._request_id or request_ids.made()
        response = super().reject(HTTPStatus(kind.status), refusals.document(code, detail, id).decode())
        known = ((request_ids.HEADER, id), *(((_VERSION, "13"),) if version else ()))
        for name, value in (*refusals.headers(code).items(), refusals.NOSNIFF, *known):
            if name in response.headers:
                del response.headers[name]
            response.headers[name] = value
        return response

    def _may(self) -> bool:
        """Whether one more control frame or fragment is within the bound: a bucket that fills at the rate."""
        now = time.monotonic()
        self._left = min(float(_BURST * self._rate), self._left + (now - self._at) * self._rate) - 1.0
        self._at = now
        return self._left >= 0.0

    def _refuse(self, disconnect: Disconnect) -> ProtocolError:
        """Say why, and read no further: what has come is thrown away."""
        metrics.CLOSES.labels(disconnect.code).inc()
        metrics.REFUSED.labels("frames").inc()
        self.fail(disconnect.code, disconnect.reason)
        self.parser_exc = ProtocolError(disconnect.reason)
        return self.parser_exc
