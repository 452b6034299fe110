"""The operations over HTTP: one Starlette route an operation. Parses requests and prints answers: see
``dispatch.py``.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from functools import partial
from hashlib import blake2b
from typing import Any

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from api.core import places, tokens
from api.core.app_tokens import APP_HEADER, USER_HEADER
from api.core.auth import identify
from api.core.calls import Services
from api.core.dispatch import Dispatcher
from api.core.moments import AS_OF
from api.core.operation import Operation
from api.core.places import KEY_HEADER, POSITION_HEADER
from api.core.tokens import Identity
from api.core.transport import Answer, Disconnected, Parsed, Refusal
from api.support import numbers, problems
from api.support.address import client_address
from api.support.attending import attended
from api.support.objects import decode_object
from api.support.problems import Problem
from infra.base.sites import own_page
from push.transports.http import welcome

#: Only on an answer that a key or token had before.
REPEATED_HEADER = "Klatsch-Repeated"
#: Cookie that only ``GET /v1/stream`` accepts: browsers' EventSource sends no headers.
STREAM_COOKIE = "klatsch_stream"

_TRACE = re.compile(r"^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$")


def routes(services: Services, operations: list[Operation]) -> list[Route]:
    """A route for each operation that HTTP has."""
    dispatcher = Dispatcher(services)
    return [
        Route(
            operation.path, _endpoint(dispatcher, services, operation), methods=[operation.method], name=operation.name
        )
        for operation in operations
        if not operation.only_rpc
    ]


def _endpoint(
    dispatcher: Dispatcher, services: Services, operation: Operation
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        printed = partial(_printed, services, request)
        try:
            with attended(request) if operation.method == "GET" else nullcontext():
                reply = await dispatcher.dispatch(operation, _HttpInbound(services, request), printed)
        except (ClientDisconnect, Disconnected):
            return Response(status_code=400)
        return _refused(operation, reply) if isinstance(reply, Refusal) else reply

    return endpoint


class _HttpInbound:
    """Implements transport.Inbound."""

    transport = "http"
    connection = None

    def __init__(self, services: Services, request: Request) -> None:
        self._services = services
        self._request = request
        self.address = client_address(request.scope)

    @property
    def past(self) -> bool:
        return AS_OF in self._request.query_params

    @property
    def traceparent(self) -> str | None:
        # W3C trace context: a value that cannot be read is ignored, not refused.
        value = self._request.headers.get("traceparent", "")
        return value if _TRACE.match(value) else None

    @property
    def api_key(self) -> str | None:
        return self._request.headers.get(APP_HEADER)

    async def identify(self) -> Identity | None:
        identity = await identify(
            self._services, self._request.headers.get("authorization"), self.address,
            self._request.headers.get(USER_HEADER),
        )  # fmt: skip
        if identity is not None:
            welcome(self._request.scope)
        return identity

    async def read(self, operation: Operation) -> Parsed:
        try:
            values = await _values(self._services, operation, self._request)
        except ClientDisconnect as error:
            raise Disconnected from error
        headers = self._request.headers
        return Parsed(values, headers.get(KEY_HEADER), headers.get(POSITION_HEADER))


def _printed(services: Services, request: Request, answer: Answer) -> Response:
    operation = answer.operation
    if answer.past:
        # What was folded and what was stored have their members in different orders.
        response = _conditional(request, msgspec.json.encode(answer.members, order="deterministic"))
    elif operation.conditional:
        response = _conditional(request, msgspec.json.encode(answer.members))
    else:
        headers = {"Cache-Control": "no-store"}
        if answer.position:
            headers[POSITION_HEADER] = answer.position
        if answer.repeated:
            headers[REPEATED_HEADER] = "true"
        if answer.members is None:
            response = Response(status_code=204, headers=headers)
        else:
            body = msgspec.json.encode(answer.members)
            response = Response(body, operation.status, headers, media_type="application/json")
        if answer.stream_token is not None and own_page(request.scope["headers"]):
            response.set_cookie(
                STREAM_COOKIE, answer.stream_token, max_age=tokens.seconds_left(answer.stream_token),
                path="/v1/stream", httponly=True, samesite="strict", secure=request.url.scheme == "https",
            )  # fmt: skip
    if answer.allowance is not None:
        response.raw_headers += answer.allowance.headers
    return response


def _refused(operation: Operation, refusal: Refusal) -> Response:
    response = problems.response(places.over_http(refusal.problem, operation))
    if refusal.allowance is not None:
        response.raw_headers += refusal.allowance.headers
    return response


def _conditional(request: Request, body: bytes) -> Response:
    """The answer with a strong validator, or 304 to a client that has it. Private, and revalidated at each use."""
    tag = f'"{blake2b(body, digest_size=16).hexdigest()}"'
    headers = {"Cache-Control": "private, no-cache", "Vary": f"Authorization, {USER_HEADER}", "ETag": tag}
    known = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
    if tag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")


async def _values(services: Services, operation: Operation, request: Request) -> dict[str, Any]:
    if operation.method in ("GET", "DELETE"):
        values: dict[str, Any] = dict(request.query_params)
        if len(values) != len(request.query_params.multi_items()):
            names = [name for name, _ in request.query_params.multi_items()]
            twice = next(name for name in names if names.count(name) > 1)
            raise Problem("invalid", errors=[places.parameter(twice, "it once", f"it {names.count(twice)} times")])
    else:
        values = await _body(operation.body_bytes or services.settings.body_bytes, request)
    for name in operation.path_parameters:
        if name in values:
            fault = places.parameter(name, "it in the path", "it elsewhere too")
            raise Problem("invalid", f"`{name}` is in the path; expected it nowhere else", errors=[fault])
        values[name] = numbers.of_path(request.path_params[name], operation.request, name)
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
