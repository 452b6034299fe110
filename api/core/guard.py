"""Before the routes: calls under names that are not ours, and calls that pages of other sites make, are refused."""

from __future__ import annotations

import hmac
from collections.abc import Callable

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.core import tokens
from api.core.places import header
from api.support import problems
from api.support.problems import Problem
from events.core.faults import brief, quoted
from infra.base import request_ids
from infra.base.origins import Headers, vary
from infra.base.settings import Settings
from infra.base.sites import Sites, bearer, crosses, host_name, loopback

#: Methods that change nothing (RFC 9110 9.2.1).
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
#: What may come once: of two, a proxy before us may have looked at the other (RFC 9110 5.3).
_ONCE = frozenset({
    b"host", b"origin", b"sec-fetch-site", b"authorization", b"idempotency-key", b"klatsch-position", b"last-event-id",
    b"klatsch-user", b"klatsch-api-key",
    b"access-control-request-method", b"access-control-request-private-network",
})  # fmt: skip
#: Below it is what programs and pages of other origins may call; the pages themselves, metrics and health are not.
_API = "/v1/"


class Guard:
    """ASGI middleware around the whole application, its own errors included."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._sites = Sites(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        found, problem = _once(scope)
        id = request_ids.begin(_request_id(scope))
        origin = found.get(b"origin") if scope["path"].startswith(_API) else None
        shared = self._sites.origins.shared(origin)
        send = _saying(shared, (request_ids.RAW_HEADER, id.encode()), send)
        problem = problem or self._judge(scope, found)
        if problem is not None:
            await problems.response(problem)(scope, receive, send)
        elif origin is not None and shared and _asks(scope, found):
            private = found.get(b"access-control-request-private-network") == b"true"
            await _permission(self._sites.origins.preflight(origin, private=private))(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _judge(self, scope: Scope, found: dict[bytes, bytes]) -> Problem | None:
        host, origin, site = found.get(b"host"), found.get(b"origin"), found.get(b"sec-fetch-site")
        if (host is None and scope["http_version"] != "1.0") or (host is not None and host_name(host) is None):
            got = "nothing" if host is None else _quoted(host)
            fault = header("Host", "a name or an address", got)
            return Problem("malformed", f"expected a name or an address as Host, got {got}", errors=[fault])
        # HTTP/1.0 may leave it out; no browser does.
        if host is not None and not self._sites.named(host):
            return Problem(
                "misdirected",
                f"expected a name of this installation as Host, got {_quoted(host)}; "
                "the operator lists its names in KLATSCH_HOSTS",
                errors=[header("Host", "a name of this installation", _quoted(host))],
            )
        if scope["type"] == "websocket":
            # The token is in the connect command, so that Sec-Fetch-Site adds nothing: browsers send Origin here.
            foreign = crosses(host or b"", origin, None)
        else:
            # No page of another site can send Authorization, unless a preflight of its said that it may.
            changes = b"authorization" not in found and scope["method"] not in _SAFE
            foreign = (changes or _asks(scope, found)) and crosses(host or b"", origin, site)
        if foreign and self._sites.origins.allowed(origin) is None:
            got = _shown(origin or b"another site")
            return Problem(
                "forbidden",
                f"expected a page of this installation, got one of {got}; the operator lists others in KLATSCH_ORIGINS",
            )
        return None


def _shown(value: bytes) -> str:
    return brief(value.decode("latin-1"))


def _quoted(value: bytes) -> str:
    return quoted(value.decode("latin-1"))


def _once(scope: Scope) -> tuple[dict[bytes, bytes], Problem | None]:
    """The headers that decide, and what is wrong with them."""
    found: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        if name in _ONCE:
            if name in found:
                fault = header(name.decode().title(), "it once", "it twice")
                detail = f"expected the header {name.decode()} once, got it twice"
                return {}, Problem("malformed", detail, errors=[fault])
            found[name] = value
    return found, None


def _request_id(scope: Scope) -> str | None:
    """The one id that the client gave its request; of two, none is the request's."""
    given = [value for name, value in scope["headers"] if name == request_ids.RAW_HEADER]
    return given[0].decode("latin-1") if len(given) == 1 else None


def _saying(headers: Headers, id: tuple[bytes, bytes], send: Send) -> Send:
    """``send``, which adds to every answer its ``id``, who may read it, and that it is one for each origin."""

    async def saying(message: Message) -> None:
        if message["type"] in ("http.response.start", "websocket.http.response.start"):
            message["headers"] = [*vary(message.get("headers", ())), *headers, id]
        elif message["type"] == "websocket.accept":
            message["headers"] = [*message.get("headers", ()), id]
        await send(message)

    return saying


def _asks(scope: Scope, found: dict[bytes, bytes]) -> bool:
    """Whether it is a preflight: a browser asks whether a page may call."""
    return scope.get("method") == "OPTIONS" and b"origin" in found and b"access-control-request-method" in found


def _permission(headers: Headers) -> Response:
    """The answer to a preflight. It counts against no limit, and costs less than ``/healthz``."""
    response = Response(status_code=204, headers={"Cache-Control": "no-store"})
    response.raw_headers += headers
    return response


def onlookers(settings: Settings) -> Callable[[str | None], bool]:
    """Who may see metrics and the parts behind readiness, by the header Authorization: see Settings.metrics."""
    setting = settings.metrics
    if setting == "open" or (setting == "auto" and loopback(settings.host)):
        return lambda authorization: True
    if setting == "off":
        return lambda authorization: False

    def may(authorization: str | None) -> bool:
        token = bearer(authorization or "")
        if token is None:
            return False
        if settings.metrics_token and hmac.compare_digest(token.encode(), settings.metrics_token.encode()):
            return True
        try:
            return tokens.verify(settings, token).role == "operator"
        except Problem:
            return False

    return may
