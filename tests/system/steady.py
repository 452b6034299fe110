"""A steady load of sends and reads on a running installation, and what nobody may ever notice of an operator's work."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.client import Person, Socket, World
from tests.running import PATIENCE, until, working

#: Seconds between two requests of one person: a load that leaves the machine time for the operator's work.
PACE = 0.02
#: Reads, by turns: operation and the fields that it takes besides the room.
READS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("messages.read", {"limit": 20}),
    ("rooms.get", {}),
    ("members.list", {}),
    ("sync.get", {}),
)


class Steady:
    """Senders and readers, one request after the other each. Any refusal ends the test: 5xx among them."""

    def __init__(self, world: World, people: list[Person], room: str) -> None:
        self.sent: list[tuple[int, str]] = []
        #: Seconds that each read took.
        self.reads: list[float] = []
        self.sockets: list[Socket] = []
        self._world = world
        self._people = people
        self._room = room
        self._going = True

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Half of the people send, half read; all listen."""
        self.sockets = [await self._world.socket(person.token) for person in self._people]
        half = len(self._people) // 2
        senders, readers = map(self._send, self._people[:half]), map(self._read, self._people[half:])
        async with working(self._enough, PATIENCE, *senders, *readers):
            yield

    def _enough(self) -> None:
        self._going = False

    async def _send(self, person: Person) -> None:
        while self._going:
            message = await person.say(self._room)
            self.sent.append((message["seq"], message["id"]))
            await asyncio.sleep(PACE)

    async def _read(self, person: Person) -> None:
        for name, fields in itertools.cycle(READS):
            if not self._going:
                return
            room = {} if name == "sync.get" else {"room": self._room}
            seen = len(self.sent)
            started = time.perf_counter()
            answer = await person.do(name, **room, **fields)
            self.reads.append(time.perf_counter() - started)
            if name == "messages.read":
                # The client has seen the position of each send: what was acknowledged is there.
                assert seen == 0 or answer["messages"][-1]["seq"] >= seen, (seen, answer["messages"][-1])
            await asyncio.sleep(PACE)

    async def check(self, person: Person) -> None:
        """Every message is there once, and every listener received it once."""
        expected = sorted(self.sent)
        assert [seq for seq, _ in expected] == list(range(1, len(expected) + 1))
        stored: list[tuple[int, str]] = []
        while len(stored) < len(expected):
            page = await person.do("messages.read", room=self._room, after=len(stored), limit=100)
            stored += [(message["seq"], message["id"]) for message in page["messages"]]
        assert stored == expected
        for socket in self.sockets:

            async def all_came(socket: Socket = socket) -> bool:
                return len(_posted(socket)) >= len(expected)

            await until(all_came, "every message is heard of")
            assert _posted(socket) == expected


def _posted(socket: Socket) -> list[tuple[int, str]]:
    """The messages that a listener received, in order."""
    return [
        (delta["data"]["seq"], delta["data"]["message"]) for delta in socket.pushed if delta["type"] == "message.posted"
    ]
