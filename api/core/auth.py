"""Who asks: the identity behind a token, refused once its session is closed."""

from __future__ import annotations

from collections import OrderedDict
from time import time

from api.core import tokens
from api.core.calls import Services
from api.core.tokens import Identity
from api.support.problems import Problem
from infra.base.postgres import queries
from infra.base.sites import bearer

#: Tokens whose signature need not be checked again; a hit saves some 30 microseconds.
_KNOWN = 10_000
_known: OrderedDict[tuple[str, str], Identity] = OrderedDict()


async def identify(services: Services, authorization: str | None) -> Identity | None:
    """The identity in an ``Authorization: Bearer`` header; None without a header. Raises Problem."""
    if authorization is None:
        return None
    token = bearer(authorization)
    if not token:
        raise Problem("unauthenticated", "expected Authorization: Bearer and a token")
    return await authenticate(services, token)


async def authenticate(services: Services, token: str) -> Identity:
    """The identity in a token. Raises Problem ``unauthenticated``, ``token_expired`` or ``token_revoked``."""
    if not token:
        raise Problem("unauthenticated", tokens.NO_TOKEN)
    key = (services.settings.secret, token)
    identity = _known.get(key)
    if identity is None or identity.expires <= time():
        identity = tokens.verify(services.settings, token)
        _known[key] = identity
        while len(_known) > _KNOWN:
            _known.popitem(last=False)
    if await _revoked(services, identity):
        raise Problem("token_revoked", tokens.REVOKED)
    return identity


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
