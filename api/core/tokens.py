"""Tokens: signed statements (JWT, RFC 7519) of who logged in. Valid until they expire or the session is closed."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection
from math import inf
from time import time
from typing import Literal, get_args

import jwt

from api.support.problems import Problem
from events.core.clock import after, to_datetime
from events.core.derived_ids import DEFAULT_APP
from events.users import Account
from infra.base.settings import Settings
from producers.commands import ANY_APP

Role = Literal["person", "service", "server", "operator"]

#: Scopes of a service account of before there were any: what all of them could do.
UNSCOPED = frozenset({"emotions:write"})

#: What who sends a revoked one, or none, is told, on every way in.
REVOKED = "expected a valid token, got one that was revoked; log in again"
#: What who sends one that is not ours is told.
FOREIGN = (
    "expected a token of this installation, or one that names an application's API key in its header kid, got another; "
    "log in"
)
NO_TOKEN = "expected a token, got none; log in and send Authorization: Bearer"
ALGORITHM = "HS256"
_SESSION = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
_ISSUER = "klatsch"
#: Life of a token whose session ends by itself where it is not used: a year.
SLIDING_SECONDS = 365 * 86_400.0
#: Seconds by which the clock of the node that signed a token may be ahead of that of the node that checks it: RFC 7519
#: 4.1.4 has "usually no more than a few minutes". The end of a token is exact: docs/decisions/0041.
CLOCK_SKEW_SECONDS = 60


class Identity:
    """Who asks, as a valid token says.

    ``expires`` and ``issued`` in Unix seconds; ``scopes`` of a service; ``app``: id of the application, ``*`` of an
    operator; ``kind`` of a person's account; ``sliding``: whether the session ends before the token where it is not
    used.
    """

    __slots__ = ("app", "expires", "issued", "kind", "role", "scopes", "session", "sliding", "user")

    def __init__(
        self, user: str, session: str, role: Role, expires: float, scopes: frozenset[str] = frozenset(),
        app: str = DEFAULT_APP, kind: Account = "regular", issued: float = 0.0,
        sliding: bool = False,
    ) -> None:  # fmt: skip
        self.user = user
        self.session = session
        self.role = role
        self.expires = expires
        self.scopes = scopes
        self.kind = kind
        self.issued = issued
        self.sliding = sliding
        self.app = ANY_APP if role == "operator" else app

    @property
    def account(self) -> str:
        """Id of whom quotas count: the user, or the application whose server calls for nobody."""
        return self.user or self.app


def mint(
    settings: Settings, *, user: str, session: str, role: Role, issued: str, expires: str,
    scopes: Collection[str] = (), app: str = DEFAULT_APP, kind: Account = "regular", sliding: bool = False,
) -> str:  # fmt: skip
    """A token for a session. The same arguments give the same token, so that a repeated command repeats it.

    ``sliding``: the session ends when it is not used, and the token a year after it was made.
    """
    claims: dict[str, str | int] = {
        "iss": _ISSUER,
        "aud": settings.prefix,
        "sub": user,
        "sid": session,
        "role": role,
        "iat": int(to_datetime(issued).timestamp()),
        "exp": int(to_datetime(after(issued, SLIDING_SECONDS) if sliding else expires).timestamp()),
    }
    if role == "service":
        # RFC 8693 4.2. Empty: none. Where it is missing, the token is of before there were scopes.
        claims["scope"] = " ".join(sorted(scopes))
    if kind != "regular":
        claims["kind"] = kind
    if sliding:
        claims["sliding"] = 1
    if app not in (DEFAULT_APP, ANY_APP):
        claims["app"] = app
    return jwt.encode(claims, bytes.fromhex(settings.secret), ALGORITHM)


def seconds_left(token: str) -> int:
    """How long a token of ours, made a moment ago, is good."""
    claims = jwt.decode(token, options={"verify_signature": False})
    return max(1, int(claims["exp"] - time()))


def _opened(session: str) -> float:
    """When a session was opened, in Unix seconds, as its id says (UUIDv7): a token that was renewed is as old as that.
    Of what has another id, infinity."""
    if _SESSION.fullmatch(session) is None:
        return inf
    return int(session[:8] + session[9:13], 16) / 1000


def verify(settings: Settings, token: str) -> Identity:
    """The identity in a token. Raises Problem ``unauthenticated``, ``token_expired`` or ``token_not_yet_valid``.
    Revocation is not seen here."""
    try:
        claims = jwt.decode(
            token,
            bytes.fromhex(settings.secret),
            [ALGORITHM],
            audience=settings.prefix,
            issuer=_ISSUER,
            leeway=CLOCK_SKEW_SECONDS,
            options={"require": ["sub", "sid", "role", "exp", "iat"]},
        )
    except jwt.ExpiredSignatureError as error:
        raise expired() from error
    except jwt.ImmatureSignatureError as error:
        # It is a token of this installation: another key would have been told before.
        raise early() from error
    # Also what is nested deeper than the library can read.
    except (jwt.InvalidTokenError, RecursionError) as error:
        raise Problem("unauthenticated", FOREIGN) from error
    if not canonical(token.rpartition(".")[2]):
        raise Problem("unauthenticated", FOREIGN)
    if claims["exp"] <= time():
        raise expired()
    kind = claims.get("kind", "regular")
    if claims["role"] not in get_args(Role) or kind not in get_args(Account):
        raise Problem("unauthenticated", FOREIGN)
    return Identity(
        claims["sub"],
        claims["sid"],
        claims["role"],
        float(claims["exp"]),
        _scopes(claims),
        claims.get("app", DEFAULT_APP),
        kind,
        min(float(claims["iat"]), _opened(claims["sid"])),
        claims.get("sliding") == 1,
    )


def canonical(signature: str) -> bool:
    """Whether it is written as RFC 7515 2 has it: without padding, and no other sign than base64url's. The library
    passes over what else stands there; so one session would have many tokens."""
    return (
        urlsafe_b64encode(urlsafe_b64decode(signature + "=" * (-len(signature) % 4))).rstrip(b"=") == signature.encode()
    )


def _scopes(claims: dict[str, str]) -> frozenset[str]:
    if claims["role"] != "service":
        return frozenset()
    return frozenset(claims["scope"].split()) if "scope" in claims else UNSCOPED


def early() -> Problem:
    """The refusal of a token of a clock that is ahead."""
    text = (
        f"expected a token that was made at most {CLOCK_SKEW_SECONDS} s ahead of this node's clock, got one of "
        "later: the clocks of two machines differ, or this one was set back; try again later"
    )
    return Problem("token_not_yet_valid", text, retry_after=CLOCK_SKEW_SECONDS)


def expired() -> Problem:
    """The refusal of a token that has ended."""
    return Problem("token_expired", "expected a valid token, got one that has expired; log in again")
