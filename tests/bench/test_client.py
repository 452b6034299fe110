"""The bench's own clients: frames and answers in any pieces, errors, and ends."""

from __future__ import annotations

import pytest

from tests.bench.client import Client, RequestFailed
from tests.bench.http import Http

_UPGRADE = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"


def frame(payload: bytes, first: int = 0x81) -> bytes:
    """As a server sends it."""
    size = len(payload)
    head = (
        size.to_bytes(1) if size < 126 else b"\x7e" + size.to_bytes(2) if size < 65536 else b"\x7f" + size.to_bytes(8)
    )
    return bytes([first]) + head + payload


@pytest.mark.parametrize("piece", [1, 2, 7, 1000, 200_000])
async def test_frames_come_whole_from_any_pieces(piece: int) -> None:
    pushes = [b'{"push":%d}' % number + b" " * size for number, size in enumerate((0, 115, 116, 65_525, 66_000))]
    heard: list[bytes] = []
    client = Client("host", "token", heard.append)
    data = _UPGRADE + frame(b'{"id":1,"connect":{}}') + b"".join(map(frame, pushes))
    for begin in range(0, len(data), piece):
        client.data_received(data[begin : begin + piece])
    assert heard == pushes
    assert client.connected.done() and client.welcome == b'{"id":1,"connect":{}}'
    assert client.bytes_in == len(data)


async def test_replies_and_pushes_in_one_frame() -> None:
    heard: list[bytes] = []
    client = Client("host", "token", heard.append)
    good, bad = client.send("room", "text"), client.call("rooms.get", {})
    lines = (b'{"push":{"a":1}}', b'{"id":2,"rpc":{"data":{}}}', b'{"push":{"b":2}}', b'{"id":3,"error":{"code":100}}')
    client.data_received(_UPGRADE + frame(b"\n".join(lines)))
    assert heard == [lines[0], lines[2]]
    assert (await good).body == lines[1]
    with pytest.raises(RequestFailed, match="100"):
        await bad


async def test_who_waits_is_told_why_the_connection_ended() -> None:
    client = Client("host", "token", lambda _: None)
    waiting = client.send("room", "text")
    client.data_received(_UPGRADE + frame((3500).to_bytes(2) + b"invalid token", 0x88))
    with pytest.raises(ConnectionError, match="3500 invalid token"):
        await waiting
    with pytest.raises(ConnectionError, match="3500"):
        await client.connected
    with pytest.raises(ConnectionError, match="3500"):
        await client.send("room", "text")


async def test_a_refused_connection() -> None:
    client = Client("host", "token", lambda _: None)
    client.data_received(b"HTTP/1.1 404 Not Found\r\n\r\nnothing here")
    with pytest.raises(ConnectionError, match="404 Not Found"):
        await client.connected


class Wire:
    """As much of a transport as an HTTP client uses."""

    def __init__(self) -> None:
        self.sent = b""

    def write(self, data: bytes) -> None:
        self.sent += data


@pytest.mark.parametrize("piece", [1, 5, 1000])
async def test_http_answers_come_whole_from_any_pieces(piece: int) -> None:
    http, wire = Http("host"), Wire()
    http.connection_made(wire)  # type: ignore[arg-type]
    bodies = (b'{"a":1}', b"", b"x" * 300)
    answers = (
        b"HTTP/1.1 201 Created\r\nContent-Length: 7\r\nServer: some\r\n\r\n" + bodies[0],
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 300\r\n\r\n" + bodies[2],
    )
    for answer, body in zip(answers, bodies, strict=True):
        waiting = http.request("POST", "/v1/users", {"username": "ada"}, token="secret")
        for begin in range(0, len(answer), piece):
            http.data_received(answer[begin : begin + piece])
        assert (await waiting).body == body
    assert wire.sent.startswith(b"POST /v1/users HTTP/1.1\r\nHost: host\r\nAuthorization: Bearer secret\r\n")
    assert (http.bytes_in, http.bytes_out) == (sum(map(len, answers)), len(wire.sent))


async def test_http_answers_that_are_errors() -> None:
    http = Http("host")
    http.connection_made(Wire())  # type: ignore[arg-type]
    waiting = http.request("GET", "/v1/users/me")
    http.data_received(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 4\r\n\r\nwhy?")
    with pytest.raises(RequestFailed, match=r"401: why\?"):
        await waiting
    waiting = http.request("GET", "/v1/users/me")
    http.connection_lost(None)
    with pytest.raises(ConnectionError, match="lost"):
        await waiting
