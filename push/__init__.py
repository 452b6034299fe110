"""The push service: each user's deltas to their connections, resumable at any age."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route, WebSocketRoute

from infra.base.settings import Settings
from push.delivery.hub import Hub
from push.protocol.backend import Backend
from push.transports.sse import Stream
from push.transports.ws import Endpoint, no_handshake


def routes(hub: Hub, backend: Backend, settings: Settings) -> list[BaseRoute]:
    """``WS /v1/connection`` and ``GET /v1/stream``. The server must run with ``push.transports.ws.uvicorn_options``."""
    return [
        WebSocketRoute("/v1/connection", Endpoint(hub, backend, settings), name="push.connection"),
        Route("/v1/connection", no_handshake, methods=["GET"], name="push.no_handshake"),
        Route("/v1/stream", Stream(hub, backend, settings), methods=["GET"], name="push.stream"),
    ]
