"""The route through which operators ask a node about somebody's connections (``klatsch trace``); not for clients."""

from __future__ import annotations

import hmac

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from api.support import problems
from api.support.problems import Problem
from infra.base.settings import Settings
from producers.engine.router import PROOF_HEADER, proof
from push.delivery.bounds import FeedUnavailable
from push.delivery.hub import Hub
from push.delivery.inspection import connections
from push.transports.http import welcome

#: Its query is ``user=ID``; its answer a ``push.delivery.inspection.Connections``.
CONNECTIONS_PATH = "/internal/connections"


def route(hub: Hub, settings: Settings) -> BaseRoute:
    """The route, for processes with the role push. Who asks must know the installation's secret."""
    expected = proof(settings).encode()

    async def answer(request: Request) -> Response:
        if not hmac.compare_digest(request.headers.get(PROOF_HEADER, "").encode(), expected):
            return problems.response(Problem("forbidden", "expected a process of this installation"))
        welcome(request.scope)
        try:
            found = connections(hub, request.query_params.get("user", ""))
        except FeedUnavailable as error:
            return problems.response(problems.of(error))
        return Response(msgspec.json.encode(found), media_type="application/json")

    return Route(CONNECTIONS_PATH, answer, methods=["GET"], name="push.connections")
