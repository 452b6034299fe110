"""Who asks: the identity behind a token, refused once it was revoked."""

from __future__ import annotations

from collections import OrderedDict
from time import monotonic, time
from typing import Literal, NamedTuple, TypeVar

from api.core import app_tokens, tokens
from api.core.app_tokens import APP_HEADER, USER_HEADER, AppClaims
from api.core.calls import ALL_KEY_LOOKUPS, EVERYONE, KEY_LOOKUPS, Call, Services
from api.core.places import header
from api.core.tokens import Identity
from api.support.app_users import AppUser
from api.support.apps import AppSecret
from api.support.problems import Problem
from events.apps import App
from events.core.clock import to_datetime
from events.core.derived_ids import derived_id
from events.core.faults import quoted
from infra.base.postgres import queries
from infra.base.sites import bearer

#: Tokens whose signature need not be checked again; a hit saves some 30 microseconds.
_KNOWN = 10_000
_known: OrderedDict[tuple[str, str], Identity] = OrderedDict()


Key = TypeVar("Key")
Value = TypeVar("Value")


class _OfApp(NamedTuple):
    """A token of an application, as it was found good under a key."""

    kid: str
    key: AppSecret
    claims: AppClaims


_of_apps: OrderedDict[tuple[str, str], _OfApp] = OrderedDict()


async def identify(
    services: Services, authorization: str | None, address: str, user: str | None = None
) -> Identity | None:  # fmt: skip
    """The identity in an ``Authorization: Bearer`` header; None without a header. Raises Problem.

    ``address``: where the client calls from; ``user``: whom an application's own server acts for, as the header
    Klatsch-User says it.
    """
    if authorization is None:
        return None
    token = bearer(authorization)
    if not token:
        raise Problem("unauthenticated", "expected Authorization: Bearer and a token")
    identity = await authenticate(services, token, address)
    if user is None:
        return identity
    if identity.role != "server":
        raise Problem(
            "forbidden", f"expected no header {USER_HEADER}, as only an application's server acts for others, got one"
        )
    return await _acting(services, identity, user)


async def authenticate(services: Services, token: str, address: str) -> Identity:
    """The identity in a token that a client at this address sends.

    Raises Problem ``unauthenticated``, ``token_expired``, ``token_not_yet_valid``, ``token_revoked``, ``suspended``.
    """
    if not token:
        raise Problem("unauthenticated", tokens.NO_TOKEN)
    place = (services.settings.secret, token)
    identity = _known.get(place)
    if identity is None or identity.expires <= time():
        found = _of_apps.get(place)
        kid = app_tokens.key_of(token) if found is None else found.kid
        if kid is not None:
            return await _of_app(services, place, kid, address)
        identity = tokens.verify(services.settings, token)
        _keep(_known, place, identity, _KNOWN)
    if await _revoked(services, identity):
        raise _void()
    if identity.role != "operator":
        problem = refusal(await services.apps.get(identity.app), identity.issued)
        if problem is not None:
            raise problem
    if identity.sliding:
        await in_use(services, identity)
    return identity


async def in_use(services: Services, identity: Identity) -> None:
    """Notes now and then that a session is used which ends where it is not. Raises Problem ``token_expired``."""
    hours = await services.apps.session_hours(identity.app)
    if not await services.sessions.use(identity.user, identity.session, hours, identity.issued):
        raise tokens.expired()


def refusal(app: App | None, issued: float, *, signed: bool = False) -> Problem | None:
    """Why an application's people are not served who have a token of this age; ``signed``: by the application."""
    # One that is erased is as one that never was.
    if app is None or app.state == "erased":
        return Problem("unauthenticated", tokens.FOREIGN)
    if app.state == "suspended":
        return app_tokens.suspended()
    if app.tokens_before is not None and issued < to_datetime(app.tokens_before).timestamp():
        return _void(signed=signed)
    return None


def _void(*, signed: bool = False) -> Problem:
    return Problem("token_revoked", app_tokens.REVOKED if signed else tokens.REVOKED)


async def app_of(services: Services, api_key: str, address: str) -> str:
    """The application of an API key, which whoever has no token yet sends from this address. Raises Problem."""
    key = await _key(services, api_key, address)
    if key is None:
        fault = header(APP_HEADER, "a valid API key", quoted(api_key))
        raise Problem("unauthenticated", f"expected a valid API key, got {quoted(api_key)}", errors=[fault])
    problem = refusal(await services.apps.get(key.app), time())
    if problem is not None:
        raise problem
    return key.app


