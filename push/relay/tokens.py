"""Channel tokens: what ``Listen`` gives and ``Connect`` takes. Signed statements (JWT, RFC 7519) of one listen. Pure.

A token is good for the server that it names, some seconds before and after its time, and once: that it was not used
before, the server that takes it remembers (``id``). Its key is none of log-in tokens: it is derived from the
installation's secret with a label of its own, so that neither is ever taken for the other.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import jwt
import msgspec

from events.core.errors import KlatschError

#: What the key is derived with (RFC 5869 2.3: HKDF-Expand of one block, as the secret is uniformly random already).
_LABEL = b"klatsch channel token"
_ALGORITHM = "HS256"
#: Characters of a token at most: the longest ids and usernames make some 700; gRPC refuses metadata from 8 KiB on at
#: random.
TOKEN_CHARS = 2048


class BadChannelToken(KlatschError):
    """A channel token that is not good here and now; the text says expected and actual."""

    def __init__(self, code: str, text: str, retry_after: float | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.retry_after = retry_after


class ChannelToken(msgspec.Struct, frozen=True, kw_only=True):
    """What a token says, by its claims."""

    #: User id.
    user: str = msgspec.field(name="sub")
    username: str
    #: The user's number: ``Message.user_id`` of S1.
    number: int = msgspec.field(name="num")
    channel: int
    #: Id of the server that serves the channel.
    server: str
    #: Id of the server of the listen before; None: there was none.
    before: str | None = msgspec.field(name="prev")
    #: Offset of the listen in the user's stream: of two tokens of a user the later one has the higher.
    version: int = msgspec.field(name="ver")
    #: When it was made, in Unix seconds.
    timestamp: float
    #: The session that listened: once it is closed, the token is no good.
    session: str = msgspec.field(name="sid")
    #: Names the token: it is used once.
    id: str = msgspec.field(name="jti")


def _key(secret: str) -> bytes:
    return hmac.digest(bytes.fromhex(secret), _LABEL + b"\x01", hashlib.sha256)


def mint_channel_token(secret: str, token: ChannelToken) -> str:
    """The token, signed. ``secret``: the installation's, as hex. The same claims give the same token."""
    claims: dict[str, Any] = msgspec.to_builtins(token)
    return jwt.encode(claims, _key(secret), _ALGORITHM)


def read_channel_token(secret: str, token: str, *, server: str, now: float, seconds: float) -> ChannelToken:
    """What a token says. ``server``: the id of who reads it; ``now``: its clock in Unix seconds; ``seconds``: how far
    the token's time may be from it, either way.

    Raises BadChannelToken: ``unauthenticated`` for one of another installation or server, ``token_expired``,
    ``token_not_yet_valid``. Whether it was used before is not seen here.
    """
    if len(token) > TOKEN_CHARS:
        raise _foreign(f"one of {len(token)} characters")
    try:
        claims = jwt.decode(token, _key(secret), [_ALGORITHM], options={"verify_aud": False})
        found = msgspec.convert(claims, ChannelToken)
    except (jwt.InvalidTokenError, msgspec.ValidationError) as error:
        raise _foreign("another") from error
    if found.server != server:
        text = (
            f"expected a channel token for the server {server}, got one for {found.server}; listen, and connect there"
        )
        raise BadChannelToken("unauthenticated", text)
    age = now - found.timestamp
    if age > seconds:
        text = (
            f"expected a channel token of the last {seconds:g} s, got one of {age:.1f} s ago by this server's clock; "
            "listen again, and if that does not help the clocks of two machines differ"
        )
        raise BadChannelToken("token_expired", text)
    # A NaN is no distance.
    if not age >= -seconds:
        text = (
            f"expected a channel token made at most {seconds:g} s ahead of this server's clock, got one {-age:.1f} s "
            "ahead: the clocks of two machines differ"
        )
        raise BadChannelToken("token_not_yet_valid", text, retry_after=max(1.0, -age - seconds))
    return found


def _foreign(got: str) -> BadChannelToken:
    return BadChannelToken(
        "unauthenticated", f"expected a channel token of this installation, got {got}; listen for one"
    )
