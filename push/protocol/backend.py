"""What push needs from the rest of the system, as one injected object: identities, commands and snapshots."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Protocol

import msgspec

from events.core.errors import KlatschError


class ConnectionIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """Who is on a connection, as the backend found from its token."""

    #: User id; the connection's channel is ``user:<user>``.
    user: str
    #: Id of the login session that the token belongs to: what ``Hub.revoked`` names.
    session: str
    #: When the token expires, in Unix seconds.
    expires: float
    #: What the token's holder may do; the backend's business.
    role: str = "person"
    scopes: frozenset[str] = frozenset()
    #: The application of which they are; the backend's business.
    app: str = "default"
    #: When the token was made, in Unix seconds; the backend's business.
    issued: float = 0.0
    #: What kind of account they have; the backend's business.
    kind: str = "regular"
    #: Whether the session ends before the token where it is not used; the backend's business.
    sliding: bool = False
    #: Where the connection comes from; the backend's business.
    address: str = ""
    #: Most connections of their application at once, None: there is no bound; the backend's business.
    connections: int | None = None
    #: JSON that the connect reply gives to the client.
    data: bytes = b"{}"


#: ``early``: a good one, by a clock that is ahead of this node's; it will be accepted later.
BadTokenKind = Literal["invalid", "expired", "early", "revoked"]


class BadToken(KlatschError):
    """A token that is not accepted; ``kind`` says why, and ``detail`` in the words of the problem document."""

    code = "unauthenticated"

    def __init__(self, kind: BadTokenKind, detail: str = "") -> None:
        super().__init__(detail or f"expected a token that is good, got one that is {kind}")
        self.kind = kind


class Limited(KlatschError):
    """Too many of these; again after this many seconds. ``problem``: the problem document, as JSON, of this status."""

    code = "rate_limited"

    def __init__(self, retry_after: float, problem: bytes, status: int = 429) -> None:
        super().__init__(f"too many requests; again in {retry_after} s")
        self.retry_after: float = retry_after
        self.problem = problem
        self.status = status


class RpcError(KlatschError):
    """A command that was refused.

    ``reply_code`` and ``message`` stand in the reply's error as the SDKs show them (own codes: 400 to 1999);
    ``problem`` is the RFC 9457 problem document, as JSON, that the same command gives over HTTP.
    """

    def __init__(self, reply_code: int, message: str, problem: bytes = b"") -> None:
        super().__init__(f"{reply_code} {message}")
        self.reply_code = reply_code
        self.message = message
        self.problem = problem


class Backend(Protocol):
    """Implemented by the API. Every method may be called by many connections at once."""

    async def authenticate(self, token: str, scope: Mapping[str, Any]) -> ConnectionIdentity:
        """The identity behind a token. ``scope``: the connection's, as ASGI has it. Raises BadToken, Limited,
        and push.delivery.bounds.FeedUnavailable when it cannot be told at present.
        """
        ...

    def admit(self, identity: ConnectionIdentity) -> None:
        """Asked before one more connection is joined, in the same turn of the loop. Raises Limited."""
        ...

    async def rpc(self, identity: ConnectionIdentity, method: str, data: bytes, connection: str) -> bytes:
        """Run a command or a read; JSON in, JSON out. ``connection`` is the client id. Raises RpcError."""
        ...

    async def snapshot(self, identity: ConnectionIdentity) -> bytes:
        """The first page of ``GET /v1/sync``: a JSON object with at least ``cursor`` (int) and ``epoch`` (str).

        Raises Limited, and push.delivery.bounds.FeedUnavailable when it cannot be told at present.
        """
        ...
