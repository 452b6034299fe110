"""Deltas as they travel through a push node: read from the feed, kept in a ring, handed to subscriptions. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import msgspec

from events.core.feed import ITEMS, FeedItem, cursor, decode_record, split_cursor
from events.core.log import TermFilter
from events.core.positions import BadPosition, Position, Shard, Vector, parse_position
from events.rooms import SETTERS
from push.protocol.lines import one_line


class RoomChange(NamedTuple):
    """Somebody joined or left a room."""

    user: str
    room: str
    joined: bool
    #: How many are in the room, where the delta has it: in the one for the user who joins.
    members: int | None = None
    #: Of who joins: whether by their own choice.
    willing: bool = True


class Posted(NamedTuple):
    """Somebody posted a message."""

    user: str
    room: str


class Marked(NamedTuple):
    """Somebody has read a room."""

    user: str
    room: str


class Related(NamedTuple):
    """Somebody blocks somebody else, or does not."""

    user: str
    other: str
    blocked: bool


class Shut(NamedTuple):
    """A room was deleted, or brought back."""

    room: str
    shut: bool


#: What a delta means to the node itself.
News = RoomChange | Posted | Marked | Related | Shut

#: Types of deltas that hold something of a message or a room, in their payload or in what comes along.
HOLDING = frozenset({
    "message.posted", "message.edited", "message.emotion_detected", "message.restored", "member.joined",
    "member.invited", "member.custom_changed", "room.created", "room.restored", *(row.name for row in SETTERS),
})  # fmt: skip


class FeedDelta:
    """One delta, encoded once for all its recipients."""

    __slots__ = ("at", "body", "cursor", "holds", "news", "size")

    def __init__(self, cursor: int, delta: bytes, at: int = -1, news: News | None = None, holds: bool = False) -> None:
        #: The wire offset.
        self.cursor = cursor
        #: The event's offset in its shard.
        self.at = at
        #: What this node itself must know of it.
        self.news = news
        #: Whether it is of a type that holds something of a message or a room: see ``withheld``.
        self.holds = holds
        delta = one_line(delta)
        self.size = len(delta)
        #: The delta and the rest of the push object that carries it: see ``frames.publication_prefix``.
        self.body = b'%s,"offset":%d}}}' % (delta, cursor)

    @property
    def delta(self) -> bytes:
        """The delta's JSON, without line ends."""
        return self.body[: self.size]


def first_needed(position: int) -> int:
    """The first feed offset that may hold an item above the cursor ``position``."""
    offset, index = split_cursor(position)
    return max(0, offset + (index == ITEMS - 1))


class _DeltaHead(msgspec.Struct):
    """The fields of a delta that this side reads."""

    position: str
    type: str = ""
    stream: str = ""
    actor: str = ""
    data: msgspec.Raw = msgspec.Raw(b"{}")
    include: msgspec.Raw = msgspec.Raw(b"{}")


class _Room(msgspec.Struct):
    members: int


class _IncludedRooms(msgspec.Struct):
    room: _Room | None = None


class _Member(msgspec.Struct):
    user: str
    willing: bool = True


class _Relationship(msgspec.Struct):
    other: str
    type: str | None = None


_head = msgspec.json.Decoder(_DeltaHead)
_member = msgspec.json.Decoder(_Member)
_include = msgspec.json.Decoder(_IncludedRooms | None)
_relationship = msgspec.json.Decoder(_Relationship)


def _news(head: _DeltaHead, recipients: Sequence[str]) -> News | None:
    match head.type:
        case "message.posted":
            return Posted(head.actor, head.stream)
        case "member.joined" | "member.left":
            include = _include.decode(head.include)
            members = include.room.members if include is not None and include.room is not None else None
            member = _member.decode(head.data)
            return RoomChange(member.user, head.stream, head.type == "member.joined", members, member.willing)
        case "member.read":
            return Marked(head.actor, head.stream)
        case "relationship.set" if head.stream in recipients:
            # Only who sets it is shown a block.
            found = _relationship.decode(head.data)
            return Related(head.stream, found.other, found.type == "block")
        case "room.deleted" | "room.restored":
            return Shut(head.stream, head.type == "room.deleted")
    return None


class FeedRow(Protocol):
    """A Kafka record, as far as it matters here."""

    @property
    def offset(self) -> int: ...

    @property
    def timestamp(self) -> int: ...

    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...

    @property
    def value(self) -> bytes | None: ...


class _Last:
    """The latest position that was read from one source shard, the record it stood in, and who was given it."""

    __slots__ = ("groups", "offset", "record")

    def __init__(self, offset: int, record: int, recipients: list[str]) -> None:
        self.offset = offset
        self.record = record
        self.groups = [recipients]


class FeedReader:
    """Reads one feed partition's records in order: drops void ones (the writer's rule) and repeated deltas.

    A delta is repeated when its source shard was already read up to its position. Several items may carry one
    position, when viewers see it differently: those go to people who have not had it.
    """

    def __init__(self) -> None:
        self._terms = TermFilter()
        self._last: dict[Shard, _Last] = {}
        #: Records and items that could not be read, for the metric.
        self.unreadable = 0

    @property
    def vector(self) -> Vector:
        """Next position of each source shard that was met: the feed read so far has all that is below it."""
        return {shard: last.offset + 1 for shard, last in self._last.items()}

    def read(self, row: FeedRow) -> list[tuple[list[str], FeedDelta]]:
        """Recipients and item of each delta of a record that is new."""
        term = self._terms.term
        if not self._terms.admits(row.offset, row.headers) or self._terms.opened(row.offset):
            return []
        if term != self._terms.term:
            # What was read so far was void, so it does not count as delivered.
            self._last.clear()
        try:
            items = decode_record(row.value or b"").items
        except (msgspec.DecodeError, RecursionError):
            self.unreadable += 1
            return []
        found = []
        for index, item in enumerate(items):
            try:
                head = _head.decode(item.delta)
                place, news = parse_position(head.position), _news(head, item.recipients)
            except (msgspec.DecodeError, BadPosition, RecursionError):
                self.unreadable += 1
                continue
            recipients = self._fresh(item, place, row.offset)
            if recipients:
                new = FeedDelta(cursor(row.offset, index), bytes(item.delta), place.offset, news, head.type in HOLDING)
                found.append((recipients, new))
        return found

    def _fresh(self, item: FeedItem, place: Position, record: int) -> list[str]:
        """Those recipients who have not had it."""
        shard = Shard(place.topic, place.partition)
        last = self._last.get(shard)
        if last is None or place.offset > last.offset:
            self._last[shard] = _Last(place.offset, record, item.recipients)
            return item.recipients
        if place.offset < last.offset:
            return []
        recipients = item.recipients
        if record != last.record:
            had = {user for group in last.groups for user in group}
            recipients = [user for user in recipients if user not in had]
        last.groups.append(recipients)
        return recipients
