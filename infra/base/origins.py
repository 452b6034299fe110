"""Pages of which origins may call the API, and what their browsers are told (CORS). Pure.

Source: https://fetch.spec.whatwg.org/#http-cors-protocol.

One rule for all ways in: who is admitted may read answers, change something without a token (log in, register), and
open a WebSocket. Credentials that a browser adds by itself, the stream's cookie, are never among it: a page of another
origin calls with the token that it has.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

Headers = list[tuple[bytes, bytes]]

#: An entry of the setting: an origin (RFC 6454 6.2), whose port may be ``*``; scheme and authority of any app's.
_ENTRY = re.compile(r"([a-z][a-z0-9+.-]*://(?:\[[0-9a-f:.]+\]|[a-z0-9._-]+))(:(?:[0-9]{1,5}|\*))?")
_PORT = re.compile(r":[0-9]{1,5}$")

#: What every ``./klatsch up`` with a Kafka and a Postgres of its own admits: what is developed on the same machine.
LOCAL = "http://localhost:*, http://127.0.0.1:*"

_METHODS = b"GET, POST, PUT, PATCH, DELETE"
#: Request headers that mean something to us, beside those that need no permission.
_TAKEN = (
    b"Authorization, Content-Type, Idempotency-Key, If-None-Match, Klatsch-Api-Key, Klatsch-Position, Last-Event-ID, "
    b"traceparent, X-Request-Id"
)
#: Answers' headers that a page may read, beside those that it always may.
_SHOWN = (
    b"Allow, ETag, Klatsch-Position, Klatsch-Repeated, Location, RateLimit, RateLimit-Policy, Retry-After, "
    b"WWW-Authenticate, X-Request-Id"
)
#: Seconds for which a browser remembers a preflight: as long as Chromium does at most. What is taken out of the setting
#: is refused at once all the same: each answer says again who may read it.
_MAX_AGE = b"7200"


class Origins:
    """The setting, read."""

    def __init__(self, setting: str) -> None:
        """Raises ValueError for an entry that is no origin."""
        self._all = False
        self._named: set[str] = set()
        self._any_port: set[str] = set()
        for text in (one.strip() for one in setting.split(",")):
            if text == "*":
                self._all = True
            elif text:
                self._add(text)

    def _add(self, text: str) -> None:
        # A browser writes both in small letters, and no slash.
        entry = text.lower().rstrip("/")
        found = _ENTRY.fullmatch(entry)
        if found is None and entry != "null":
            raise ValueError(
                f"expected origins such as https://app.example.org or http://localhost:*, or *, got {text!r}"
            )
        if found is not None and found[2] == ":*":
            self._any_port.add(found[1])
        else:
            self._named.add(entry)

    def allowed(self, origin: bytes | None) -> bytes | None:
        """``Access-Control-Allow-Origin`` for a request's ``Origin``; None for one that is not admitted."""
        if origin is None:
            return None
        text = origin.decode("latin-1").lower()
        if text in self._named or _PORT.sub("", text) in self._any_port:
            return origin
        return b"*" if self._all else None

    def shared(self, origin: bytes | None) -> Headers:
        """What an answer says about which pages may read it; nothing for pages that may not."""
        allowed = self.allowed(origin)
        if allowed is None:
            return []
        return [(b"access-control-allow-origin", allowed), (b"access-control-expose-headers", _SHOWN)]

    def preflight(self, origin: bytes, *, private: bool) -> Headers:
        """What the answer to a preflight says beside ``shared``; ``private``: whether it asks for a private network."""
        found = [
            (b"access-control-allow-methods", _METHODS),
            (b"access-control-allow-headers", _TAKEN),
            (b"access-control-max-age", _MAX_AGE),
        ]
        # Somebody decided on this page; by ``*`` nobody decided on any.
        if private and self.allowed(origin) == origin:
            found.append((b"access-control-allow-private-network", b"true"))
        return found


def vary(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """The headers of an answer, with ``Origin`` in ``Vary``: caches keep one for each."""
    rest, names = [], []
    for name, value in headers:
        if name.lower() == b"vary":
            names.append(value)
        else:
            rest.append((name, value))
    return [*rest, (b"vary", b", ".join([*names, b"Origin"]))]
