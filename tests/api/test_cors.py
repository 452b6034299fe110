"""Pages of other origins (CORS): every route asked by admitted pages, by foreign ones, by `null`.
Tests ``infra/base/origins.py`` and ``api/core/guard.py``."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import msgspec
import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message

from api.app import build
from infra.base.origins import Origins
from infra.base.settings import Settings, SettingsError, load
from infra.embedded.ports import free_port
from tests.api.core.test_guard import ask, walked
from tests.client import World, visiting
from tests.servers import serving
from tests.sockets import HANDSHAKE, PATIENCE, Reply, raw

__all__ = ["walked"]

#: A page that is developed on this machine: another origin on every port, though to browsers of the same site.
PAGE = "http://localhost:5173"
ADMITTED = (PAGE, "http://localhost", "http://127.0.0.1:3000", "https://app.example")
FOREIGN = ("https://evil.example", "null", "http://localhost.evil.example:5173", "https://localhost:5173")
#: Of answers a page may read these anyway (Fetch, CORS-safelisted response-header names).
_SAFE = {"cache-control", "content-language", "content-length", "content-type", "expires", "last-modified", "pragma"}
#: Between browser and server, or told to the browser alone.
_TRANSPORT = {"connection", "date", "server", "transfer-encoding", "upgrade", "vary", "x-content-type-options"}


@pytest.fixture(scope="module")
async def open_(installed: Settings, world: World) -> AsyncIterator[Settings]:
    """The same installation behind another process, which admits what is developed here, and one app."""
    settings = msgspec.structs.replace(
        installed, port=free_port(), origins="http://localhost:*, http://127.0.0.1:*, https://app.example/",
        # What is taken here is told to the other process, in seconds of this quota.
        limit_create="1/30", body_seconds=2.0, limits=True,
    )  # fmt: skip
    async with serving(settings, frozenset({"api", "push"})):
        yield settings


async def _preflight(settings: Settings, path: str, method: str, origin: str, *lines: str) -> Reply:
    asks = (f"Origin: {origin}", f"Access-Control-Request-Method: {method}")
    return await ask(settings, "OPTIONS", path, *asks, "Access-Control-Request-Headers: authorization", *lines)


def _cors(reply: Reply) -> dict[str, str]:
    return {name: value for name, value in reply.headers.items() if name.startswith("access-control-")}


def _shown(reply: Reply) -> set[str]:
    return {one.strip().lower() for one in reply.headers["access-control-expose-headers"].split(",")}


async def test_an_admitted_page_may_call_every_operation(open_: Settings, walked: list[tuple[str, str]]) -> None:
    api = [(method, path) for method, path in walked if path.startswith("/v1/") and method != "HEAD"]
    assert len(api) > 50
    for number, (method, path) in enumerate(api):
        origin = ADMITTED[number % len(ADMITTED)]
        asked = await _preflight(open_, path, method, origin)
        assert (asked.status, asked.body) == (204, b""), (path, asked)
        assert asked.headers["access-control-allow-origin"] == origin and asked.headers["vary"] == "Origin"
        assert method in asked.headers["access-control-allow-methods"].split(", ")
        allowed = asked.headers["access-control-allow-headers"].lower().split(", ")
        assert {"authorization", "content-type", "idempotency-key", "klatsch-position"} <= set(allowed)
        assert asked.headers["access-control-max-age"] == "7200" and not {"ratelimit", "set-cookie"} & set(
            asked.headers
        )
        for token in (False, True):
            lines = ("Authorization: Bearer no",) if token else ("Sec-Fetch-Site: cross-site",)
            reply = await ask(open_, method, path, f"Origin: {origin}", *lines)
            assert reply.status != 403 and reply.headers["access-control-allow-origin"] == origin, (path, reply)
            assert "Origin" in reply.headers["vary"] and "set-cookie" not in reply.headers, (path, reply)
            unread = set(reply.headers) - _SAFE - _TRANSPORT - _shown(reply) - set(_cors(reply))
            assert unread == set(), (method, path, unread)


async def test_foreign_pages_may_call_nothing(open_: Settings, walked: list[tuple[str, str]]) -> None:
    for number, (method, path) in enumerate(walked):
        origin = FOREIGN[number % len(FOREIGN)]
        asked = await _preflight(open_, path, method, origin)
        assert asked.status == 403 and asked.code == "forbidden" and _cors(asked) == {}, (path, asked)
        reply = await ask(open_, method, path, f"Origin: {origin}", "Sec-Fetch-Site: cross-site")
        assert _cors(reply) == {} and "Origin" in reply.headers["vary"], (method, path, reply)
        assert reply.status == 403 or method in ("GET", "HEAD"), (method, path, reply)


async def test_our_own_pages_metrics_and_health_are_read_by_no_other(
    open_: Settings, walked: list[tuple[str, str]]
) -> None:
    ours = sorted({path for _, path in walked if not path.startswith("/v1/")})
    assert {"/", "/docs", "/openapi.json", "/metrics", "/readyz", "/console/", "/internal/orders"} <= set(ours)
    for path in ours:
        asked = await _preflight(open_, path, "POST", PAGE)
        reply = await ask(open_, "GET", path, f"Origin: {PAGE}")
        assert (_cors(asked), _cors(reply)) == ({}, {}) and asked.status in (405, 404), (path, asked)


async def test_nobody_is_named_where_the_setting_names_nobody(installed: Settings, world: World) -> None:
    for origin in ("http://localhost:5173", f"http://127.0.0.1:{installed.port + 1}", "https://app.example"):
        asked = await _preflight(installed, "/v1/rooms", "GET", origin)
        assert (asked.status, _cors(asked)) == (403, {}), origin


async def test_refusals_can_be_read_by_the_page(open_: Settings, world: World) -> None:
    ann = await world.person("ann")
    origin, bearer = f"Origin: {PAGE}", f"Authorization: Bearer {ann.token}"
    group = b'{"type":"public","name":"x"}'
    assert (await ask(open_, "POST", "/v1/rooms", origin, bearer, body=group)).status == 201
    cases = {
        401: await ask(open_, "GET", "/v1/stream", origin),
        404: await ask(open_, "GET", "/v1/nothing", origin),
        405: await ask(open_, "BREW", "/v1/rooms", origin),
        413: await ask(open_, "POST", "/v1/users", origin, body=b" " * (open_.body_bytes + 1)),
        421: await ask(open_, "GET", "/v1/rooms", origin, host="evil.example"),
        422: await ask(open_, "GET", "/v1/rooms?limt=1", origin, bearer),
        426: await ask(open_, "GET", "/v1/connection", origin),
        429: await ask(open_, "POST", "/v1/rooms", origin, bearer, body=group),
        431: await ask(open_, "GET", "/v1/rooms", origin, f"X: {'x' * 40_000}"),
    }
    async with raw(open_.port, f"POST /v1/users HTTP/1.1\r\nHost: 127.0.0.1\r\n{origin}\r\n".encode()) as client:
        await client.send(b"Content-Length: 9\r\n\r\n{")
        cases[408] = await client.reply()
    for status, reply in cases.items():
        assert reply.status == status and reply.code, reply
        assert reply.headers["access-control-allow-origin"] == PAGE and "Origin" in reply.headers["vary"], reply
        assert {"retry-after", "klatsch-position"} <= _shown(reply), reply
    assert cases[429].headers["retry-after"]


async def test_a_fault_of_ours_can_be_read_too() -> None:
    async def fails(request: Request) -> Response:
        raise RuntimeError("expected by the test")

    app = build(Settings(origins="https://app.example"), checks={}, more=[Route("/v1/fails", fails)])
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"host", b"localhost"), (b"origin", b"https://app.example")]
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "path": "/v1/fails",
        "raw_path": b"/v1/fails", "root_path": "", "query_string": b"", "headers": headers, "scheme": "http",
    }  # fmt: skip
    with pytest.raises(RuntimeError):
        await app(scope, receive, send)
    assert sent[0]["status"] == 500
    assert (b"access-control-allow-origin", b"https://app.example") in sent[0]["headers"]


async def test_preflights_cost_a_user_nothing(open_: Settings, world: World) -> None:
    ann = await world.person("ann")
    for _ in range(50):
        assert (await _preflight(open_, "/v1/rooms", "POST", PAGE)).status == 204
    made = await ask(
        open_, "POST", "/v1/rooms", f"Origin: {PAGE}", f"Authorization: Bearer {ann.token}",
        body=b'{"type":"public","name":"x"}',
    )  # fmt: skip
    assert made.status == 201


async def test_the_streams_cookie_is_for_our_own_pages(open_: Settings, world: World) -> None:
    """To a browser all ports of a host are one site: it sends the cookie along, SameSite or not."""
    ann = await world.person("ann")
    cookie = f"Cookie: klatsch_stream={ann.token}"
    for lines in (
        (f"Origin: {PAGE}",),
        ("Sec-Fetch-Site: same-site",),
        (f"Origin: {PAGE}", "Sec-Fetch-Site: same-site"),
    ):
        reply = await ask(open_, "GET", "/v1/stream", cookie, *lines)
        assert (reply.status, reply.code) == (401, "unauthenticated"), lines
    own = f"GET /v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nSec-Fetch-Site: same-origin\r\n{cookie}\r\n\r\n"
    async with raw(open_.port, own.encode()) as client:
        head = await asyncio.wait_for(client.reader.readuntil(b"\r\n\r\n"), PATIENCE)
        assert head.startswith(b"HTTP/1.1 200") and b"access-control-" not in head
    token = f"GET /v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: {PAGE}\r\nAuthorization: Bearer {ann.token}\r\n\r\n"
    async with raw(open_.port, token.encode()) as client:
        head = await asyncio.wait_for(client.reader.readuntil(b"\r\n\r\n"), PATIENCE)
        assert head.startswith(b"HTTP/1.1 200") and f"access-control-allow-origin: {PAGE}".encode() in head


async def test_a_page_logs_in_without_a_cookie(open_: Settings) -> None:
    body = json.dumps({"username": f"page-{open_.prefix}"}).encode()
    reply = await ask(
        open_, "POST", "/v1/users", f"Origin: {PAGE}", "Sec-Fetch-Site: same-site", "Content-Type: application/json",
        body=body,
    )  # fmt: skip
    assert reply.status == 201 and "set-cookie" not in reply.headers
    assert "klatsch-position" in reply.headers and "klatsch-position" in _shown(reply)


async def test_websockets_of_admitted_pages(open_: Settings) -> None:
    for origin, status in ((PAGE, 101), ("https://app.example", 101), *((one, 403) for one in FOREIGN)):
        head = HANDSHAKE.replace(b"\r\n\r\n", f"\r\nOrigin: {origin}\r\n\r\n".encode())
        async with raw(open_.port, head) as client:
            assert (await client.reply()).status == status, origin


async def test_a_private_network_is_for_pages_that_are_named(open_: Settings, installed: Settings) -> None:
    private = "Access-Control-Request-Private-Network: true"
    name = "access-control-allow-private-network"
    assert (await _preflight(open_, "/v1/rooms", "GET", PAGE, private)).headers[name] == "true"
    assert name not in (await _preflight(open_, "/v1/rooms", "GET", PAGE)).headers
    settings = msgspec.structs.replace(installed, port=free_port(), origins="*")
    async with serving(settings, frozenset({"api", "push"})) as url, visiting(url):
        asked = await _preflight(settings, "/v1/rooms", "GET", "https://any.example", private)
        assert asked.headers["access-control-allow-origin"] == "*" and name not in asked.headers
        assert "access-control-allow-credentials" not in asked.headers


def test_what_an_origin_is() -> None:
    found = Origins(
        "https://App.example/, http://localhost:*, http://[::1]:*, capacitor://localhost, https://a.test:444"
    )
    for one in (
        "https://app.example", "http://localhost", "http://localhost:1", "http://[::1]:3000", "http://[::1]",
        "capacitor://localhost", "https://a.test:444",
    ):  # fmt: skip
        assert found.allowed(one.encode()) == one.encode(), one
    for one in (
        "https://app.example:444", "http://app.example", "https://localhost:1", "http://localhost:1/", "null", "",
        "http://localhost:x", "http://localhost:", "http://localhost:1\n", "http://localhost.test:1", "*",
        "https://a.test", "http://xlocalhost:1", "http://[::1]:3000:1", "http://localhost:*",
    ):  # fmt: skip
        assert found.allowed(one.encode()) is None, one
    assert Origins("null").allowed(b"null") == b"null" and Origins("").allowed(b"null") is None
    assert Origins("*").allowed(b"https://any.example") == b"*" and Origins("*").allowed(None) is None
    for wrong in (
        "localhost:3000",
        "https://*.example.org",
        "https://a.test/path",
        "http://a.test:*x",
        "http:// a",
        "x",
    ):
        with pytest.raises(SettingsError, match="KLATSCH_ORIGINS"):
            load({"KLATSCH_ORIGINS": wrong})
