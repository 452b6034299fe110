"""People in rooms who send and receive: marks in texts, what each has received, and the check that none is missing."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from time import perf_counter
from typing import NamedTuple

from tests.bench.system import Person, Sender, System, Way, Wrong

#: What makes a text's frame recognisable undecoded: its sender and number between signs that nothing else has.
MARK = re.compile(rb"~(\d+)\.(\d+)~")
#: As long as lines in the #ubuntu logs (58 characters with the mark), and as many with an emotion (29 %), since one
#: that the emotion worker finds is another event.
_LINES = (
    "who knows which kernel module this wifi card needs here",
    "did you look at what dmesg prints when you plug it in",
    "try it again with the package that is in backports",
    "thanks, that was it: it works after the last upgrade",
    "no idea, mine says the same since I moved to 24.04",
    "the second disk is gone again, and I lost all my files",
    "put it on a pastebin, nobody reads that much in here",
    "what does the log say when you run it from a terminal",
    "good morning, I am happy that somebody is awake at all",
    "it hangs at boot, the last line is about the usb hub",
)
#: Connections that are opened at once.
_AT_ONCE = 100


#: A delta that brings the last message of the room with it.
_JOINED = b'"type":"member.joined"'


class NotDelivered(Wrong):
    """A receiver missed messages, got them twice or in another order; the text says who and which."""


def text(sender: int, number: int) -> str:
    """A message's text, with its mark."""
    return f"~{sender}.{number}~ {_LINES[(sender + number) % len(_LINES)]}"


def marks(payload: bytes) -> list[tuple[bytes, bytes]]:
    """Sender and number of each message that a frame delivers."""
    if _JOINED in payload:
        payload = b"\n".join(line for line in payload.split(b"\n") if _JOINED not in line)
    return MARK.findall(payload)


class Heard(NamedTuple):
    """One message that a receiver has got."""

    at: float
    sender: int
    number: int


class Member:
    """Somebody in one room: what they received, and a way to send."""

    def __init__(self, number: int, person: Person, room: str) -> None:
        self.number = number
        self.person = person
        self.room = room
        self.heard: list[Heard] = []
        self.sent = 0
        self.connection: Sender
        self.sender: Sender

    def hear(self, payload: bytes) -> None:
        """See system.System.connect."""
        now = perf_counter()
        for sender, number in marks(payload):
            self.heard.append(Heard(now, int(sender), int(number)))

    def text(self) -> str:
        """The next text of this sender."""
        self.sent += 1
        return text(self.number, self.sent)

    @property
    def sockets(self) -> set[Sender]:
        return {self.connection, self.sender}


class Crowd:
    """Connected members of rooms, each of whom receives everything that is said in their room."""

    def __init__(self, members: Sequence[Member]) -> None:
        self.members = list(members)
        self.rooms: dict[str, list[Member]] = {}
        for member in members:
            self.rooms.setdefault(member.room, []).append(member)

    @classmethod
    async def gathered(cls, system: System, sizes: Sequence[int], way: Way = "rpc") -> Crowd:
        """New people in new rooms of these sizes, all connected; ``way`` is how they send."""
        people = iter(await system.people(sum(sizes)))
        groups = [[next(people) for _ in range(size)] for size in sizes]
        rooms = await asyncio.gather(*(system.room(group) for group in groups))
        pairs = [(person, room) for group, room in zip(groups, rooms, strict=True) for person in group]
        crowd = cls([Member(number, person, room) for number, (person, room) in enumerate(pairs)])
        slots = asyncio.Semaphore(_AT_ONCE)
        await system.settled()
        await asyncio.gather(*(crowd._connect(system, member, way, slots) for member in crowd.members))
        return crowd

    async def _connect(self, system: System, member: Member, way: Way, slots: asyncio.Semaphore) -> None:
        async with slots:
            member.connection = await system.connect(member.person, member.hear)
            member.sender = member.connection if way == "rpc" else await system.poster(member.person)

    async def complete(self, seconds: float = 60.0) -> None:
        """Waits until everybody has received as much as was sent in their room. Raises NotDelivered."""
        deadline = perf_counter() + seconds
        while missing := self._missing():
            if perf_counter() > deadline:
                raise NotDelivered(f"after {seconds:.0f} s: {'; '.join(missing[:3])} ({len(missing)} receivers)")
            await asyncio.sleep(0.02)

    def _missing(self) -> list[str]:
        found = []
        for room, members in self.rooms.items():
            wanted = sum(member.sent for member in members)
            found += [
                f"room {room}: expected {wanted} messages at member {member.number}, got {len(member.heard)}"
                for member in members
                if len(member.heard) < wanted
            ]
        return found

    def check(self, *, ordered: bool = True) -> None:
        """Everybody got every message of their room exactly once, those of each sender in order; if ``ordered``, all
        of a room received all in the same order. Raises NotDelivered."""
        for room, members in self.rooms.items():
            orders = [[(heard.sender, heard.number) for heard in member.heard] for member in members]
            for member, order in zip(members, orders, strict=True):
                if ordered and order != orders[0]:
                    raise NotDelivered(
                        f"room {room}: members {members[0].number} and {member.number} expected the same messages in "
                        f"the same order, got {_difference(orders[0], order)}"
                    )
                _check_senders(room, member, order, members)

    def forget(self) -> None:
        """Starts again: nothing was sent, nothing received, no byte counted."""
        for member in self.members:
            member.heard.clear()
            member.sent = 0

    def bytes(self) -> int:
        """What all sockets have taken and given so far."""
        return sum(one.bytes_in + one.bytes_out for member in self.members for one in member.sockets)

    def close(self) -> None:
        """Everybody leaves without a word."""
        for member in self.members:
            for socket in member.sockets:
                socket.close()


def _check_senders(room: str, receiver: Member, order: Sequence[tuple[int, int]], senders: Sequence[Member]) -> None:
    numbers: dict[int, list[int]] = {member.number: [] for member in senders}
    for sender, number in order:
        numbers.setdefault(sender, []).append(number)
    for member in senders:
        if numbers.pop(member.number) != (wanted := list(range(1, member.sent + 1))):
            raise NotDelivered(
                f"room {room}: expected 1 to {len(wanted)} of sender {member.number} in order at member "
                f"{receiver.number}, got {[number for sender, number in order if sender == member.number][:20]}"
            )
    if numbers:
        raise NotDelivered(f"room {room}: member {receiver.number} heard senders of other rooms: {[*numbers][:5]}")


def _difference(first: list[tuple[int, int]], second: list[tuple[int, int]]) -> str:
    for place, (one, other) in enumerate(zip(first, second, strict=False)):
        if one != other:
            return f"{one} and {other} at place {place}"
    return f"{len(first)} and {len(second)} messages"
