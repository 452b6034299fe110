"""The route through which operators ask a node about somebody's connections (``klatsch trace``); not for clients."""

from __future__ import annotations

import hmac

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from api import problems
from api.problems import Problem
from infra.settings import Settings
from producers.router import PROOF_HEADER, proof
from push.asked import connections
from push.bounds import Unavailable
from push.http import welcome
from push.hub import Hub

#: Its query is ``user=ID``; its answer a ``push.asked.Connections``.
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
        except Unavailable as error:
            return problems.response(Problem("unavailable", str(error), retry_after=1))
        return Response(msgspec.json.encode(found), media_type="application/json")

    return Route(CONNECTIONS_PATH, answer, methods=["GET"], name="push.connections")
