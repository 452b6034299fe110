"""Browser apps on other origins (CORS), in a real Chromium: what a page on another port may do, and no other may.
Tests ``infra/base/origins.py`` and ``api/core/guard.py``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from playwright.async_api import Browser

from infra.base.origins import LOCAL
from infra.base.settings import Settings
from infra.embedded.ports import free_port
from tests.servers import ALL, Process, process

_BLANK = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 15\r\nConnection: close\r\n\r\n<!doctype html>"

#: Register, make a room, say something, read it and receive it, as an app would: by fetch, its stream and a WebSocket.
_APP = """async ([api, name]) => {
    const json = { "Content-Type": "application/json" };
    const call = (method, path, body, headers) => fetch(api + path,
        { method, headers: { ...json, ...headers }, body: body && JSON.stringify(body), credentials: "omit" });
    const registered = await call("POST", "/v1/users", { username: name, password: "correct horse" });
    const { token } = await registered.json();
    const bearer = { Authorization: `Bearer ${token}` };
    const stream = await fetch(api + "/v1/stream", { headers: bearer });
    const first = new TextDecoder().decode((await stream.body.getReader().read()).value);
    const made = await call("POST", "/v1/rooms", { type: "public", name }, { ...bearer, "Idempotency-Key": name });
    const room = (await made.json()).room.id;
    const message = { client_id: "m1", content: { text: "hello" } };
    const sent = await call("POST", `/v1/rooms/${room}/messages`, message, bearer);
    const position = { "Klatsch-Position": sent.headers.get("Klatsch-Position") };
    const read = await call("GET", `/v1/rooms/${room}/messages`, null, { ...bearer, ...position });
    const refused = await call("GET", "/v1/users/me", null, { Authorization: "Bearer no" });
    const connected = await new Promise((done) => {
        const socket = new WebSocket(api.replace("http", "ws") + "/v1/connection");
        socket.onopen = () => socket.send(JSON.stringify({ id: 1, connect: { token } }));
        socket.onmessage = ({ data }) => { socket.close(); done(JSON.parse(data.split("\\n")[0])); };
        socket.onerror = () => done("refused");
    });
    return {
        status: [registered, made, sent, read, refused].map((one) => one.status),
        texts: (await read.json()).messages.map((one) => one.content.text),
        limits: sent.headers.get("RateLimit-Policy"), problem: (await refused.json()).type, first, connected,
        cookie: await fetch(api + "/v1/stream", { credentials: "include" }).then((one) => one.status, () => "unread"),
    };
}"""

_TRIES = """async ([api, token]) => {
    const tries = [
        fetch(api + "/v1/users/me", { headers: { Authorization: `Bearer ${token}` } }),
        fetch(api + "/v1/users", { method: "POST", body: '{"username":"nobody-comes"}' }),
        fetch(api + "/v1/changes"),
        new Promise((_, fail) => { new WebSocket(api.replace("http", "ws") + "/v1/connection").onerror = fail; }),
    ];
    return (await Promise.allSettled(tries)).map((one) => one.status);
}"""


@pytest.fixture(scope="module")
async def page_port() -> AsyncIterator[int]:
    """Serves an empty page on all addresses of this machine."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(_BLANK)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "0.0.0.0", 0) as server:
        yield server.sockets[0].getsockname()[1]


@pytest.fixture
async def open_(settings: Settings, tmp_path: Path) -> AsyncIterator[Process]:
    """A server that admits what is developed here."""
    async with process(replace(settings, port=free_port(), origins=LOCAL), ALL, tmp_path / "log") as server:
        await server.ready()
        yield server


async def _evaluate(browser: Browser, url: str, script: str, argument: Any) -> Any:
    context = await browser.new_context()
    try:
        page = await context.new_page()
        await page.goto(url)
        return await page.evaluate(script, argument)
    finally:
        await context.close()


async def test_an_app_on_another_port_and_a_page_elsewhere(
    chromium: Browser, open_: Process, page_port: int, settings: Settings
) -> None:
    app = await _evaluate(chromium, f"http://localhost:{page_port}/", _APP, [open_.url, f"app-{settings.prefix}"])
    assert app["status"] == [201, 201, 201, 200, 401], app
    assert app["texts"] == ["hello"] and app["limits"] and app["problem"] == "urn:klatsch:problem:unauthenticated"
    assert app["first"].startswith("retry:") and app["connected"]["connect"]["client"], app
    # Whoever wants a browser to add credentials may not even read that they are refused.
    assert app["cookie"] == "unread"
    foreign = await _evaluate(chromium, f"http://127.0.0.2:{page_port}/", _TRIES, [open_.url, "x"])
    assert foreign == ["rejected"] * 4
