"""Before the routes: calls under names that are not ours, and calls that pages of other sites make, are refused."""

from __future__ import annotations

import hmac
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from api import problems, tokens
from api.problems import Problem
from events.faults import brief
from infra.settings import Settings
from infra.sites import Sites, crosses, header, host_name, loopback

#: Methods that change nothing (RFC 9110 9.2.1).
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
#: What may come once: of two, a proxy before us may have looked at the other (RFC 9110 5.3).
_ONCE = frozenset(
    {b"host", b"origin", b"sec-fetch-site", b"authorization", b"idempotency-key", b"klatsch-position", b"last-event-id"}
)


class Guard:
    """ASGI middleware of the whole application."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._sites = Sites(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        problem = self._judge(scope) if scope["type"] in ("http", "websocket") else None
        if problem is None:
            await self._app(scope, receive, send)
        else:
            await problems.response(problem)(scope, receive, send)

    def _judge(self, scope: Scope) -> Problem | None:
        found: dict[bytes, bytes] = {}
        for name, value in scope["headers"]:
            if name in _ONCE:
                if name in found:
                    return Problem("malformed", f"expected the header {name.decode()} once, got it twice")
                found[name] = value
        host, origin, site = found.get(b"host"), found.get(b"origin"), found.get(b"sec-fetch-site")
        if (host is None and scope["http_version"] != "1.0") or (host is not None and host_name(host) is None):
            return Problem("malformed", f"expected a name or an address as Host, got {_shown(host or b'none')!r}")
        # HTTP/1.0 may leave it out; no browser does.
        if host is not None and not self._sites.named(host):
            return Problem(
                "misdirected",
                f"expected a name of this installation as Host, got {_shown(host)!r}; "
                "the operator lists its names in KLATSCH_HOSTS",
            )
        if scope["type"] == "websocket":
            # The token is in the connect command, so that Sec-Fetch-Site adds nothing: browsers send Origin here.
            foreign = crosses(host or b"", origin, None)
        else:
            # No page of another site can send Authorization, unless it is let in by name.
            foreign = (
                b"authorization" not in found and scope["method"] not in _SAFE and crosses(host or b"", origin, site)
            )
        if foreign and not self._sites.admitted((origin or b"").decode("latin-1")):
            got = _shown(origin or b"another site")
            return Problem(
                "forbidden",
                f"expected a page of this installation, got one of {got}; the operator lists others in KLATSCH_ORIGINS",
            )
        return None


def _shown(value: bytes) -> str:
    return brief(value.decode("latin-1"))


def own_page(scope: Scope) -> bool:
    """Whether a request comes from a page of this installation or from no page: only these get the cookie."""
    headers = scope["headers"]
    return not crosses(header(headers, b"host") or b"", header(headers, b"origin"), header(headers, b"sec-fetch-site"))


def onlookers(settings: Settings) -> Callable[[str | None], bool]:
    """Who may see metrics and the parts behind readiness, by the header Authorization: see Settings.metrics."""
    setting = settings.metrics
    if setting == "open" or (setting == "auto" and loopback(settings.host)):
        return lambda authorization: True
    if setting == "off":
        return lambda authorization: False

    def may(authorization: str | None) -> bool:
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer":
            return False
        if settings.metrics_token and hmac.compare_digest(token.strip().encode(), settings.metrics_token.encode()):
            return True
        try:
            return tokens.verify(settings, token.strip()).role == "operator"
        except Problem:
            return False

    return may
