"""What is in a log of a given size: who talks in rooms, edits, reads, joins. The same each time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from functools import cache
from itertools import accumulate, cycle
from pathlib import Path
from random import Random
from typing import NamedTuple

from events.core.records import Event
from events.members import MemberJoined, MemberRead, Role
from events.messages import MessageEdited, MessagePosted
from events.rooms import RoomCreated
from events.users import UserRegistered
from infra.ops.irc import logs as irc
from infra.ops.irc import rooms as rooms_of_logs
from infra.ops.irc.lines import Spoken, clean

#: When it begins, and milliseconds between two events: a month has some millions of them.
_BEGIN, _STEP = 1_735_689_600_000, 500
#: Words of the generated language, and characters that a message may have.
_WORDS, _LENGTH = 20_000, 2000


class Shape(NamedTuple):
    """What there is before anybody talks. Of a log made of IRC, people and members come with what they say."""

    users: int = 1000
    rooms: int = 250
    #: Members of a room.
    members: int = 60
    #: Members of the first rooms, where those are to have others: the first so many users.
    crowds: tuple[int, ...] = ()
    #: Rooms that the first user is in.
    reader: int = 200
    #: A folder of IRC logs whose lines are said, over and over, instead of what is made up.
    irc: Path | None = None


class Happening(NamedTuple):
    """An event that is to stand in the log. ``at``: Unix milliseconds."""

    topic: str
    stream: str
    actor: str
    event: Event
    id: str
    at: int


class Saying(NamedTuple):
    """Who says what where."""

    room: str
    author: str
    type: str
    text: str


class Story:
    """Goes on as long as it is asked: first ``beginning``, then ``going_on`` as often as wanted."""

    def __init__(self, shape: Shape, seed: int = 1) -> None:
        self.shape = shape
        self.random = Random(seed)
        #: Number of each event, and of the messages among them.
        self.count = self.messages = 0
        #: Users and rooms, in the order in which they come.
        self.users: list[str] = []
        self.rooms: list[str] = []
        #: Sequence number of each room's last message.
        self.seqs: dict[str, int] = {}
        #: Members of each room, in the order in which they came.
        self.members: dict[str, list[str]] = {}
        self._inside: set[tuple[str, str]] = set()
        #: Room, author and id of the last messages.
        self._latest: deque[tuple[str, str, str]] = deque(maxlen=1000)
        self._said = _said(shape.irc, shape.rooms) if shape.irc is not None else self._made_up()
        self._ids: dict[str, str] = {}

    def id(self, bits: int = 74) -> str:
        """A UUIDv7 of the log's own time; with 128 bits a UUIDv4."""
        value = self.random.getrandbits(bits)
        if bits == 74:
            value = (_BEGIN + self.count * _STEP) << 80 | 7 << 76 | (value >> 62) << 64 | value & (1 << 62) - 1
        else:
            value = value & ~(0xF << 76) | 4 << 76
        text = f"{value & ~(3 << 62) | 2 << 62:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def beginning(self) -> Iterator[Happening]:
        """Users register, rooms are made, and people join. A log of IRC begins with its first line."""
        shape = self.shape
        if shape.irc is not None:
            return
        for number in range(max(shape.users, shape.members + 1, *shape.crowds)):
            yield self._registered(f"user-{number}")
        for number in range(shape.rooms):
            found = self.random.sample(self.users, shape.members)
            if number < len(shape.crowds):
                found = self.users[: shape.crowds[number]]
            if number < shape.reader and self.users[0] not in found:
                found[0] = self.users[0]
            yield from self._made(f"room-{number}", found[0])
            for user in found[1:]:
                yield self._joined(f"room-{number}", user)

    def going_on(self, messages: int) -> Iterator[Happening]:
        """So many messages more; after 16 of them, on the average, two reads, an edit and a join."""
        until = self.messages + messages
        while self.messages < until:
            kind = self.random.randrange(20)
            if kind < 16 or not self._latest:
                yield from self._say(next(self._said))
            elif kind < 18:
                room, user, _ = self.random.choice(self._latest)
                yield self._happens("rooms", room, user, MemberRead(user=user, seq=self.seqs[room]))
            elif kind < 19:
                room, user, message = self.random.choice(self._latest)
                content = {"text": self.sentence()}
                yield self._happens("rooms", room, user, MessageEdited(message=message, content=content, data={}))
            else:
                room, user = self.random.choice(self.rooms), self.random.choice(self.users)
                if (room, user) not in self._inside:
                    yield self._joined(room, user)

    def sentence(self) -> str:
        """Three to fifteen words, the n-th most common one with a frequency of about 1/n."""
        words, weights = _language()
        return " ".join(self.random.choices(words, cum_weights=weights, k=self.random.randint(3, 15)))

    def _made_up(self) -> Iterator[Saying]:
        """Half of what is said is said in a seventh of the rooms."""
        weights = list(accumulate(1 / (number + 1) for number in range(len(self.rooms))))
        while True:
            (room,) = self.random.choices(self.rooms, cum_weights=weights)
            yield Saying(room, self.random.choice(self.members[room]), "text", self.sentence())

    def _say(self, saying: Saying) -> Iterator[Happening]:
        room, author = saying.room, saying.author
        if self.shape.irc is not None:
            if author not in self._ids:
                yield self._registered(author)
            author = self._ids[author]
            if room not in self.members:
                yield from self._made(room, author)
            elif (room, author) not in self._inside:
                yield self._joined(room, author)
        self.messages += 1
        seq = self.seqs[room] = self.seqs.get(room, 0) + 1
        message = self.id()
        self._latest.append((room, author, message))
        yield self._happens("rooms", room, author, MessagePosted(
            message=message, seq=seq, token=message[-12:], type=saying.type, content={"text": saying.text}, data={},
        ))  # fmt: skip

    def _registered(self, name: str) -> Happening:
        user = self._ids[name] = self.id(bits=128)
        self.users.append(user)
        event = UserRegistered(username=f"user-{len(self.users)}", name=name, role="person", credential=None, data={})
        return self._happens("users", user, user, event)

    def _made(self, room: str, owner: str) -> Iterator[Happening]:
        self.rooms.append(room)
        self.members[room] = []
        event = RoomCreated(type="group", visibility="public", name=room, data={}, settings={"announcements": False})
        yield self._happens("rooms", room, owner, event)
        yield self._joined(room, owner, "owner")
        if self.shape.irc is not None and len(self.rooms) <= self.shape.reader and owner != self.users[0]:
            yield self._joined(room, self.users[0])

    def _joined(self, room: str, user: str, role: Role = "member") -> Happening:
        self.members[room].append(user)
        self._inside.add((room, user))
        return self._happens("rooms", room, user, MemberJoined(user=user, role=role))

    def _happens(self, topic: str, stream: str, actor: str, event: Event) -> Happening:
        self.count += 1
        return Happening(topic, stream, actor, event, self.id(), _BEGIN + self.count * _STEP)


