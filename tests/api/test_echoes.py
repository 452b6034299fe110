"""However long input is, an answer and the log repeat a hundred characters of it, wherever it stands.
Tests ``api/support/problems.py``."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from api.core import tokens
from infra.base.settings import Settings
from infra.ops import operator_token
from tests.client import OPERATIONS, Refusal, World
from tests.sockets import HANDSHAKE, raw

#: What a hundred characters are surely not.
LONG = "Q" * 8000
_TOO_LONG = "Q" * 101


_GET, _HOST, _END = b"GET /v1/users/me HTTP/1.1\r\n", b"Host: 127.0.0.1\r\n", b"Connection: close\r\n\r\n"
_BYTES = LONG.encode()

_PATHS = ("/v1/connection", "/v1/stream", "/v1/rooms", "/", "/healthz", "/metrics", "/internal/orders", "/docs")
_TARGETS = ("{path}/{long}", "{path}?{long}", "{path}?limit={long}", "{path}?since={long}", "{long}{path}")

#: First line and headers that are odd.
_HEADS = {
    "method": _BYTES + _GET[3:] + _HOST, "version": _GET[:-2] + _BYTES + b"\r\n" + _HOST,
    "scheme": _GET.replace(b"/v1", _BYTES + b"://h/v1") + _HOST,
    "authority": _GET.replace(b"/v1", b"http://" + _BYTES + b"/v1") + _HOST,
    "host": _GET + b"Host: " + _BYTES + b"\r\n", "port": _GET + b"Host: h:" + _BYTES + b"\r\n",
    "no colon": _GET + _HOST + _BYTES + b"\r\n", "a name with a space": _GET + _HOST + _BYTES + b" : a\r\n",
    "a control character": _GET + _HOST + b"X: \x01" + _BYTES + b"\r\n",
    "length": _GET + _HOST + b"Content-Length: " + _BYTES + b"\r\n",
    "coding": _GET + _HOST + b"Transfer-Encoding: " + _BYTES + b"\r\n",
    "origin": _GET.replace(b"GET", b"POST") + _HOST + b"Origin: " + _BYTES + b"\r\n",
    "nothing": _BYTES + b"\r\n" + _HOST,
}  # fmt: skip
_HEADERS = (
    "Authorization: Bearer ", "Authorization: ", "Idempotency-Key: ", "Klatsch-Position: ", "Last-Event-ID: ",
    "Klatsch-Position: rooms/0/1,", "Cookie: klatsch_stream=",
)  # fmt: skip
_OF_HANDSHAKES = (
    "Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version", "Origin", "Host", "Content-Length",
)  # fmt: skip


def _requests(token: str) -> Iterator[tuple[str, bytes]]:
    """Requests with something long in each place, and where."""
    bearer = f"Authorization: Bearer {token}\r\n".encode()
    for method, path, target in itertools.product(("GET", "POST", "PUT", "DELETE"), _PATHS, _TARGETS):
        first = f"{method} {target.format(path=path, long=LONG)} HTTP/1.1\r\n".encode()
        yield f"{method} {target} {path}", first + _HOST + bearer + _END
    for where, head in _HEADS.items():
        yield where, head + _END
    for header, path in itertools.product(_HEADERS, ("users/me", "stream")):
        shown = b"" if header.startswith(("Auth", "Cookie")) else bearer
        line = f"{header}{LONG}\r\n".encode()
        yield f"{header} {path}", _GET.replace(b"users/me", path.encode()) + _HOST + line + shown + _END
    for name in _OF_HANDSHAKES:
        before = HANDSHAKE.replace(_HOST, b"") if name == "Host" else HANDSHAKE
        yield f"handshake {name}", before[:-2] + f"{name}: {LONG[:7000]}\r\n\r\n".encode()
    yield "handshake path", HANDSHAKE.replace(b"/v1/connection", b"/" + _BYTES[:7000])


def _ours(caplog: pytest.LogCaptureFixture, level: int) -> list[str]:
    """What was logged, but by the client of Kafka, to which nothing of a request comes."""
    found = [one for one in caplog.records if not one.name.startswith("aiokafka")]
    return [one.getMessage()[:300] for one in found if one.levelno >= level or _TOO_LONG in one.getMessage()]


async def test_over_http(world: World, installed: Settings, caplog: pytest.LogCaptureFixture) -> None:
    ann = await world.person("ann")
    refused = 0
    for where, sent in _requests(ann.token):
        async with raw(installed.port, sent) as client:
            async with asyncio.timeout(20):
                answer = await client.reader.read(20_000)
            assert answer.startswith(b"HTTP/1.1 ") and _TOO_LONG.encode() not in answer, (where, answer[:400])
            refused += answer[9:10] == b"4"
    assert refused > 150
    assert _ours(caplog, logging.ERROR) == []


@pytest.mark.parametrize("via", ["http", "rpc"])
async def test_each_operation(world: World, installed: Settings, via: str, caplog: pytest.LogCaptureFixture) -> None:
    """A value, a member's name and (RPC) a method: of each operation, as whoever it is for."""
    ann = await world.person("ann")
    bearer = {"operator": operator_token.token(installed), "anyone": None}
    socket = await world.socket(ann.token)
    refused: list[str] = []
    for operation, row in OPERATIONS.items():
        if row.only_rpc and via == "http":
            continue
        names = [one.encode_name for one in msgspec.structs.fields(row.request)]
        known: dict[str, Any] = dict.fromkeys(row.path_parameters, ann.id)
        tried = [{**known, name: value} for name in names for value in (LONG, {LONG: [LONG]})]
        tried += [{**known, LONG: "a"}, {**known, f"a` - at `{LONG}": 1}]
        for given in tried:
            try:
                if via == "rpc":
                    await socket.rpc(operation, given)
                else:
                    await world.call(operation, given, token=bearer.get(row.permission, ann.token))
            except Refusal as refusal:
                refused.append(str(refusal.problem))
    assert len(refused) > 200 and [problem[:400] for problem in refused if _TOO_LONG in problem] == []
    for method in (LONG, f"messages.{LONG}"):
        with pytest.raises(Refusal) as caught:
            await socket.rpc(method, {})
        assert _TOO_LONG not in str(caught.value.problem)
    assert _ours(caplog, logging.ERROR) == []


async def test_a_token_is_written_in_one_way(world: World, installed: Settings) -> None:
    """Base64 that is read leniently has many words for one signature."""
    ann = await world.person("ann")
    signs = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = signs.index(ann.token[-1])
    others = [ann.token[:-1] + signs[last ^ bit] for bit in (1, 2, 3)]
    for token in (*others, f"{ann.token}=", f"{ann.token}==", f"{ann.token}!", f"{ann.token[:-3]}.{ann.token[-3:]}"):
        answer = await world.request("GET", "/v1/users/me", token=token)
        assert answer.status == 401 and answer.refusal().code == "unauthenticated", token
    assert tokens.verify(installed, ann.token).user == ann.id
