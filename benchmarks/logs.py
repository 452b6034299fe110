"""Logs of a given size, written as the producers would: who talks in rooms, edits, reads, joins."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random

from events import REGISTRY
from events.clock import from_datetime, uuid7
from events.members import MemberJoined, MemberRead
from events.messages import MessageEdited, MessagePosted
from events.positions import Shard
from events.records import Event
from events.rooms import RoomCreated
from events.users import UserRegistered
from infra.settings import Settings
from producers.log import LogProducer, ShardLog
from producers.router import partition_of

#: People, rooms, and members of a room at the beginning.
USERS, ROOMS, MEMBERS = 1000, 50, 60
#: When it begins, and milliseconds between two events: a month has some millions of them.
_BEGIN, _STEP = 1_735_689_600_000, 500
_TEXT = (
    "the quick brown fox jumps over a lazy dog while somebody asks how to install this kernel module without sudo "
    "and nobody knows why wifi drivers fail after each upgrade thanks anyway it works now try again maybe tomorrow"
)
_WORDS = _TEXT.split()


class Log:
    """The records of each shard, in order."""

    def __init__(self, settings: Settings, random: Random) -> None:
        self.records: dict[Shard, list[tuple[bytes, bytes]]] = {}
        self.count = 0
        self._settings = settings
        self._random = random
        self._seqs: dict[str, int] = {}
        self._latest: list[tuple[str, str, str]] = []

    def id(self) -> str:
        """A UUIDv7 of the log's own time."""
        return uuid7(_BEGIN + self.count * _STEP)

    def add(self, topic: str, stream: str, actor: str, event: Event) -> None:
        """An event, some time after the one before."""
        self.count += 1
        moment = datetime.fromtimestamp((_BEGIN + self.count * _STEP) / 1000, UTC)
        id = self.id()
        value = REGISTRY.encode(
            event, id=f"{id}.0", source=f"klatsch/{self._settings.prefix}", stream=stream, time=from_datetime(moment),
            actor=actor, command=id,
        )  # fmt: skip
        shard = Shard(topic, partition_of(stream, self._settings.partitions))
        self.records.setdefault(shard, []).append((stream.encode(), value))

    def text(self) -> dict[str, str]:
        """Three to fifteen words."""
        return {"text": " ".join(self._random.choices(_WORDS, k=self._random.randint(3, 15)))}

    def happen(self, room: str, user: str) -> None:
        """Something in a room: of twenty events 16 messages, two reads, an edit, a join."""
        kind = self._random.randrange(20)
        if kind < 16 or not self._latest:
            seq = self._seqs[room] = self._seqs.get(room, 0) + 1
            message = self.id()
            self._latest = [*self._latest[-999:], (room, user, message)]
            self.add("rooms", room, user, MessagePosted(
                message=message, seq=seq, token=message[-12:], type="text", content=self.text(), data={},
            ))  # fmt: skip
        elif kind < 18:
            self.add("rooms", room, user, MemberRead(user=user, seq=self._seqs.get(room, 0)))
        elif kind < 19:
            room, user, message = self._random.choice(self._latest)
            self.add("rooms", room, user, MessageEdited(message=message, content=self.text(), data={}))
        else:
            self.add("rooms", room, user, MemberJoined(user=user, role="member"))


async def write(settings: Settings, events: int, random: Random) -> None:
    """Appends so many events to the installation's empty topics."""
    log = Log(settings, random)
    users = [f"{random.getrandbits(128):032x}" for _ in range(USERS)]
    rooms = [f"room-{number}" for number in range(ROOMS)]
    for user in users:
        event = UserRegistered(username=user[:12], name=user[:12], role="person", credential=None, data={})
        log.add("users", user, user, event)
    for room in rooms:
        log.add("rooms", room, users[0], RoomCreated(type="group", visibility="public", name=room, data={}))
        for user in random.sample(users, MEMBERS):
            log.add("rooms", room, user, MemberJoined(user=user, role="member"))
    while log.count < events:
        log.happen(random.choice(rooms), random.choice(users))
    producer = LogProducer(settings)
    try:
        for shard, records in log.records.items():
            writer = ShardLog(producer, settings.topic(shard.topic), shard.partition, "benchmark")
            await writer.open()
            for start in range(0, len(records), 1000):
                await writer.append(records[start : start + 1000])
    finally:
        await producer.stop()