@cache
def _language() -> tuple[list[str], list[float]]:
    """Words, and their cumulated frequencies."""
    random = Random("words")
    words: dict[str, None] = {}
    while len(words) < _WORDS:
        syllables = random.choices([one + other for one in "bdfghklmnprstvz" for other in "aeiou"], k=4)
        words["".join(syllables[: random.randint(2, 4)])] = None
    return list(words), list(accumulate(1 / (number + 3) for number in range(_WORDS)))


def word(number: int) -> str:
    """The n-th most common word of what is made up, from 0."""
    return _language()[0][number]


def _said(folder: Path, rooms: int) -> Iterator[Saying]:
    """The lines of a folder of IRC logs, over and over, each file in the next room. Raises BadLog."""
    logs = [log for of_channel in rooms_of_logs.sort([folder]).rooms.values() for log in of_channel]
    talks = [
        [
            (line.what, text)
            for part in irc.parts(log, irc.latest())
            for line in part.lines
            if isinstance(line.what, Spoken) and (text := _cleaned(line.what))
        ]
        for log in logs
    ]
    if not any(talks):
        raise irc.BadLog(f"expected lines that somebody said in the logs of {folder}, found none")
    for number, talk in enumerate(cycle(talks)):
        for said, text in talk:
            yield Saying(f"irc-{number % rooms}", said.nick, said.type, text)


def _cleaned(said: Spoken) -> str:
    return clean(said.text).strip()[:_LENGTH]
