"""Clients that come back: the place that they name, what they then get, and the check that nothing of it is missing."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import Any, NamedTuple, cast

import msgspec

from tests.bench.client import Client, opened
from tests.bench.load import MARK, Member
from tests.bench.system import Person, Wrong

_OFFSET = re.compile(rb'"offset":(\d+)\}\}\}')
#: What every delta of a message has, once.
_POSTED = b'"type":"message.posted"'
#: Seconds for all that was missed to come.
_PATIENCE = 60.0


class CaughtUpWrong(Wrong):
    """What came is not what was missed; the text says expected and actual."""


class Place(NamedTuple):
    """A place in somebody's stream, as the reply to a connect command tells it."""

    offset: int
    epoch: str


class Missed(NamedTuple):
    """What a client got after it had come back. ``seconds``: from its connect command to the last delta."""

    seconds: float
    frames: list[bytes]


class Returning(Client):
    """A connection that notes when it asked, and when it had as many messages as were missed."""

    def __init__(self, host: str, token: str, connect: Mapping[str, Any], wanted: int) -> None:
        super().__init__(host, token, self._take, dict(connect))
        self.frames: list[bytes] = []
        self.asked = self.done = 0.0
        self.complete = asyncio.Event()
        self._left = wanted

    def upgraded(self) -> None:
        self.asked = perf_counter()
        super().upgraded()

    def _take(self, payload: bytes) -> None:
        found = payload.count(_POSTED)
        if found:
            self.frames.append(payload)
            self._left -= found
            if self._left <= 0 and not self.done:
                self.done = perf_counter()
                self.complete.set()


async def place(host: str, port: int, person: Person) -> Place:
    """Where somebody's stream ends now."""
    client = await opened(lambda: Client(f"{host}:{port}", person.token, lambda _: None), host, port)
    client.close()
    ((_, found),) = msgspec.json.decode(client.welcome)["connect"]["subs"].items()
    return Place(found["offset"], found["epoch"])


async def come_back(host: str, port: int, person: Person, since: Place, wanted: int) -> Missed:
    """Connects as an SDK with everything up to ``since``, and waits for this many messages. Raises CaughtUpWrong."""
    known = {"recover": True, "offset": since.offset, "epoch": since.epoch}
    connect = {"subs": {f"user:{person.id}": known}}
    client = await opened(lambda: Returning(f"{host}:{port}", person.token, connect, wanted), host, port)
    try:
        async with asyncio.timeout(_PATIENCE):
            await client.complete.wait()
    except TimeoutError:
        got = sum(frame.count(_POSTED) for frame in client.frames)
        raise CaughtUpWrong(f"expected {wanted} messages within {_PATIENCE:.0f} s, got {got}") from None
    finally:
        client.close()
    return Missed(client.done - client.asked, client.frames)


def check(missed: Missed, since: Place, senders: Sequence[Member]) -> None:
    """Every message came once, each sender's in its order, at growing offsets above the place. Raises CaughtUpWrong."""
    offsets = [int(found) for frame in missed.frames for found in _OFFSET.findall(frame)]
    if any(one >= other for one, other in zip((since.offset, *offsets), offsets, strict=False)):
        raise CaughtUpWrong(f"expected offsets that grow from {since.offset}, got {offsets[:5]} ...")
    numbers: dict[int, list[int]] = {sender.number: [] for sender in senders}
    for frame in missed.frames:
        for sender, number in MARK.findall(frame):
            numbers[int(sender)].append(int(number))
    for sender in senders:
        if numbers[sender.number] != list(range(1, sender.sent + 1)):
            raise CaughtUpWrong(
                f"expected 1 to {sender.sent} of sender {sender.number}, got {len(numbers[sender.number])} messages, "
                f"beginning with {numbers[sender.number][:5]}"
            )


class Bare(asyncio.Protocol):
    """A server that answers a connect command with frames it has at hand: what client and socket take by themselves.

    It serves every path, and looks at nothing that it gets.
    """

    def __init__(self, frames: Sequence[bytes]) -> None:
        welcome = b'{"id":1,"connect":{}}'
        self._answer = b"".join(b"\x81" + _length(len(frame)) + frame for frame in (welcome, *frames))
        self._upgraded = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if not self._upgraded:
            self._upgraded = True
            self._transport.write(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
            )
        elif self._answer:
            self._transport.write(self._answer)
            self._answer = b""


def _length(size: int) -> bytes:
    """RFC 6455 5.2."""
    if size < 126:
        return size.to_bytes(1)
    return b"\x7e" + size.to_bytes(2) if size < 65536 else b"\x7f" + size.to_bytes(8)
