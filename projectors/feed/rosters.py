"""Who is in a room, in memory: loaded as of an event, then kept up by the events that follow."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

from events.core.positions import Shard
from events.core.records import Record
from events.members import MemberJoined, MemberLeft
from infra.base.postgres import Connection, queries
from infra.base.progress import READ_MODELS
from projectors.audience.recipients import Recipients
from projectors.core.source import entry_of

#: Members that all rosters together may hold between turns: some 100 MB.
MEMBERS = 500_000


class Rosters:
    """The rooms' members as of the last event that was applied; valid for a reader that never goes back.

    A roster may be dropped at any time between turns: it is loaded again as of the event that needs it, however far
    ahead the read model is, from present members and from stays that are over.
    """

    def __init__(self, partitions: int, limit: int = MEMBERS) -> None:
        """``partitions`` is the feed's partition count, ``limit`` the members held between turns."""
        self._partitions = partitions
        self._limit = limit
        self._rooms: OrderedDict[str, Recipients] = OrderedDict()
        #: Members in all of them, and one for each room: an empty one takes memory too.
        self._held = 0

    def __contains__(self, room: str) -> bool:
        return room in self._rooms

    def members(self, room: str) -> Recipients:
        """The members now. Raises KeyError when not loaded."""
        self._rooms.move_to_end(room)
        return self._rooms[room]

    async def load(self, connection: Connection, rooms: Mapping[str, int]) -> None:
        """Loads rooms as they were just before an offset of their shard; the read model must have reached it."""
        sql, names, offsets = queries("projectors"), list(rooms), list(rooms.values())
        rosters = {room: Recipients((), self._partitions, room) for room in rooms}
        # One snapshot for both: a redrive moves events from the one to the other.
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            rows = await connection.fetch(sql["rosters"], names, offsets)
            parked = await connection.fetch(sql["parked_members"], READ_MODELS, names, offsets)
        for row in rows:
            rosters[row["room"]].add(row["user"])
        for row in parked:
            shard = Shard(row["topic"], row["partition"])
            record = entry_of(shard, row["offset"], row["stream"].encode(), row["value"]).record
            if record is not None:
                _apply(rosters[row["stream"]], record)
        for room, members in rosters.items():
            self._drop(room)
            self._rooms[room] = members
            self._held += len(members) + 1

    def apply(self, record: Record) -> None:
        """Takes the record into account, after it has been told of. Rooms that are not loaded need nothing."""
        members = self._rooms.get(record.stream)
        if members is not None:
            before = len(members)
            _apply(members, record)
            self._held += len(members) - before

    def trim(self) -> None:
        """Drops the rooms that were used longest ago, down to the limit. Between turns only."""
        while self._held > self._limit and len(self._rooms) > 1:
            self._drop(next(iter(self._rooms)))

    def _drop(self, room: str) -> None:
        members = self._rooms.pop(room, None)
        if members is not None:
            self._held -= len(members) + 1


def _apply(members: Recipients, record: Record) -> None:
    if isinstance(record.data, MemberJoined):
        members.add(record.data.user)
    elif isinstance(record.data, MemberLeft):
        members.discard(record.data.user)
