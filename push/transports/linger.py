"""How a connection ends after its last word: a reset would destroy what was just said."""

from __future__ import annotations

import asyncio

#: Seconds and bytes for which a client is still read after the end.
SECONDS = 2.0
BYTES = 1024 * 1024


class Linger:
    """Made when the last word is written: nothing more goes out, and what comes is thrown away for a while."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        """Whoever makes it lets the transport read."""
        self._transport = transport
        self._left = BYTES
        transport.write_eof()
        #: Ends the connection.
        self.timer = loop.call_later(SECONDS, transport.abort)

    def receive(self, data: bytes) -> None:
        """Throws away what has come."""
        self._left -= len(data)
        if self._left < 0:
            self._transport.abort()
