"""The course of one room: where its events stand, and states from which that after any event is a short fold away."""

from __future__ import annotations

import asyncio
from array import array
from bisect import bisect_right
from datetime import timedelta

from api.support.problems import Problem
from events.core.clock import MOMENT_WORDS, from_datetime, time_of, to_datetime
from events.core.faults import quoted, wrong
from events.core.positions import Shard
from events.core.records import Record
from events.messages import Message
from events.rooms import Room, room_key
from infra.base.postgres import Connection
from projectors.as_of import folding
from projectors.as_of.folding import Past

#: Latest messages of a state.
MESSAGES = 200
#: States that are kept of one room, and entities in all of them together.
_MARKS, _KEPT = 32, 200_000
_EPOCH = to_datetime("1970-01-01T00:00:00.000Z")


class RoomTimeline:
    """All that happened in a room.

    Of messages only the latest MESSAGES are kept in a state. That changes nothing else: what happens to a message
    changes only it, and nothing when it is not there.
    """

    def __init__(self, shard: Shard, room: str) -> None:
        self.shard = shard
        self.room = room
        self.lock = asyncio.Lock()
        #: Offset and time (Unix milliseconds) of each event.
        self.offsets, self.times = array("q"), array("q")
        self._head: Past = {}
        #: By number of events: the state after them. The first is before all events.
        self._marks: list[tuple[int, Past]] = [(0, {})]
        self._stride = folding.CHUNK

    async def follow(self, connection: Connection) -> None:
        """Takes in what has happened since."""
        after = self.offsets[-1] if self.offsets else -1
        async for records in folding.events(connection, self.shard, self.room, after=after):
            self._fold(self._head, records)
            self.offsets.extend(record.offset for record in records)
            self.times.extend(int(to_datetime(record.time).timestamp() * 1000) for record in records)
            if len(self.offsets) - self._marks[-1][0] >= self._stride:
                self._mark()

    async def state(self, connection: Connection, number: int) -> tuple[Past, Record]:
        """The entities after ``number`` events, and the last of these."""
        place = bisect_right(self._marks, number - 1, key=lambda mark: mark[0]) - 1
        begin, found = self._marks[place]
        state, last = dict(found), None
        after, upto = self.offsets[begin - 1] if begin else -1, self.offsets[number - 1]
        async for records in folding.events(connection, self.shard, self.room, after=after, upto=upto):
            self._fold(state, records)
            last = records[-1]
        if last is None:
            raise Problem("unavailable", "the read models are being rebuilt; try again", retry_after=2)
        return state, last

    def number(self, at: str | None, number: int | None, end: int) -> int:
        """How many events an offset or a time, or a number, means; ``end`` is the shard's next offset.

        Raises Problem ``invalid``.
        """
        count = len(self.offsets)
        if number is not None:
            if at is not None:
                errors = [wrong(f"/{name}", "either at or number", "both") for name in ("at", "number")]
                raise Problem("invalid", "expected either at or number, got both", errors=errors)
            if number > count:
                raise Problem("invalid", errors=[wrong("/number", f"1 to {count}", f"{number}")])
            return number
        if at is None:
            return count
        found = self._at_offset(at, end) if at.isascii() and at.isdigit() else self._at_time(at)
        if found == 0:
            first = from_milliseconds(self.times[0])
            what = f"{self.offsets[0]} or {first}, when the room was made, or later"
            raise Problem("invalid", errors=[wrong("/at", what, quoted(at))])
        return found

    def _at_offset(self, text: str, end: int) -> int:
        if int(text) >= max(end, self.offsets[-1] + 1):
            what = f"an offset of {self.shard} below {end}, the end"
            raise Problem("invalid", errors=[wrong("/at", what, quoted(text))])
        return bisect_right(self.offsets, int(text))

    def _at_time(self, text: str) -> int:
        try:
            moment = int(to_datetime(time_of(text)).timestamp() * 1000)
        except (ValueError, OverflowError) as error:
            what = f"an offset or {MOMENT_WORDS}"
            raise Problem("invalid", errors=[wrong("/at", what, quoted(text))]) from error
        # Imported events carry times of long ago: up to the last one, in the order of the log, that had happened.
        return next((n for n in range(len(self.times), 0, -1) if self.times[n - 1] <= moment), 0)

    def _fold(self, state: Past, records: list[Record]) -> None:
        folding.fold(state, records)
        room = state.get(room_key(self.room))
        first = room.seq - MESSAGES if isinstance(room, Room) else 0
        for key, entity in list(state.items()):
            if key[0] == "revision" or (isinstance(entity, Message) and entity.seq <= first):
                del state[key]

    def _mark(self) -> None:
        self._marks.append((len(self.offsets), dict(self._head)))
        if len(self._marks) > max(2, min(_MARKS, _KEPT // (len(self._head) + 1))):
            self._marks = self._marks[::2]
            self._stride *= 2


def from_milliseconds(milliseconds: int) -> str:
    """Unix milliseconds as Time."""
    return from_datetime(_EPOCH + timedelta(milliseconds=milliseconds))
