"""What the node answers itself, before or instead of the application: problem documents as bytes on the wire."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import NamedTuple

import msgspec

Headers = Sequence[tuple[bytes, bytes]]


class Kind(NamedTuple):
    """Status and title of a problem: the same as its row in ``api.problems``, which a test compares."""

    status: int
    title: str


KINDS: dict[str, Kind] = {
    "malformed": Kind(400, "The request cannot be read"),
    "unauthenticated": Kind(401, "Not logged in"),
    "token_expired": Kind(401, "The token has expired"),
    "token_not_yet_valid": Kind(401, "The token is not valid yet"),
    "token_revoked": Kind(401, "The token was revoked"),
    "not_found": Kind(404, "Not found"),
    "too_slow": Kind(408, "The request came too slowly"),
    "upgrade_required": Kind(426, "A WebSocket handshake is needed"),
    "rate_limited": Kind(429, "Too many requests"),
    "head_too_large": Kind(431, "The head is too large"),
    "internal": Kind(500, "A fault of ours"),
    "overloaded": Kind(503, "Too busy"),
    "unavailable": Kind(503, "A part is away"),
}

#: Sent with every answer: a browser takes it for what its type says (Fetch, 3.6).
NOSNIFF = ("x-content-type-options", "nosniff")


def document(code: str, detail: str) -> bytes:
    """The problem document (RFC 9457)."""
    kind = KINDS[code]
    body: dict[str, object] = {
        "type": f"urn:klatsch:problem:{code}",
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
    }
    if kind.status in (429, 503):
        body["retry_after"] = 1
    return msgspec.json.encode(body)


def headers(code: str) -> dict[str, str]:
    """What belongs to the document besides its length."""
    found = {"content-type": "application/problem+json", "cache-control": "no-store"}
    status = KINDS[code].status
    if status == 401:
        found["www-authenticate"] = 'Bearer realm="klatsch"'
    elif status == 426:
        # RFC 9110 7.8: who sends Upgrade names it in Connection.
        found |= {"upgrade": "websocket", "connection": "upgrade, close"}
    elif status in (429, 503):
        found["retry-after"] = "1"
    return found


def answer(code: str, detail: str, more: Headers = ()) -> bytes:
    """The whole HTTP/1.1 answer, with ``more`` headers, after which the connection is closed."""
    status = KINDS[code].status
    body = document(code, detail)
    lines = [
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        *(f"{name}: {value}" for name, value in ({"connection": "close"} | headers(code)).items()),
        ": ".join(NOSNIFF),
        "vary: Origin",
        *(f"{name.decode()}: {value.decode('latin-1')}" for name, value in more),
        f"content-length: {len(body)}",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
