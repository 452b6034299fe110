"""Each answer names its request, as the client did or by an id of ours; problems and the log's lines do too.
Tests ``infra/base/request_ids.py``."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
from collections.abc import Iterator

import aiohttp
import pytest

from api.core import dispatch
from infra.base import request_ids
from infra.base.settings import Settings
from tests.api.core.test_guard import ask, walked
from tests.client import Person, Refusal, Via, World
from tests.sockets import HANDSHAKE, raw

__all__ = ["walked"]

MADE = re.compile(r"[0-9a-f]{16}")
#: What is no id that we repeat: nothing, too much, and what could be taken for something else.
BAD = ["", "a" * 65, "a b", "a,b", "a/b", 'a"b', "ä", "a:b"]


async def test_every_route_names_the_request(installed: Settings, walked: list[tuple[str, str]]) -> None:
    for number, (method, path) in enumerate(walked):
        reply = await ask(installed, method, path, f"X-Request-Id: mine-{number}.a_B")
        assert reply.headers["x-request-id"] == f"mine-{number}.a_B", (method, path)
        reply = await ask(installed, method, path)
        assert MADE.fullmatch(reply.headers["x-request-id"]), (method, path)


@pytest.mark.parametrize("given", BAD)
async def test_what_is_no_id_is_not_repeated(installed: Settings, given: str) -> None:
    reply = await ask(installed, "GET", "/v1/users/me", f"X-Request-Id: {given}")
    assert MADE.fullmatch(reply.headers["x-request-id"]) and reply.code == "unauthenticated"
    async with raw(installed.port, f"BREW / HTTP/9\r\nX-Request-Id: {given}\r\n\r\n".encode()) as client:
        assert MADE.fullmatch((await client.reply()).headers["x-request-id"])


async def test_of_two_none_is_the_requests(installed: Settings) -> None:
    reply = await ask(installed, "GET", "/healthz", "X-Request-Id: one", "X-Request-Id: two")
    assert MADE.fullmatch(reply.headers["x-request-id"])


#: What is refused before the application, or by the WebSocket library: status and code.
EARLY: dict[str, tuple[bytes, int, str]] = {
    "a host that is none": (b"GET / HTTP/1.1\r\nHost: a b\r\n", 400, "malformed"),
    "another host": (b"GET / HTTP/1.1\r\nHost: evil.example\r\n", 421, "misdirected"),
    "a version": (b"GET / HTTP/3.0\r\nHost: 127.0.0.1\r\n", 400, "malformed"),
    "a line": (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nno colon\r\n", 400, "malformed"),
    "a head": (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"a" * 40_000 + b"\r\n", 431, "head_too_large"),
    "no path": (b"GET /v1/nothing HTTP/1.1\r\nHost: 127.0.0.1\r\n", 404, "not_found"),
    "no handshake": (b"GET /v1/connection HTTP/1.1\r\nHost: 127.0.0.1\r\n", 426, "upgrade_required"),
    "a path without WebSocket": (HANDSHAKE[:-2].replace(b"connection", b"rooms"), 404, "not_found"),
    "a WebSocket's version": (HANDSHAKE[:-2].replace(b": 13", b": 12"), 426, "upgrade_required"),
    "no key": (re.sub(rb"Sec-WebSocket-Key:.*\r\n", b"", HANDSHAKE[:-2]), 400, "malformed"),
    "a foreign page": (HANDSHAKE[:-2] + b"Origin: https://evil.example\r\n", 403, "forbidden"),
    "a handshake's line": (HANDSHAKE[:-2] + b"no colon\r\n", 400, "malformed"),
}


@pytest.mark.parametrize("what", EARLY)
async def test_what_is_refused_early_has_it_too(installed: Settings, what: str) -> None:
    head, status, code = EARLY[what]
    first, _, rest = head.partition(b"\r\n")
    for line, id in ((b"X-Request-Id: mine\r\n", "mine"), (b"", "")):
        async with raw(installed.port, first + b"\r\n" + line + rest + b"\r\n") as client:
            reply = await client.reply()
        # That it is in the document is asked by ``code``.
        assert (reply.status, reply.code) == (status, code), reply
        assert reply.headers["x-request-id"] == id or (not id and MADE.fullmatch(reply.headers["x-request-id"])), reply


async def test_a_body_that_is_too_large_or_no_json(installed: Settings) -> None:
    for body, status in ((b" " * (installed.body_bytes + 1), 413), (b"{", 400), (b"{}", 422)):
        reply = await ask(installed, "POST", "/v1/users", "X-Request-Id: mine", body=body)
        assert reply.status == status and reply.code and reply.headers["x-request-id"] == "mine"


async def test_a_handshake_is_answered_with_it(world: World) -> None:
    async with world.http.ws_connect(world.url + "/v1/connection", headers={"X-Request-Id": "mine"}) as socket:
        assert isinstance(socket, aiohttp.ClientWebSocketResponse)
        assert socket._response.headers["X-Request-Id"] == "mine"


class _Lines(logging.Handler):
    """The log's lines as a process writes them."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.addFilter(request_ids.RequestIdFilter())
        self.setFormatter(logging.Formatter(request_ids.FORMAT))

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def lines() -> Iterator[list[str]]:
    handler = _Lines()
    logging.getLogger().addHandler(handler)
    yield handler.lines
    logging.getLogger().removeHandler(handler)


async def test_the_log_names_the_request(
    ada: Person, via: Via, lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fault(*arguments: object) -> None:
        raise RuntimeError("nobody foresaw it")

    with monkeypatch.context() as patch:
        patch.setattr(dispatch, "_run", fault)
        problems = []
        for _ in range(2):
            with pytest.raises(Refusal) as caught:
                await ada.do("users.me")
            problems.append(caught.value.problem)
    assert [one["status"] for one in problems] == [500, 500] and "errors" not in problems[0]
    ids = [one["request_id"] for one in problems]
    assert len(set(ids)) == 2
    for id in ids:
        (line,) = [line for line in lines if id in line]
        assert f"ERROR api.support.problems [{id}]: unexpected error" in line and "nobody foresaw it" in line


def test_a_process_writes_its_log_so() -> None:
    """What ``roles.run`` configures, in a process of its own: here the test runner has configured it."""
    program = (
        "import logging; from infra.base import request_ids; log = logging.getLogger('a')"
        "\nrequest_ids.configure(logging.INFO)"
        "\nlog.info('before'); request_ids.begin('mine'); log.info('during'); log.debug('unsaid')"
        "\nrequest_ids.apart().run(log.info, 'for others')"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    said = [line.partition(" INFO ")[2] for line in done.stderr.splitlines()]
    assert said == ["a: before", "a [mine]: during", "a: for others"]
