"""Errors as clients see them: RFC 9457 problem documents with a stable ``type``, the same over HTTP and RPC."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from math import ceil
from typing import Any, NamedTuple

import msgspec
from aiokafka.errors import KafkaError
from starlette.responses import Response

from events.core.errors import KlatschError
from events.core.faults import Fault, sentence, wrong
from infra.base import away, request_ids
from infra.base.disk import RETRY_SECONDS
from producers.commands import Refused, Unavailable

log = logging.getLogger(__name__)


class Problem(KlatschError):
    """An answer that is an error. ``code`` names a row of PROBLEMS; ``detail`` says expected and actual.

    ``errors``: the places of the request of which it is the fault; without a detail of its own it is said by them.
    """

    def __init__(
        self, code: str, detail: str = "", *, errors: Sequence[Fault] = (), retry_after: float | None = None,
        **more: Any,
    ) -> None:  # fmt: skip
        detail = detail or sentence(errors)
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.errors = errors
        self.retry_after = retry_after
        self.more = more


class ProblemType(NamedTuple):
    """One type of problem. ``rpc`` is the error code of an RPC reply (400-1999; 100 and 111 are the protocol's own),
    ``grpc`` the name of gRPC's status: UNAVAILABLE is safe to repeat, DEADLINE_EXCEEDED with the same key only."""

    status: int
    title: str
    rpc: int
    grpc: str
    about: str


PROBLEMS: dict[str, ProblemType] = {
    "invalid": ProblemType(
        422,
        "The request does not fit its schema",
        422,
        "INVALID_ARGUMENT",
        "Correct the request; `errors` names each place.",
    ),
    "malformed": ProblemType(
        400, "The request cannot be read", 400, "INVALID_ARGUMENT", "Send JSON in UTF-8, of the stated media type."
    ),
    "unauthenticated": ProblemType(
        401, "Not logged in", 401, "UNAUTHENTICATED", "Log in, and send the token as Authorization: Bearer."
    ),
    "token_expired": ProblemType(401, "The token has expired", 109, "UNAUTHENTICATED", "Log in again."),
    "token_not_yet_valid": ProblemType(
        401,
        "The token is not valid yet",
        401,
        "UNAUTHENTICATED",
        "Clocks differ: wait as long as Retry-After says, or log in again.",
    ),
    "token_revoked": ProblemType(401, "The token was revoked", 401, "UNAUTHENTICATED", "Log in again."),
    "suspended": ProblemType(
        403,
        "The application is suspended",
        403,
        "PERMISSION_DENIED",
        "Nothing of it can be read or changed until the installation's operator resumes it.",
    ),
    "forbidden": ProblemType(
        403,
        "Not allowed",
        403,
        "PERMISSION_DENIED",
        "The detail says who may, or what kind of token the operation takes.",
    ),
    "not_found": ProblemType(404, "Not found", 404, "NOT_FOUND", "It does not exist, or is not for you to see."),
    "erased": ProblemType(
        410,
        "The account was erased",
        410,
        "FAILED_PRECONDITION",
        "It does not come back: register somebody else.",
    ),
    "method_not_allowed": ProblemType(
        405, "Method not allowed", 405, "UNIMPLEMENTED", "The header Allow names the allowed methods."
    ),
    "declined": ProblemType(
        403,
        "They have declined",
        403,
        "PERMISSION_DENIED",
        "They have declined an invitation of yours; they have to join or write first.",
    ),
    "too_many": ProblemType(
        409,
        "As many as there may be",
        409,
        "FAILED_PRECONDITION",
        "The detail says what the limit is, and how to make room.",
    ),
    "in_use": ProblemType(
        409,
        "Still in use",
        409,
        "FAILED_PRECONDITION",
        "The detail says what is in it, in numbers too; move that away first.",
    ),
    "taken": ProblemType(409, "Already taken", 409, "ALREADY_EXISTS", "Choose another."),
    "key_reused": ProblemType(
        409,
        "The key was used for another request",
        409,
        "FAILED_PRECONDITION",
        "A key or token belongs to one request: repeat that one, or give the new one a key of its own.",
    ),
    "archived": ProblemType(
        409, "The room is archived", 409, "FAILED_PRECONDITION", "It can be read and left; its owner can unarchive it."
    ),
    "no_successor": ProblemType(409, "No successor", 409, "ABORTED", "Members are changing; try again."),
    "limit_reached": ProblemType(
        402,
        "A limit of the plan is reached",
        402,
        "RESOURCE_EXHAUSTED",
        "The application's plan allows `most` of them (`limit` names it): make room, or have a plan with more. What is "
        "there stays.",
    ),
    "quota_used": ProblemType(
        429,
        "The plan's quota of the day is used",
        429,
        "RESOURCE_EXHAUSTED",
        "The application's plan allows `most` a day (UTC); it begins anew in `reset` seconds.",
    ),
    "too_large": ProblemType(
        413, "Too large", 413, "INVALID_ARGUMENT", "Send less; the detail says how much is allowed."
    ),
    "too_slow": ProblemType(
        408, "The request came too slowly", 408, "DEADLINE_EXCEEDED", "Send head and body at once."
    ),
    "misdirected": ProblemType(
        421, "No name of this installation", 421, "FAILED_PRECONDITION", "The operator adds the name to KLATSCH_HOSTS."
    ),
    "upgrade_required": ProblemType(
        426, "A WebSocket handshake is needed", 426, "UNIMPLEMENTED", "Connect with a WebSocket client."
    ),
    "head_too_large": ProblemType(
        431, "The head is too large", 431, "INVALID_ARGUMENT", "Send shorter headers, or fewer."
    ),
    "rate_limited": ProblemType(
        429, "Too many requests", 111, "RESOURCE_EXHAUSTED", "Wait as long as Retry-After says."
    ),
    "insufficient_storage": ProblemType(
        507,
        "No room on the disk",
        100,
        "UNAVAILABLE",
        "Nothing was changed; reads, log-ins and log-outs work. The operator frees space; see './klatsch status'.",
    ),
    "internal": ProblemType(
        500, "A fault of ours", 100, "INTERNAL", "Repeat it with the same key; tell the operator if it persists."
    ),
    "overloaded": ProblemType(
        503, "Too busy", 111, "UNAVAILABLE", "Wait as long as Retry-After says; nothing was changed."
    ),
    "lagging": ProblemType(
        503, "Read models are behind", 111, "UNAVAILABLE", "Wait as long as Retry-After says; nothing was changed."
    ),
    "parked": ProblemType(
        503, "Waits for an operator", 100, "UNAVAILABLE", "An event of this stream could not be applied; wait."
    ),
    "no_owner": ProblemType(
        503, "No owner at the moment", 100, "UNAVAILABLE", "Ownership is moving; nothing was changed, try again."
    ),
    "unavailable": ProblemType(
        503, "A part is away", 100, "UNAVAILABLE", "Kafka or Postgres does not answer; try again."
    ),
    "unknown": ProblemType(
        504, "The outcome is not known", 100, "DEADLINE_EXCEEDED", "It may have happened: repeat it with the same key."
    ),
}

#: What a refusal may say besides to clients; all else is for whoever gave the command.
SHOWN = ("limit", "most", "used", "reset")

#: First part of a problem's ``type``; the reference describes each under its code.
TYPE_PREFIX = "urn:klatsch:problem:"


def of(error: BaseException) -> Problem:
    """Any error as Problem; faults are logged, and parts that are away become ``unavailable``.

    What is not meant for clients becomes ``internal``, without its text: also what has a code that is none of a
    problem's, which would be a fault of whoever let it through.
    """
    if isinstance(error, KlatschError) and error.code in PROBLEMS:
        if isinstance(error, Problem):
            return error
        if error.code != "internal":
            more = (
                {name: error.more[name] for name in SHOWN if name in error.more} if isinstance(error, Refused) else {}
            )
            return Problem(error.code, str(error), errors=error.errors, retry_after=error.retry_after, **more)
    if isinstance(error, away.FULL):
        log.error("a part has no disk space: %r", error)
        part = "Kafka" if isinstance(error, KafkaError) else "Postgres"
        text = f"expected free space on the disk of {part}, found none; its operator frees some, or adds a larger disk"
        return Problem("insufficient_storage", text, retry_after=RETRY_SECONDS)
    if isinstance(error, away.PARTS):
        log.warning("a part is away: %r", error)
        return Problem("unavailable", "Kafka or Postgres does not answer; try again", retry_after=1)
    log.error("unexpected error", exc_info=error)
    return Problem("internal", "the server failed; the operator can find the error in the log")


#: What says that something cannot be done now, and may be later.
LATER: tuple[type[Exception], ...] = (*away.PARTS, Problem, Refused, Unavailable)


def either(**given: object) -> None:
    """Refuses with ``invalid`` unless exactly one of two members of a request is given."""
    there = sum(one is not None for one in given.values())
    if there != 1:
        what, got = f"either {' or '.join(given)}", "both" if there else "nothing"
        errors = [wrong(f"/{name}", what, got) for name in given]
        raise Problem("invalid", f"expected {what}, got {got}", errors=errors)


def gather(*checks: Callable[[], object]) -> None:
    """Makes all checks, and refuses with all that they find ``invalid``. Raises Problem, and what else a check does."""
    errors: list[Fault] = []
    for check in checks:
        try:
            check()
        except (Problem, Refused) as refusal:
            if refusal.code != "invalid" or not refusal.errors:
                raise
            errors += refusal.errors
    if errors:
        raise Problem("invalid", errors=errors)


def document(problem: Problem) -> dict[str, Any]:
    """The problem document (RFC 9457 3.1)."""
    kind = PROBLEMS[problem.code]
    body: dict[str, Any] = {
        "type": TYPE_PREFIX + problem.code,
        "title": kind.title,
        "status": kind.status,
        "detail": problem.detail,
    }
    if problem.errors:
        body["errors"] = list(problem.errors)
    if problem.retry_after is not None:
        body["retry_after"] = _plain(problem.retry_after)
    return {**body, **problem.more, "request_id": request_ids.current()}


def _plain(seconds: float) -> float:
    """Whole seconds without a fraction: ``1``, never ``1.0``."""
    return int(seconds) if seconds == int(seconds) else seconds


def response(problem: Problem) -> Response:
    """The problem as an HTTP response."""
    kind = PROBLEMS[problem.code]
    headers = {"Cache-Control": "no-store"}
    if problem.retry_after is not None:
        headers["Retry-After"] = str(max(1, ceil(problem.retry_after)))
    if kind.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="klatsch"'
    return Response(msgspec.json.encode(document(problem)), kind.status, headers, media_type="application/problem+json")
