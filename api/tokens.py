"""Tokens: signed statements (JWT, RFC 7519) of who logged in. Valid until they expire or the session is closed."""

from __future__ import annotations

from typing import Literal, get_args

import jwt

from api.problems import Problem
from events.clock import to_datetime
from infra.settings import Settings

Role = Literal["person", "service", "operator"]

_ALGORITHM = "HS256"
_ISSUER = "klatsch"


class Identity:
    """Who asks, as a valid token says. ``expires`` in Unix seconds."""

    __slots__ = ("expires", "role", "session", "user")

    def __init__(self, user: str, session: str, role: Role, expires: float) -> None:
        self.user = user
        self.session = session
        self.role = role
        self.expires = expires


def mint(settings: Settings, *, user: str, session: str, role: Role, issued: str, expires: str) -> str:
    """A token for a session. The same arguments give the same token, so that a repeated command repeats it."""
    claims = {
        "iss": _ISSUER,
        "aud": settings.prefix,
        "sub": user,
        "sid": session,
        "role": role,
        "iat": int(to_datetime(issued).timestamp()),
        "exp": int(to_datetime(expires).timestamp()),
    }
    return jwt.encode(claims, bytes.fromhex(settings.secret), _ALGORITHM)


def verify(settings: Settings, token: str) -> Identity:
    """The identity in a token. Raises Problem ``unauthenticated`` or ``token_expired``. Revocation is not seen here."""
    try:
        claims = jwt.decode(
            token,
            bytes.fromhex(settings.secret),
            [_ALGORITHM],
            audience=settings.prefix,
            issuer=_ISSUER,
            options={"require": ["sub", "sid", "role", "exp", "iat"]},
        )
    except jwt.ExpiredSignatureError as error:
        raise Problem("token_expired", "expected a valid token, got one that has expired; log in again") from error
    except jwt.InvalidTokenError as error:
        raise Problem("unauthenticated", "expected a token of this installation, got another; log in") from error
    if claims["role"] not in get_args(Role):
        raise Problem("unauthenticated", "expected a token of this installation, got another; log in")
    return Identity(claims["sub"], claims["sid"], claims["role"], float(claims["exp"]))
