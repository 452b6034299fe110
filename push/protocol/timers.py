"""What must happen on a connection as time passes: connect in time, pings and their answers, the token's end, its own.

Times are Unix seconds. Pure: the session tells what happens, and asks what is due.
"""

from __future__ import annotations

from typing import Literal

from push.protocol import codes
from push.protocol.codes import Disconnect

#: Seconds until a connection must have sent its connect command (reference server: 15).
CONNECT_SECONDS = 10.0
#: Seconds that commands get which came before something that cannot be read, until the connection ends.
LAST_SECONDS = 10.0
#: Seconds until a ping must be answered (reference server: 8). Clients wait 10 s beyond the ping interval.
PONG_SECONDS = 10.0
_NEVER = float("inf")


class Timers:
    """The five moments of one connection."""

    __slots__ = ("_connect_by", "_end_by", "_expires", "_ping_at", "_ping_seconds", "_pong_by", "_unanswered", "ending")

    def __init__(self, now: float, ping_seconds: float) -> None:
        self._ping_seconds = ping_seconds
        self._connect_by = now + CONNECT_SECONDS
        self._ping_at = _NEVER
        self._pong_by = _NEVER
        self._expires = _NEVER
        self._end_by = _NEVER
        self._unanswered = 0
        #: How the connection ends as soon as nothing is under way on it.
        self.ending: Disconnect | None = None

    def end(self, disconnect: Disconnect, now: float) -> None:
        """The connection ends like this, after what is under way, and not much later."""
        self.ending = disconnect
        self._end_by = now + LAST_SECONDS

    def connected(self, now: float, phase: float) -> None:
        """The connect reply goes out. ``phase`` is the part of the interval until the first ping."""
        self._connect_by = _NEVER
        self._ping_at = now + self._ping_seconds * phase

    def expire(self, moment: float) -> None:
        """The token ends then."""
        self._expires = moment

    def ttl(self, now: float) -> int:
        """Seconds after which SDKs are to refresh: before the token ends, because the connection ends with it."""
        left = self._expires - now
        return max(1, int(left - min(30.0, left * 0.1)))

    def pong(self, now: float) -> bool:
        """A pong came. Returns whether one was expected."""
        if not self._unanswered:
            return False
        self._unanswered -= 1
        self._pong_by = now + PONG_SECONDS if self._unanswered else _NEVER
        return True

    def tick(self, now: float) -> Disconnect | Literal["ping"] | None:
        """What is due now; a ping counts as sent."""
        if now >= self._connect_by:
            return codes.STALE
        if now >= self._expires:
            return codes.EXPIRED
        if now >= self._end_by:
            return self.ending
        if now >= self._pong_by:
            return codes.NO_PONG
        if now < self._ping_at:
            return None
        # Pings are sent on busy connections too: one SDK takes nothing else for a sign of life.
        self._ping_at = now + self._ping_seconds
        self._unanswered += 1
        self._pong_by = min(self._pong_by, now + PONG_SECONDS)
        return "ping"

    def deadline(self) -> float:
        """When something is due next."""
        return min(self._connect_by, self._expires, self._end_by, self._pong_by, self._ping_at)