async def _of_app(services: Services, place: tuple[str, str], kid: str, address: str) -> Identity:
    """The identity in a token that an application signed with the secret of this key."""
    key = await _key(services, kid, address)
    if key is None:
        raise Problem("unauthenticated", "expected a token under a valid API key, got one under another or an old one")
    found = _of_apps.get(place)
    if found is None or found.key != key or found.claims.expires <= time():
        found = _OfApp(kid, key, app_tokens.verify(key, place[1]))
        _keep(_of_apps, place, found, _KNOWN)
    claims = found.claims
    problem = refusal(await services.apps.get(key.app), claims.issued, signed=True)
    if problem is not None:
        raise problem
    if claims.external is None:
        return Identity("", f"{key.app}/{kid}", "server", claims.expires, app=key.app, issued=claims.issued)
    user = derived_id(key.app, "user", claims.external)
    account = await _account(services, key.app, user)
    if account is None:
        text = f"expected a user of the application, found none known to it as {quoted(claims.external)}"
        raise Problem("unauthenticated", f"{text}; its server makes users by POST /v1/users/upsert")
    # Before all else: a token that is void tells nobody what has become of its user.
    if claims.issued < account.tokens_before:
        raise _void(signed=True)
    if account.gone is not None:
        raise Problem("unauthenticated", _gone(user, account.gone))
    session = app_tokens.session_of(user, claims.issued, kid)
    return Identity(user, session, "person", claims.expires, app=key.app, kind=account.account, issued=claims.issued)


async def _key(services: Services, api_key: str, address: str) -> AppSecret | None:
    """Whose key it is, also one that was made a moment ago; one that is nobody's is looked for once in a while.

    Raises Problem ``overloaded``.
    """
    if services.apps.is_unknown(api_key):
        return None
    if not services.apps.knows(api_key):
        _count_search(services, address)
    return await Call(services, None).sought(lambda: services.apps.by_key(api_key), "apps")


def _count_search(services: Services, address: str) -> None:
    """Counts a search for a key by the address, as nobody has shown yet who they are, and with those of all others.

    Raises Problem ``overloaded``.
    """
    now, lookups = monotonic(), services.key_lookups
    for subject, quota, whose in ((address, KEY_LOOKUPS, "from one address"), (EVERYONE, ALL_KEY_LOOKUPS, "in all")):
        if lookups.take(subject, now, 1, quota).wait > 0.0:
            text = f"expected fewer API keys that are not known here to be looked for at once {whose}; try again"
            raise Problem("overloaded", text, retry_after=1)


async def _acting(services: Services, server: Identity, user: str) -> Identity:
    """The server, for one of its users."""
    account = await _account(services, server.app, user)
    if account is None or account.gone is not None:
        expected, text = "of the application", f"expected a user of the application, found none with id {user}"
        if account is not None and account.gone is not None:
            expected, text = "in use", _gone(user, account.gone)
        fault = header(USER_HEADER, f"the id of a user {expected}", quoted(user))
        raise Problem("not_found", text, errors=[fault])
    return Identity(user, server.session, "server", server.expires, app=server.app, issued=server.issued)


async def _account(services: Services, app: str, user: str) -> AppUser | None:
    """A user of the application, also one who was made, or let in again, a moment ago; None: there is none."""
    return await Call(services, None).sought(
        lambda: services.app_users.look(app, user), "users",
        enough=lambda found: found is not None and found.gone is None,
    )  # fmt: skip


def _gone(user: str, how: Literal["deactivated", "erased"]) -> str:
    """What whoever speaks for the application is told of a user of its own who is not in use."""
    text = "expected a user in use, got one who is"
    if how == "erased":
        return f"{text} erased, for good: register whoever comes under another id"
    return f"{text} deactivated; the application's server lets them in again by DELETE /v1/users/{user}/deactivation"


def _keep(found: OrderedDict[Key, Value], key: Key, value: Value, most: int) -> None:
    found[key] = value
    while len(found) > most:
        found.popitem(last=False)


async def _revoked(services: Services, identity: Identity) -> bool:
    if identity.role == "operator":
        # No session of theirs can be closed; and they must get in while Postgres is away.
        return False
    if identity.session in services.progress.revoked:
        return True
    if services.progress.fresh:
        return False
    # Notifications may be lost while the listener is away: ask.
    async with services.pool.acquire(timeout=5) as connection:
        return bool(await connection.fetchval(queries("sessions")["closed"], identity.user, identity.session))
