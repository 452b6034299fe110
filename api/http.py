"""The surface over HTTP: one Starlette route an operation."""

from __future__ import annotations

import logging
import re
from contextlib import nullcontext
from hashlib import blake2b
from time import perf_counter
from typing import Any

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from api import past, problems, surface
from api.address import client_address
from api.attending import attended
from api.auth import identify
from api.calls import Call, Services
from api.metrics import REQUESTS
from api.problems import Problem
from api.surface import Operation
from api.tokens import Identity
from events.faults import fault, kind
from events.positions import BadPosition, encode_vector, parse_vector
from infra import away
from infra.sites import own_page
from producers.commands import Refused, Unavailable
from push.http import welcome

log = logging.getLogger(__name__)

POSITION_HEADER = "Klatsch-Position"
KEY_HEADER = "Idempotency-Key"
#: Only on an answer that a key or token had before.
REPEATED_HEADER = "Klatsch-Repeated"
#: Cookie that only ``GET /v1/stream`` accepts: browsers' EventSource sends no headers.
STREAM_COOKIE = "klatsch_stream"

_KEY = re.compile(r"^[\x21-\x7e]{1,128}$")
_TRACE = re.compile(r"^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$")


def routes(services: Services, operations: list[Operation]) -> list[Route]:
    """A route for each operation that HTTP has."""
    return [
        Route(operation.path, _endpoint(services, operation), methods=[operation.method], name=operation.name)
        for operation in operations
        if not operation.only_rpc
    ]


def _endpoint(services: Services, operation: Operation) -> Any:
    async def endpoint(request: Request) -> Response:
        started, outcome, allowance = perf_counter(), "ok", None
        try:
            identity, refusal = await _identity(services, request)
            address = client_address(request.scope)
            asks_past = operation.method == "GET" and past.AS_OF in request.query_params
            allowance = services.limits.take(operation, identity, address, past=asks_past)
            if allowance is not None:
                allowance.check()
            if refusal is not None:
                raise refusal
            with attended(request) if operation.method == "GET" else nullcontext():
                response = await _answer(services, operation, request, identity, address)
        except ClientDisconnect:
            outcome = "disconnected"
            response = Response(status_code=400)
        except Exception as error:
            problem = translate(error)
            outcome = problem.code
            response = problems.response(problem)
        finally:
            REQUESTS.labels(operation.name, "http", outcome).observe(perf_counter() - started)
        if allowance is not None:
            response.raw_headers += allowance.headers
        return response

    return endpoint


async def _identity(services: Services, request: Request) -> tuple[Identity | None, Problem | None]:
    """Who asks, or why a token is no good: such a call is counted before it is refused."""
    try:
        return await identify(services, request.headers.get("authorization")), None
    except Problem as problem:
        return None, problem


def translate(error: BaseException) -> Problem:
    """Any error as Problem; faults are logged, parts that are away become ``unavailable``."""
    if isinstance(error, Problem | Refused | Unavailable):
        return problems.of(error)
    if isinstance(error, away.PARTS):
        log.warning("a part is away: %r", error)
        return Problem("unavailable", "Kafka or Postgres does not answer; try again", retry_after=1)
    log.error("unexpected error", exc_info=error)
    return problems.of(error)


async def _answer(
    services: Services, operation: Operation, request: Request, identity: Identity | None, address: str
) -> Response:
    call = Call(services, identity, key=_key(request), traceparent=_traceparent(request), address=address)
    if identity is not None:
        welcome(request.scope)
    # Before the body is read: nobody learns what is expected of others.
    surface.permit(operation, call)
    values = await _values(services, operation, request)
    moment = values.pop(past.AS_OF, None) if operation.method == "GET" else None
    arguments = surface.convert(operation, values, text=operation.method in ("GET", "DELETE"))
    await wait_for(call, request.headers.get(POSITION_HEADER))
    answer = await _run(operation, call, arguments, moment)
    headers = {"Cache-Control": "no-store"}
    if moment is not None:
        # What was folded and what was stored have their members in different orders.
        return _conditional(request, msgspec.json.encode(answer, order="deterministic"))
    if operation.conditional:
        return _conditional(request, msgspec.json.encode(answer))
    if call.position:
        headers[POSITION_HEADER] = encode_vector(call.position)
    if call.repeated:
        headers[REPEATED_HEADER] = "true"
    if answer is None:
        return Response(status_code=204, headers=headers)
    response = Response(msgspec.json.encode(answer), operation.status, headers, media_type="application/json")
    if call.stream_token is not None and own_page(request.scope["headers"]):
        response.set_cookie(
            STREAM_COOKIE, call.stream_token, max_age=services.settings.session_seconds, path="/v1/stream",
            httponly=True, samesite="strict", secure=request.url.scheme == "https",
        )  # fmt: skip
    return response


async def _run(operation: Operation, call: Call, request: Any, moment: str | None) -> dict[str, Any] | None:
    if moment is None:
        return await surface.run(operation, call, request)
    return await past.answer(operation, call, request, moment)


def _conditional(request: Request, body: bytes) -> Response:
    """The answer with a strong validator, or 304 to who has it; kept by who asked only, and never used unasked."""
    tag = f'"{blake2b(body, digest_size=16).hexdigest()}"'
    headers = {"Cache-Control": "private, no-cache", "Vary": "Authorization", "ETag": tag}
    known = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
    if tag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")


async def wait_for(call: Call, position: str | None) -> None:
    """Read your writes: waits until the read models have reached the position that the caller names."""
    if not position:
        return
    try:
        vector = parse_vector(position)
    except BadPosition as error:
        raise Problem("invalid", f"{POSITION_HEADER}: {error}") from error
    known = {"users", "rooms", "handles"}
    if any(s.topic not in known or s.partition >= call.settings.partitions for s in vector):
        raise Problem("invalid", f"{POSITION_HEADER}: expected positions of this installation's shards")
    await call.catch_up(vector)


async def _values(services: Services, operation: Operation, request: Request) -> dict[str, Any]:
    if operation.method in ("GET", "DELETE"):
        values: dict[str, Any] = dict(request.query_params)
        if len(values) != len(request.query_params.multi_items()):
            raise Problem("invalid", "expected each query parameter once")
    else:
        values = await _body(operation.body_bytes or services.settings.body_bytes, request)
    for name in operation.path_parameters:
        if name in values:
            raise Problem("invalid", f"`{name}` stands in the path; expected it nowhere else")
        values[name] = request.path_params[name]
    return values


async def _body(limit: int, request: Request) -> dict[str, Any]:
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise Problem("too_large", f"expected a body of at most {limit} bytes, got more")
        chunks.append(chunk)
    body = b"".join(chunks)
    if not body.strip():
        return {}
    return decode_object(body)


def decode_object(body: bytes | str) -> dict[str, Any]:
    """A JSON object. Raises Problem ``malformed``."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        text = body if isinstance(body, str) else body.decode(errors="replace")
        raise Problem("malformed", f"expected JSON: {fault(text, error)}") from error
    if not isinstance(value, dict):
        raise Problem("malformed", f"expected a JSON object, got {kind(value)}")
    return value


def _key(request: Request) -> str | None:
    key = request.headers.get(KEY_HEADER)
    if key is not None and not _KEY.match(key):
        raise Problem("invalid", f"{KEY_HEADER}: expected 1-128 printable ASCII characters without spaces")
    return key


def _traceparent(request: Request) -> str | None:
    # W3C trace context: a value that cannot be read is ignored, not refused.
    value = request.headers.get("traceparent", "")
    return value if _TRACE.match(value) else None
