"""A delivery that is missing, doubled or out of order fails a run; the server is the floor's, with a fault."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.bench.load import Crowd, Heard, Member, NotDelivered, marks, text
from tests.bench.scenarios.fanout import Room
from tests.bench.system import Person
from tests.bench.systems.bare import Connection, Rooms
from tests.bench.systems.floor import Sockets

Deliver = Callable[[Rooms, str, bytes], None]


class Faulty(Rooms):
    """Does ``fault`` to the fifth message, delivers others."""

    def __init__(self, fault: Deliver) -> None:
        super().__init__()
        self._count = itertools.count(1)
        self._fault = fault

    def deliver(self, room: str, delta: bytes) -> None:
        if next(self._count) == 5:
            self._fault(self, room, delta)
        else:
            Rooms.deliver(self, room, delta)


def as_it_should(rooms: Rooms, room: str, delta: bytes) -> None:
    Rooms.deliver(rooms, room, delta)


def twice(rooms: Rooms, room: str, delta: bytes) -> None:
    Rooms.deliver(rooms, room, delta)
    Rooms.deliver(rooms, room, delta)


def late(rooms: Rooms, room: str, delta: bytes) -> None:
    asyncio.get_running_loop().call_later(0.2, Rooms.deliver, rooms, room, delta)


def not_to_the_last(rooms: Rooms, room: str, delta: bytes) -> None:
    kept = rooms.members[room]
    rooms.members[room] = kept[:-1]
    Rooms.deliver(rooms, room, delta)
    rooms.members[room] = kept


@asynccontextmanager
async def serving(fault: Deliver, folder: Path) -> AsyncIterator[Sockets]:
    """The floor's server in this process."""
    rooms = Faulty(fault)
    server = await asyncio.get_running_loop().create_server(lambda: Connection(rooms, None), "127.0.0.1", 0)
    system = Sockets(folder)
    system.port = server.sockets[0].getsockname()[1]
    try:
        yield system
    finally:
        server.close()


async def _send(crowd: Crowd, count: int) -> None:
    sender = crowd.members[0]
    for _ in range(count):
        sender.sender.send(sender.room, sender.text())
    await crowd.complete(2.0)
    crowd.check()


@pytest.mark.long
@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (as_it_should, None),
        (twice, "expected 1 to 8 of sender 0"),
        (late, "expected 1 to 8 of sender 0"),
        (not_to_the_last, "expected 8 messages at member 2, got 7"),
    ],
)
async def test_deliveries_to_a_crowd_are_checked(fault: Deliver, says: str | None, tmp_path: Path) -> None:
    async with serving(fault, tmp_path) as system:
        crowd = await Crowd.gathered(system, [3, 2])
        try:
            if says is None:
                await _send(crowd, 8)
                assert [len(member.heard) for member in crowd.members] == [8, 8, 8, 0, 0]
            else:
                with pytest.raises(NotDelivered, match=says):
                    await _send(crowd, 8)
        finally:
            crowd.close()


@pytest.mark.long
@pytest.mark.parametrize(
    ("fault", "says"),
    [(as_it_should, None), (twice, "expected message 6, got 5"), (late, "expected message 5, got 6")],
)
async def test_deliveries_to_a_large_room_are_checked(fault: Deliver, says: str | None, tmp_path: Path) -> None:
    async with serving(fault, tmp_path) as system:
        room = Room(system, 20)
        try:
            await room.gather()
            if says is None:
                sent = await room.saturated(0.05)
                room.check()
                assert sent.messages == sent.last.count > 0
            else:
                with pytest.raises(NotDelivered, match=says):
                    await room.saturated(0.5)
        finally:
            room.close()


def _crowd(*orders: list[tuple[int, int]], sent: int) -> Crowd:
    """Members of one room, who have received (sender, number); each has sent so many."""
    members = [Member(number, Person("", ""), "room") for number in range(len(orders))]
    for member, order in zip(members, orders, strict=True):
        member.sent = sent
        member.heard = [Heard(0.0, *one) for one in order]
    return Crowd(members)


def test_members_hear_the_same_order_where_a_system_promises_one() -> None:
    crowd = _crowd([(0, 1), (1, 1)], [(1, 1), (0, 1)], sent=1)
    crowd.check(ordered=False)
    with pytest.raises(NotDelivered, match=r"\(0, 1\) and \(1, 1\) at place 0"):
        crowd.check()


def test_strangers_are_heard_of_nowhere() -> None:
    with pytest.raises(NotDelivered, match=r"heard senders of other rooms: \[7\]"):
        _crowd([(0, 1), (7, 1)], sent=1).check()


def test_marks_are_those_of_messages() -> None:
    joined = b'{"push":{"pub":{"data":{"type":"member.joined","include":{"message":"~1.1~"}}}}}'
    posted = b'{"push":{"pub":{"data":{"type":"message.posted","text":"%s"}}}}'
    both = [posted % text(3, number).encode() for number in (4, 5)]
    assert marks(b"\n".join([both[0], joined, both[1]])) == [(b"3", b"4"), (b"3", b"5")]
