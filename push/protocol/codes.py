"""The codes of the Centrifuge protocol that this server uses: errors in replies, and reasons for which it disconnects.

Source: the protocol's reference server (errors.go, disconnect.go). Clients reconnect after a disconnect code, except
after 3500-3999 and 4500-4999, which are final.
"""

from __future__ import annotations

from typing import NamedTuple


class Error(NamedTuple):
    """An error in a reply. A temporary one is tried again by the SDKs, with backoff."""

    code: int
    message: str
    temporary: bool = False


INTERNAL = Error(100, "internal error", temporary=True)
UNKNOWN_CHANNEL = Error(102, "unknown channel: expected user:<your own id>")
PERMISSION_DENIED = Error(103, "permission denied")
METHOD_NOT_FOUND = Error(104, "method not found")
ALREADY_SUBSCRIBED = Error(
    105, 'already subscribed by the server; connect with data {"subscribe": "client"} to subscribe yourself'
)
BAD_REQUEST = Error(107, "bad request")
TOKEN_EXPIRED = Error(109, "token expired")
TOO_MANY_REQUESTS = Error(111, "too many requests", temporary=True)
UNRECOVERABLE_POSITION = Error(112, "unrecoverable position")


class Disconnect(NamedTuple):
    """Why a connection is closed: WebSocket close code, and a reason of at most 123 bytes."""

    code: int
    reason: str

    @property
    def final(self) -> bool:
        """Whether clients must not come back by themselves."""
        return 3500 <= self.code < 4000 or 4500 <= self.code < 5000


SHUTDOWN = Disconnect(3001, "shutdown")
SERVER_ERROR = Disconnect(3004, "internal server error")
EXPIRED = Disconnect(3005, "connection expired")
SLOW = Disconnect(3008, "slow")
INSUFFICIENT_STATE = Disconnect(3010, "insufficient state")
NO_PONG = Disconnect(3012, "no pong")
FLOOD = Disconnect(3013, "too many requests")
#: Of our own (4000-4499: clients come back).
EARLY = Disconnect(4000, "token not valid yet: the clocks of two machines differ")
TOO_MANY_FRAMES = Disconnect(3501, "bad request: too many control frames or fragments")
TOO_MUCH_EARLY = Disconnect(3501, "bad request: too many frames or bytes before the connect reply")
INVALID_TOKEN = Disconnect(3500, "invalid token")
REVOKED = Disconnect(3500, "token revoked")
TOO_MANY = Disconnect(3504, "too many connections of this user")
STALE = Disconnect(3502, "stale: no connect command in time")


def bad_request(what: str) -> Disconnect:
    """3501, with what was wrong. The reason is cut to what a close frame holds."""
    return Disconnect(3501, f"bad request: {what}".encode()[:120].decode(errors="ignore"))
