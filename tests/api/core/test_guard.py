"""The edge of the API, walked: on every route nosniff, no foreign names and pages, and errors as problem documents."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import msgspec
import pytest
from starlette.routing import Mount, Route, WebSocketRoute

from api.core.guard import onlookers
from api.core.tokens import NO_TOKEN
from api.support.problems import PROBLEMS
from infra.base.settings import Settings
from infra.base.sites import Sites, crosses
from infra.ops import operator_token, roles
from tests.client import World, visiting
from tests.servers import ALL, serving
from tests.sockets import HANDSHAKE, Reply, frame, raw, websocket

_ID = "01234567-89ab-7cde-8f01-23456789abcd"


@pytest.fixture(scope="module")
async def walked(installed: Settings, world: World) -> list[tuple[str, str]]:
    """Method and path of every route of the application, with ids for parameters."""
    async with roles.running(installed, ALL) as app:
        return sorted(set(_routes(app.routes)))


def _routes(routes: Any) -> Iterator[tuple[str, str]]:
    for route in routes:
        if isinstance(route, Route):
            path = "/".join(_ID if part.startswith("{") else part for part in route.path.split("/"))
            # A route that names no methods takes all.
            yield from ((method, path) for method in route.methods or ("GET", "POST"))
        elif isinstance(route, Mount):
            yield from (("GET", f"/{page}") for page in ("", "app.js", "console/", "nothing.html"))
        else:
            assert isinstance(route, WebSocketRoute), route


async def ask(
    settings: Settings, method: str, path: str, *lines: str, host: str = "127.0.0.1", body: bytes = b""
) -> Reply:
    """One request as given, and its answer."""
    head = [f"{method} {path} HTTP/1.1", f"Host: {host}", "Connection: close", *lines]
    if body:
        head.append(f"Content-Length: {len(body)}")
    async with raw(settings.port, "\r\n".join(head).encode() + b"\r\n\r\n" + body) as client:
        return await client.reply(body=method != "HEAD")


def test_there_is_something_to_walk(walked: list[tuple[str, str]]) -> None:
    assert len(walked) > 60
    assert {"/healthz", "/readyz", "/metrics", "/openapi.json", "/docs", "/v1/stream", "/", "/internal/orders"} <= {
        path for _, path in walked
    }


async def test_every_route_refuses_a_foreign_name(installed: Settings, walked: list[tuple[str, str]]) -> None:
    for method, path in walked:
        reply = await ask(installed, method, path, host="evil.example")
        assert reply.status == 421 and reply.headers["x-content-type-options"] == "nosniff", (method, path, reply)
        assert "evil" not in reply.headers.get("location", "") and (method == "HEAD" or reply.code == "misdirected")
    for host in ("localhost:8400", "[::1]:1", "192.0.2.7:8400", f"127.0.0.1:{installed.port}", "LOCALHOST."):
        assert (await ask(installed, "GET", "/healthz", host=host)).status == 200, host
    async with raw(installed.port, HANDSHAKE.replace(b"Host: 127.0.0.1", b"Host: evil.example")) as client:
        assert (await client.reply()).code == "misdirected"
    async with raw(installed.port, b"GET /healthz HTTP/1.0\r\n\r\n") as client:
        assert (await client.reply()).status == 200


async def test_every_answer_has_nosniff_and_every_error_is_a_problem_document(
    installed: Settings, walked: list[tuple[str, str]]
) -> None:
    """Asked without a token, with a bad one, with a body that is none, and by a method that there is not."""
    seen: dict[str, int] = {}
    for method, path in walked:
        for lines, body in (
            ((), b""),
            (("Authorization: Bearer no",), b""),
            ((), b"{"),
            (("Authorization: Basic no",), b"["),
        ):
            sent = body if method not in ("GET", "HEAD") else b""
            reply = await ask(installed, method, path, *lines, body=sent)
            assert reply.headers["x-content-type-options"] == "nosniff", (method, path, reply)
            if reply.status >= 400 and method != "HEAD":
                assert reply.code in PROBLEMS and PROBLEMS[reply.code].status == reply.status, (method, path, reply)
                seen[reply.code] = seen.get(reply.code, 0) + 1
        if method == "GET":
            reply = await ask(installed, "BREW", path)
            assert (reply.status, reply.code) == (405, "method_not_allowed") and reply.headers["allow"], (path, reply)
            assert reply.headers["x-content-type-options"] == "nosniff", path
    assert {"unauthenticated", "forbidden", "malformed", "not_found"} <= seen.keys(), seen


async def test_the_stream_refuses_in_problem_documents(world: World, installed: Settings) -> None:
    ann, ben = await world.person("ann"), await world.person("ben")
    bearer = f"Authorization: Bearer {ann.token}"
    assert (await ask(installed, "GET", "/v1/stream?since=no", bearer)).code == "malformed"
    old = operator_token.token(installed, user=ann.id, role="person", session="s", seconds=-100)
    assert (await ask(installed, "GET", "/v1/stream", f"Authorization: Bearer {old}")).code == "token_expired"
    await ann.do("sessions.close", session="current")
    # The world's reads wait for its writes, so that the session is known to be closed.
    await ben.do("users.me")
    assert (await ask(installed, "GET", "/v1/stream", bearer)).code == "token_revoked"


async def test_a_token_is_refused_in_the_same_words_everywhere(world: World, installed: Settings) -> None:
    ann, ben = await world.person("ann"), await world.person("ben")
    await ann.do("sessions.close", session="current")
    await ben.do("users.me")
    old = operator_token.token(installed, user=ben.id, role="person", session="s", seconds=-100)
    for token in (None, "no", ben.token + "x", ann.token, old):
        lines = () if token is None else (f"Authorization: Bearer {token}",)
        lines = (*lines, "X-Request-Id: the-same")
        stream, me = [await ask(installed, "GET", path, *lines) for path in ("/v1/stream", "/v1/users/me")]
        assert stream.status == me.status == 401 and json.loads(stream.body) == json.loads(me.body), token
    assert json.loads((await ask(installed, "GET", "/v1/stream", "Cookie: klatsch_stream=")).body)["detail"] == NO_TOKEN


async def test_other_paths_have_no_websocket(installed: Settings, walked: list[tuple[str, str]]) -> None:
    for path in [*sorted({path for _, path in walked} - {"/v1/connection"}), "/v1/nothing", "//"]:
        async with raw(installed.port, HANDSHAKE.replace(b"/v1/connection", path.encode())) as client:
            reply = await client.reply()
            assert (reply.status, reply.code) == (404, "not_found"), (path, reply)


async def test_redirects_name_no_host(installed: Settings) -> None:
    for path in ("/console", "//console", "/console?x=1"):
        reply = await ask(installed, "GET", path, host="192.0.2.7")
        assert (reply.status, reply.headers["location"]) == (307, "/console/"), path
    assert (await ask(installed, "GET", "/healthz/")).code == "not_found"


_FORM = b'{"username":"%s","display_name":"x=","data":{}}'


async def test_a_page_of_another_site_registers_nobody_and_leaves_no_cookie(world: World, installed: Settings) -> None:
    """A form of the type text/plain needs no permission of ours: browsers send it, with these headers."""
    await world.person("ann")
    path, kind = "/v1/users", "Content-Type: text/plain"
    own = f"http://127.0.0.1:{installed.port}"
    refused: tuple[tuple[str, ...], ...] = (
        ("Origin: https://evil.example", "Sec-Fetch-Site: cross-site"),
        ("Origin: https://evil.example",),
        ("Origin: null",),
        ("Sec-Fetch-Site: same-site", f"Origin: {own}"),
        ("Sec-Fetch-Site: cross-site",),
        (f"Origin: http://127.0.0.1:{installed.port + 1}",),
    )
    for lines in refused:
        reply = await ask(installed, "POST", path, kind, *lines, body=b'{"username":"nobody-comes"}', host=own[7:])
        assert (reply.status, reply.code) == (403, "forbidden") and "set-cookie" not in reply.headers, lines
    taken: tuple[tuple[str, ...], ...] = (
        (),
        (f"Origin: {own}", "Sec-Fetch-Site: same-origin"),
        ("Sec-Fetch-Site: none",),
        (f"Origin: {own}",),
    )
    for number, lines in enumerate(taken):
        body = json.dumps({"username": f"form-{installed.prefix}-{number}"}).encode()
        reply = await ask(installed, "POST", path, kind, *lines, body=body, host=own[7:])
        assert reply.status == 201 and "klatsch_stream" in reply.headers["set-cookie"], (lines, reply)


async def test_curl_needs_no_content_type(installed: Settings) -> None:
    body = json.dumps({"username": f"curl-{installed.prefix}"}).encode()
    kind = "Content-Type: application/x-www-form-urlencoded"
    assert (await ask(installed, "POST", "/v1/users", kind, body=body)).status == 201


async def test_every_route_that_changes_something_refuses_other_sites(
    installed: Settings, walked: list[tuple[str, str]]
) -> None:
    changing = [(method, path) for method, path in walked if method not in ("GET", "HEAD")]
    assert len(changing) > 25
    for method, path in changing:
        reply = await ask(installed, method, path, "Origin: https://evil.example", "Sec-Fetch-Site: cross-site")
        assert (reply.status, reply.code) == (403, "forbidden"), (method, path, reply)


async def test_a_host_is_a_name_or_an_address(installed: Settings) -> None:
    strange = (
        "127.0.0.1:8500@evil.example",
        "user@127.0.0.1",
        "[::1",
        "[127.0.0.1]",
        "[::1]x",
        "127.0.0.1:x",
        "a b",
        "",
    )
    for host in strange:
        reply = await ask(installed, "GET", "/healthz", host=host)
        assert (reply.status, reply.code) == (400, "malformed"), host
        async with raw(installed.port, HANDSHAKE.replace(b"127.0.0.1", host.encode(), 1)) as client:
            reply = await client.reply()
            assert (reply.status, reply.code) == (400, "malformed"), host
    async with raw(installed.port, HANDSHAKE.replace(b"Host: 127.0.0.1\r\n", b"")) as client:
        assert (await client.reply()).code == "malformed"


async def test_a_target_in_absolute_form_names_the_host(world: World, installed: Settings) -> None:
    bearer = f"Authorization: Bearer {(await world.person('ann')).token}"
    for own in (f"127.0.0.1:{installed.port}", "localhost", "[::1]:1"):
        reply = await ask(installed, "GET", f"http://{own}/v1/users/me?", bearer, host="evil.example")
        assert reply.status == 200, own
    for other, code in (("evil.example", "misdirected"), ("127.0.0.1@evil.example", "malformed"), ("", "malformed")):
        assert (await ask(installed, "GET", f"http://{other}/v1/users/me", bearer)).code == code, other
    for authority, status in ((b"127.0.0.1", 101), (b"evil.example", 421), (b"a@127.0.0.1", 400)):
        async with raw(installed.port, HANDSHAKE.replace(b"/v1", b"http://" + authority + b"/v1")) as client:
            assert (await client.reply()).status == status, authority


async def test_what_decides_comes_once(world: World, installed: Settings) -> None:
    bearer = f"Authorization: Bearer {(await world.person('ann')).token}"
    twice = (
        bearer, "Authorization: Bearer no", "Origin: null", "Sec-Fetch-Site: none", "Idempotency-Key: a",
        "Klatsch-Position: users/0/1", "Last-Event-ID: a:1",
    )  # fmt: skip
    for line in twice:
        # One of two Authorization headers is good.
        reply = await ask(installed, "GET", "/v1/users/me", bearer, *([line] if "Auth" in line else [line, line]))
        assert (reply.status, reply.code) == (400, "malformed") and b"once" in reply.body, line
        (error,) = json.loads(reply.body)["errors"]
        assert error["header"].lower() == line.partition(":")[0].lower() and error["actual"] == "it twice"


async def test_strangers_write_no_errors_into_the_log(installed: Settings, caplog: pytest.LogCaptureFixture) -> None:
    for line in (b"Origin: https://evil.example", b"Host: evil.example"):
        head = HANDSHAKE if line.startswith(b"Origin") else re.sub(rb"\r\nHost: [^\r]*", b"", HANDSHAKE)
        async with raw(installed.port, head.replace(b"\r\n\r\n", b"\r\n" + line + b"\r\n\r\n")) as client:
            assert (await client.reply()).status in (403, 421)
            assert await client.end() == b""
    for frames in ((frame(1, b"\xff"),), (frame(1, b"\xc3", fin=False), frame(0, b"\x28"))):
        async with websocket(installed.port, *frames) as client:
            assert (await client.closed())[0] == 1007
    assert [one.getMessage() for one in caplog.records if one.levelno >= logging.ERROR] == []


async def test_a_websocket_is_for_own_pages_and_for_programs(installed: Settings) -> None:
    def handshake(*lines: str) -> bytes:
        return HANDSHAKE.replace(b"\r\n\r\n", b"".join(b"\r\n%s" % one.encode() for one in lines) + b"\r\n\r\n")

    for lines, status in (
        ((), 101), (("Origin: http://127.0.0.1",), 101), (("Origin: https://evil.example",), 403),
        (("Origin: null",), 403),
    ):  # fmt: skip
        async with raw(installed.port, handshake(*lines)) as client:
            assert (await client.reply()).status == status, lines


@pytest.fixture(scope="module")
async def guarded(installed: Settings, world: World) -> AsyncIterator[tuple[Settings, World]]:
    """The same installation behind another process, whose settings name origins and hide what operators see."""
    from infra.embedded.ports import free_port

    settings = msgspec.structs.replace(
        installed, port=free_port(), origins="https://app.example", hosts=".example.org,one.test",
        metrics="token", metrics_token="scrape-me", body_seconds=0.5,
    )  # fmt: skip
    async with serving(settings, frozenset({"api", "push"})) as url, visiting(url) as other:
        yield settings, other


async def test_origins_and_hosts_are_settings(guarded: tuple[Settings, World]) -> None:
    settings, _ = guarded
    body = json.dumps({"username": f"app-{settings.prefix}"}).encode()
    reply = await ask(
        settings, "POST", "/v1/users", "Origin: https://app.example", "Sec-Fetch-Site: cross-site", body=body
    )
    # The page gets its token; the cookie is for our own pages.
    assert reply.status == 201 and "set-cookie" not in reply.headers
    assert (await ask(settings, "POST", "/v1/users", "Origin: https://evil.example", body=body)).code == "forbidden"
    for host, status in (("chat.example.org", 200), ("example.org", 421), ("one.test:80", 200), ("two.test", 421)):
        assert (await ask(settings, "GET", "/healthz", host=host)).status == status, host


async def test_metrics_and_parts_are_for_who_shows_the_token(guarded: tuple[Settings, World]) -> None:
    settings, _ = guarded
    operator = operator_token.token(settings)
    for bearer, seen in (("scrape-me", True), (operator, True), ("no", False), ("", False)):
        lines = (f"Authorization: Bearer {bearer}",) if bearer else ()
        metrics = await ask(settings, "GET", "/metrics", *lines)
        ready = await ask(settings, "GET", "/readyz", *lines)
        assert metrics.status == (200 if seen else 401), bearer
        assert ready.status == 200 and ("parts" in json.loads(ready.body)) is seen, bearer
    assert (await ask(settings, "GET", "/metrics")).code == "unauthenticated"


def test_metrics_are_open_to_this_machine_only() -> None:
    def sees(authorization: str | None = None, **changed: Any) -> bool:
        return onlookers(Settings(secret="00" * 32, **changed))(authorization)

    assert (
        sees(host="127.0.0.1") and sees(host="localhost") and sees(host="::1") and sees(host="0.0.0.0", metrics="open")
    )
    assert not sees(host="0.0.0.0") and not sees(host="::") and not sees(host="192.0.2.1")
    assert not sees("Bearer secret", metrics="off", metrics_token="secret")
    assert sees("Bearer secret", metrics="token", metrics_token="secret") and not sees("Bearer ", metrics="token")


async def test_a_body_that_does_not_come_is_answered(guarded: tuple[Settings, World]) -> None:
    settings, _ = guarded
    head = b"POST /v1/users HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n"
    async with raw(settings.port, head + b'{"username":') as client:
        reply = await client.reply()
        assert (reply.status, reply.code) == (408, "too_slow")
        assert await client.end() == b""


async def test_a_broken_chunk_is_answered(guarded: tuple[Settings, World]) -> None:
    settings, _ = guarded
    head = b"POST /v1/users HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with raw(settings.port, head, b"zz\r\n") as client:
        reply = await client.reply()
        assert (reply.status, reply.code) == (400, "malformed")
        assert await client.end() == b""


async def test_a_request_with_a_token_makes_room_for_others(world: World, installed: Settings) -> None:
    from infra.embedded.ports import free_port

    ann = await world.person("ann")
    settings = msgspec.structs.replace(installed, port=free_port(), strangers=3)
    async with serving(settings, frozenset({"api", "push"})), aiohttp.ClientSession() as http:
        url = f"http://127.0.0.1:{settings.port}"

        async def get(path: str) -> tuple[int, aiohttp.ClientResponse]:
            # Kept open: each has a connection of its own.
            response = await http.get(url + path, headers={"Authorization": f"Bearer {ann.token}"})
            return response.status, response

        answers = await asyncio.gather(*(get("/v1/stream") for _ in range(3)))
        answers += await asyncio.gather(*(get("/v1/stream") for _ in range(3)))
        assert [status for status, _ in answers] == [200] * 6
        for _, response in answers:
            response.close()


def test_names_and_pages() -> None:
    sites = Sites(Settings(advertise="node2:8400", api="https://chat.example.org/", hosts=".test"))
    for host in (b"node2", b"chat.example.org:443", b"a.test", b"10.0.0.1:8400", b"[2001:db8::1]:80", b"localhost"):
        assert sites.named(host) and sites.named(host), host
    for host in (b"", b"evil.example", b"test", b"node2.evil.example", b"localhost.evil.example", b"1.2.3.4.nip.io"):
        assert not sites.named(host), host
    # No name and no address, whatever an address in it might suggest.
    for text in (
        "127.0.0.1:8500@evil.example", "user@127.0.0.1", "[::1", "[::1]x", "[127.0.0.1", "127.0.0.1:x",
        "127.0.0.1/evil", "127.0.0.1 evil", "127.0.0.1:80:80", "::1", "", ":80", "node2:8400,evil",
    ):  # fmt: skip
        assert not sites.named(text.encode()), text
    for text in ("127.0.0.1:8500", "[::1]:8400", "[::1]", "localhost:1", "node2:", "NODE2.:8400"):
        assert sites.named(text.encode()), text
    assert Sites(Settings(hosts="*")).named(b"evil.example")
    assert (
        not crosses(b"a:80", b"http://a:80", None)
        and crosses(b"a:80", b"http://a", None)
        and crosses(b"a", b"null", None)
    )
    assert not crosses(b"a", b"https://b", b"same-origin") and crosses(b"a", b"https://a", b"cross-site")
