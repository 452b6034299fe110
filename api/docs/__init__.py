"""The API's own documentation, served by the API: ``GET /openapi.json`` for programs, ``GET /docs`` for people."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.docs.page import CONTENT_POLICY, render
from api.docs.variants import merged

#: Made from the operations by ``./klatsch schemas``.
DOCUMENT = Path(__file__).resolve().parent.parent.parent / "schemas" / "openapi.json"


def routes() -> list[Route]:
    """Both routes. They need no token and no part that could be away."""
    return [
        Route("/openapi.json", _document, methods=["GET"], name="openapi"),
        Route("/docs", _page, methods=["GET"], name="docs"),
    ]


async def _document(request: Request) -> Response:
    return Response(_text(), headers={"Cache-Control": "no-cache"}, media_type="application/json")


async def _page(request: Request) -> Response:
    headers = {"Cache-Control": "no-cache", "Content-Security-Policy": CONTENT_POLICY}
    return Response(_html(), headers=headers, media_type="text/html")


@cache
def _text() -> bytes:
    return DOCUMENT.read_bytes()


@cache
def _html() -> str:
    return render(merged(msgspec.json.decode(_text())))
