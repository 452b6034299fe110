"""The ASGI application of one process: the routes of its roles, with health, metrics and documentation."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from api import docs
from api.core import http, internal
from api.core.calls import Services
from api.core.guard import Guard, onlookers
from api.core.operation import Operation
from api.support import health, problems
from api.support.health import Check
from api.support.problems import Problem
from events.core.faults import brief
from infra.base.settings import Settings

log = logging.getLogger(__name__)

WEB = Path(__file__).resolve().parent / "web"

#: What the page cannot say of itself in its meta tags.
_WEB_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}


def build(
    settings: Settings,
    *,
    checks: dict[str, Check],
    services: Services | None = None,
    operations: list[Operation] | None = None,
    more: list[BaseRoute] | None = None,
) -> Starlette:
    """The application. ``services`` and ``operations`` make it answer clients; ``more`` are further routes."""
    may_look = onlookers(settings)
    routes: list[BaseRoute] = [
        Route("/healthz", _alive, name="health"),
        Route("/readyz", _ready(checks, may_look), name="ready"),
        Route("/metrics", _metrics(settings, may_look), name="metrics"),
        *(more or []),
    ]
    if services is not None:
        routes += http.routes(services, operations or [])
        routes += internal.routes(settings, services.producers)
        routes += docs.routes()
        if WEB.is_dir():
            routes.append(Mount("/", _Web(directory=WEB, html=True), name="web"))
    app = _Guarded(settings, routes=routes, exception_handlers={HTTPException: _http_problem, Exception: _fault})
    # A path has one name.
    app.router.redirect_slashes = False
    return app


class _Guarded(Starlette):
    """With the guard around everything: Starlette's middleware is inside of what answers for faults."""

    def __init__(self, settings: Settings, **options: Any) -> None:
        super().__init__(**options)
        self._settings = settings

    def build_middleware_stack(self) -> ASGIApp:
        return Guard(super().build_middleware_stack(), self._settings)


class _Web(StaticFiles):
    """The web client: asked for again at each start, so that no browser mixes modules of two versions."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await WebSocketClose()(scope, receive, send)
            return
        # Files are small: a range is not looked at (RFC 9110 14.2), nor refused in words that are not ours.
        headers = [pair for pair in scope["headers"] if pair[0] != b"range"]
        await super().__call__({**scope, "headers": headers}, receive, send)

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        if isinstance(response, RedirectResponse):
            # To a path, whatever the request called us; one slash before it, or it would name a host.
            response.headers["Location"] = "/" + urlsplit(response.headers["Location"]).path.lstrip("/")
        return response

    def file_response(self, *arguments: Any, **named: Any) -> Response:
        response = super().file_response(*arguments, **named)
        response.headers.update(_WEB_HEADERS)
        return response


async def _alive(request: Request) -> Response:
    return Response(b'{"ok":true}', media_type="application/json")


def _ready(
    checks: dict[str, Check], may_look: Callable[[str | None], bool]
) -> Callable[[Request], Awaitable[Response]]:
    async def ready(request: Request) -> Response:
        parts = await health.ask(checks)
        ok = all(part["ok"] for part in parts.values())
        shown = {"parts": parts} if may_look(request.headers.get("authorization")) else {}
        body = msgspec.json.encode({"ok": ok, **shown})
        return Response(body, 200 if ok else 503, {"Cache-Control": "no-store"}, media_type="application/json")

    return ready


def _metrics(settings: Settings, may_look: Callable[[str | None], bool]) -> Callable[[Request], Awaitable[Response]]:
    async def metrics(request: Request) -> Response:
        if may_look(request.headers.get("authorization")):
            return Response(generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})
        if settings.metrics == "off":
            return problems.response(Problem("not_found", "expected a path of the API; metrics are off"))
        return problems.response(
            Problem("unauthenticated", "expected the metrics token, or an operator's; see KLATSCH_METRICS")
        )

    return metrics


async def _http_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        response = problems.response(
            Problem("method_not_allowed", f"expected another method than {brief(request.method)}")
        )
        # One path may have a route for each method; RFC 9110 15.5.6 asks for them all.
        matching = (route for route in request.app.routes if isinstance(route, Route))
        found = (route.methods or () for route in matching if route.path_regex.match(request.url.path))
        # Without a route it is a file of the web client.
        response.headers["Allow"] = (
            ", ".join(sorted({method for methods in found for method in methods})) or "GET, HEAD"
        )
        return response
    return problems.response(Problem("not_found", "expected a path of the API; see /docs"))


async def _fault(request: Request, error: Exception) -> Response:
    return problems.response(problems.of(error))
