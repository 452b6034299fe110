"""What the processes of one installation ask each other over HTTP; not for clients."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.support import problems
from api.support.problems import Problem
from infra.base.settings import Settings
from producers.commands import Refused, Unavailable
from producers.engine.peers import RECENT_PATH
from producers.engine.router import ORDERS_PATH, PROOF_HEADER, NotOwner, Producers, proof
from push.transports.http import welcome

_Endpoint = Callable[[Request], Awaitable[Response]]


def routes(settings: Settings, producers: Producers) -> list[Route]:
    """A route for each question; whoever does not know the installation's secret is refused."""
    own = _own(proof(settings).encode())
    return [
        Route(ORDERS_PATH, own(_orders(producers)), methods=["POST"], name="internal.orders"),
        Route(RECENT_PATH, own(_recent(producers)), methods=["POST"], name="internal.recent"),
    ]


def _own(expected: bytes) -> Callable[[_Endpoint], _Endpoint]:
    def only(endpoint: _Endpoint) -> _Endpoint:
        @wraps(endpoint)
        async def judged(request: Request) -> Response:
            # As bytes: of text it takes ASCII only.
            if not hmac.compare_digest(request.headers.get(PROOF_HEADER, "").encode(), expected):
                return problems.response(Problem("forbidden", "expected a process of this installation"))
            welcome(request.scope)
            return await endpoint(request)

        return judged

    return only


def _orders(producers: Producers) -> _Endpoint:
    async def orders(request: Request) -> Response:
        try:
            return Response(await producers.accept(await request.body()), media_type="application/json")
        except NotOwner:
            return Response(status_code=421)
        except Refused as refused:
            return _answer(
                409, error="refused", code=refused.code, detail=refused.detail, errors=refused.errors,
                retry_after=refused.retry_after, more=refused.more,
            )  # fmt: skip
        except Unavailable as away:
            return _answer(503, error="unavailable", code=away.code, detail=away.detail, retry_after=away.retry_after)

    return orders


def _recent(producers: Producers) -> _Endpoint:
    async def recent(request: Request) -> Response:
        return Response(producers.tell(await request.body()), media_type="application/json")

    return recent


def _answer(status: int, **members: Any) -> Response:
    return Response(msgspec.json.encode(members), status, media_type="application/json")
