"""Errors as clients see them: RFC 9457 problem documents with a stable ``type``, the same over HTTP and RPC."""

from __future__ import annotations

from math import ceil
from typing import Any, NamedTuple

import msgspec
from starlette.responses import Response

from producers.commands import Refused, Unavailable


class Problem(Exception):
    """An answer that is an error. ``code`` names a row of PROBLEMS; ``detail`` says expected and actual."""

    def __init__(self, code: str, detail: str, *, retry_after: float | None = None, **more: Any) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.retry_after = retry_after
        self.more = more


class Kind(NamedTuple):
    """One type of problem. ``rpc`` is the error code of an RPC reply (400-1999; 100 and 111 are the protocol's own)."""

    status: int
    title: str
    rpc: int
    about: str


PROBLEMS: dict[str, Kind] = {
    "invalid": Kind(422, "The request does not fit its schema", 422, "Mend the request; the detail names the field."),
    "malformed": Kind(400, "The request cannot be read", 400, "Send JSON in UTF-8, of the stated media type."),
    "unauthenticated": Kind(401, "Not logged in", 401, "Log in, and send the token as Authorization: Bearer."),
    "token_expired": Kind(401, "The token has expired", 109, "Log in again."),
    "token_not_yet_valid": Kind(
        401, "The token is not valid yet", 401, "Clocks differ: wait as long as Retry-After says, or log in again."
    ),
    "token_revoked": Kind(401, "The token was revoked", 401, "Log in again."),
    "forbidden": Kind(403, "Not allowed", 403, "The detail says who may."),
    "not_found": Kind(404, "Not found", 404, "It does not exist, or is not for you to see."),
    "method_not_allowed": Kind(405, "Method not allowed", 405, "The header Allow names what is."),
    "declined": Kind(
        403, "They have declined", 403, "They have declined an invitation of yours; let them come to you."
    ),
    "too_many": Kind(409, "As many as there may be", 409, "The detail says of what, how many, and what makes room."),
    "taken": Kind(409, "Already taken", 409, "Choose another."),
    "key_reused": Kind(
        409,
        "The key was used for another request",
        409,
        "A key or token belongs to one request: repeat that one, or give the new one a key of its own.",
    ),
    "archived": Kind(
        409, "The room is archived", 409, "It can be read and left; its owner can take it into use again."
    ),
    "no_successor": Kind(409, "No successor", 409, "Members are changing; try again."),
    "too_large": Kind(413, "Too large", 413, "Send less; the detail says how much is allowed."),
    "too_slow": Kind(408, "The request came too slowly", 408, "Send head and body at once."),
    "misdirected": Kind(421, "No name of this installation", 421, "The operator adds the name to KLATSCH_HOSTS."),
    "upgrade_required": Kind(426, "A WebSocket handshake is needed", 426, "Connect with a WebSocket client."),
    "head_too_large": Kind(431, "The head is too large", 431, "Send shorter headers, or fewer."),
    "rate_limited": Kind(429, "Too many requests", 111, "Wait as long as Retry-After says."),
    "internal": Kind(500, "A fault of ours", 100, "Repeat it with the same key; tell the operator if it stays."),
    "overloaded": Kind(503, "Too busy", 111, "Wait as long as Retry-After says; nothing was changed."),
    "lagging": Kind(503, "Read models are behind", 111, "Wait as long as Retry-After says; nothing was changed."),
    "parked": Kind(503, "Waits for an operator", 100, "An event of this stream could not be applied; wait."),
    "no_owner": Kind(503, "No owner at the moment", 100, "Ownership is moving; nothing was changed, try again."),
    "unavailable": Kind(503, "A part is away", 100, "Kafka or Postgres does not answer; try again."),
    "unknown": Kind(504, "The outcome is not known", 100, "It may have happened: repeat it with the same key."),
}

#: First part of a problem's ``type``; the reference describes each under its code.
TYPE_PREFIX = "urn:klatsch:problem:"


def of(error: BaseException) -> Problem:
    """Any error as Problem. What is not meant for clients becomes ``internal``, without its text."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, Refused):
        code = error.code if error.code in PROBLEMS else "forbidden"
        return Problem(code, error.detail)
    if isinstance(error, Unavailable):
        code = error.code if error.code in PROBLEMS else "overloaded"
        return Problem(code, error.detail, retry_after=error.retry_after)
    return Problem("internal", "the server met a fault; the operator finds it in the log")


def document(problem: Problem) -> dict[str, Any]:
    """The problem document (RFC 9457 3.1)."""
    kind = PROBLEMS[problem.code]
    body: dict[str, Any] = {
        "type": TYPE_PREFIX + problem.code,
        "title": kind.title,
        "status": kind.status,
        "detail": problem.detail,
    }
    if problem.retry_after is not None:
        body["retry_after"] = problem.retry_after
    return {**body, **problem.more}


def response(problem: Problem) -> Response:
    """The problem as an HTTP response."""
    kind = PROBLEMS[problem.code]
    headers = {"Cache-Control": "no-store"}
    if problem.retry_after is not None:
        headers["Retry-After"] = str(max(1, ceil(problem.retry_after)))
    if kind.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="klatsch"'
    return Response(msgspec.json.encode(document(problem)), kind.status, headers, media_type="application/problem+json")
