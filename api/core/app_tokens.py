"""Tokens that an application signs by itself (JWT, RFC 7519): of its users, and of its own servers.

Header: ``alg`` HS256, ``kid`` the API key. Claims: ``iat`` and ``exp``; of a user's ``sub``, their id with the
application; of a server's ``server``, true. Signed with the secret of the key, the text as it was shown (``ks_...``).
"""

from __future__ import annotations

from time import time
from typing import Any, NamedTuple

import jwt

from api.core.tokens import ALGORITHM, CLOCK_SKEW_SECONDS, canonical, early
from api.support.apps import AppSecret, shown_secret
from api.support.problems import Problem
from events.core.faults import quoted
from producers.apps import KEY_MARK
from producers.limits import EXTERNAL_CHARS

#: Whom an application's own server acts for: a user's id.
USER_HEADER = "Klatsch-User"
#: The application of which somebody is who has no token yet: its API key.
APP_HEADER = "Klatsch-Api-Key"
#: What whoever sends a revoked one is told.
REVOKED = "expected a valid token, got one that was revoked; sign another"
_UNSIGNED = "expected a token signed (HS256) with the secret of the API key that it names as kid, got another"
_CLAIMS = ("iat", "exp")
#: Times of tokens are before this: the year 9999.
_LAST = 253_402_300_800


class AppClaims(NamedTuple):
    """What a token of an application says."""

    #: The user's id with the application; None of a server's.
    external: str | None
    issued: float
    expires: float


def session_of(user: str, issued: float, key: str) -> str:
    """What a token of a user's has for a session: the connections of one token end together."""
    return f"{user}/{int(issued)}/{key}"


def of_app(session: str) -> str | None:
    """The API key under which a token with this session was signed; None: it is a log-in of ours."""
    kid = session.rpartition("/")[2]
    return kid if kid.startswith(KEY_MARK) else None


def issued_of(session: str) -> float:
    """When a token of an application's was issued, by its session; in Unix seconds."""
    return float(session.split("/")[-2])


def key_of(token: str) -> str | None:
    """The API key that a token names; None where it is none of an application's."""
    try:
        kid = jwt.get_unverified_header(token).get("kid")
    except (jwt.InvalidTokenError, RecursionError):
        return None
    return kid if isinstance(kid, str) and kid.startswith(KEY_MARK) and kid.isascii() else None


def verify(key: AppSecret, token: str) -> AppClaims:
    """What a token says that was signed with the key's secret. Revocation is not seen here.

    Raises Problem ``unauthenticated``, ``token_expired`` or ``token_not_yet_valid``.
    """
    try:
        claims = jwt.decode(
            token, shown_secret(key.secret), [ALGORITHM], leeway=CLOCK_SKEW_SECONDS,
            options={"require": list(_CLAIMS), "verify_aud": False, "verify_iss": False, "verify_sub": False},
        )  # fmt: skip
    except jwt.ExpiredSignatureError as error:
        raise _expired() from error
    except jwt.ImmatureSignatureError as error:
        raise early() from error
    except jwt.MissingRequiredClaimError as error:
        raise Problem(
            "unauthenticated", f"expected a token with the claims iat and exp, got one without {error.claim}"
        ) from error
    # The library takes any number that JSON of Python's knows, also what is none to others.
    except (jwt.InvalidTokenError, OverflowError, RecursionError, TypeError) as error:
        raise Problem("unauthenticated", _UNSIGNED) from error
    if not canonical(token.rpartition(".")[2]):
        raise Problem("unauthenticated", _UNSIGNED)
    issued, expires = (_seconds(claims, name) for name in _CLAIMS)
    if expires <= time():
        raise _expired()
    return AppClaims(_external(claims), issued, expires)


def _seconds(claims: dict[str, Any], name: str) -> float:
    """A time of the claims (RFC 7519 2: a number of seconds). Raises Problem."""
    value = claims[name]
    if type(value) not in (int, float) or not 0 <= value < _LAST:
        raise Problem("unauthenticated", f"expected a token whose claim {name} is a time in seconds, got another")
    return float(value)


def _expired() -> Problem:
    return Problem("token_expired", "expected a valid token, got one that has expired; sign another")


def suspended() -> Problem:
    """The refusal of all that an application asks for while it is suspended."""
    return Problem("suspended", "expected an application in use, got one that is suspended; its operator resumes it")


def _external(claims: dict[str, Any]) -> str | None:
    """Whose token it is. Raises Problem."""
    server, sub = claims.get("server", False), claims.get("sub")
    if server is True and sub is None:
        return None
    if server is not False:
        raise Problem(
            "unauthenticated",
            "expected a token with either the claim sub or the claim server: true, got one with both or another",
        )
    halved = isinstance(sub, str) and _halved(sub)
    if not isinstance(sub, str) or not 0 < len(sub) <= EXTERNAL_CHARS or halved:
        got = "none" if sub is None else "half of a surrogate pair" if halved else quoted(sub)
        if type(sub) in (int, float):
            got += ", a number"
        raise Problem(
            "unauthenticated",
            f"expected a token with the claim sub, the user's id with the application (a text of 1 to "
            f"{EXTERNAL_CHARS} characters), got {got}",
        )
    return sub


def _halved(text: str) -> bool:
    """Whether a text has half of a surrogate pair, as JSON can and UTF-8 cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False
