"""What the node answers itself, before or instead of the application: problem documents as bytes on the wire."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import NamedTuple

import msgspec

from events.core.faults import Fault
from infra.base import request_ids

Headers = Sequence[tuple[bytes, bytes]]


class RefusalKind(NamedTuple):
    """Status and title of a problem: the same as its row in ``api.support.problems``, which a test compares."""

    status: int
    title: str


KINDS: dict[str, RefusalKind] = {
    "malformed": RefusalKind(400, "The request cannot be read"),
    "unauthenticated": RefusalKind(401, "Not logged in"),
    "token_expired": RefusalKind(401, "The token has expired"),
    "token_not_yet_valid": RefusalKind(401, "The token is not valid yet"),
    "token_revoked": RefusalKind(401, "The token was revoked"),
    "not_found": RefusalKind(404, "Not found"),
    "too_slow": RefusalKind(408, "The request came too slowly"),
    "upgrade_required": RefusalKind(426, "A WebSocket handshake is needed"),
    "rate_limited": RefusalKind(429, "Too many requests"),
    "head_too_large": RefusalKind(431, "The head is too large"),
    "internal": RefusalKind(500, "A fault of ours"),
    "overloaded": RefusalKind(503, "Too busy"),
    "unavailable": RefusalKind(503, "A part is away"),
}

#: Sent with every answer: a browser takes it for what its type says (Fetch, 3.6).
NOSNIFF = ("x-content-type-options", "nosniff")


def document(code: str, detail: str, id: str = "", errors: Sequence[Fault] = ()) -> bytes:
    """The problem document (RFC 9457); ``id`` of the request, where it is not the one that the task answers.

    ``errors``: the places of the request that are wrong.
    """
    kind = KINDS[code]
    body: dict[str, object] = {
        "type": f"urn:klatsch:problem:{code}",
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
    }
    if errors:
        body["errors"] = list(errors)
    if kind.status in (429, 503):
        body["retry_after"] = 1
    body["request_id"] = id or request_ids.current()
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


def answer(code: str, detail: str, more: Headers = (), *, id: str) -> bytes:
    """The whole HTTP/1.1 answer, with ``more`` headers, after which the connection is closed.

    ``id``: the request's own; empty: one is made.
    """
    status = KINDS[code].status
    id = id or request_ids.made()
    body = document(code, detail, id)
    lines = [
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        *(f"{name}: {value}" for name, value in ({"connection": "close"} | headers(code)).items()),
        ": ".join(NOSNIFF),
        "vary: Origin",
        f"{request_ids.HEADER.lower()}: {id}",
        *(f"{name.decode()}: {value.decode('latin-1')}" for name, value in more),
        f"content-length: {len(body)}",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
