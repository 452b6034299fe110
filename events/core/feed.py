"""The feed's records and cursors, shared by the projector that writes the feed and the push service that reads it.

A feed record holds what one turn of the feed projector has for the users of one feed partition. Its value is a JSON
object on one line::

    {"items": [[["user id", ...], {delta}], ...]}

The delta's bytes stand in the record exactly as clients receive them, so that nobody encodes them again. Its recipients
are named one by one; a large room instead is named as ``room:<id>``, so that a message costs the same however
many members there are: it is for all who were in the room just before the delta's position.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from zlib import crc32

import msgspec

#: Items that one feed record may hold, so that a cursor is offset x 4096 + index.
ITEMS = 4096
#: Members above which a room's roster is not written out but named. A list of so many costs 10 kB in the feed for each
#: message; 22,000 members (the #ubuntu logs) cost 860 kB, and 18 GB for a third of these logs. Below, a node that
#: delivers needs no look at the read models.
NAMED_ROOM = 256


class FeedItem(msgspec.Struct, frozen=True, array_like=True):
    """One delta and its recipients. JSON: ``[recipients, delta]``."""

    #: User ids, all of the record's feed partition; or a large room: see ``room_mark``.
    recipients: list[str]
    #: The encoded delta: see ``Delta``.
    delta: msgspec.Raw


class FeedRecord(msgspec.Struct, frozen=True):
    """The value of a record of ``klatsch.feed``."""

    items: list[FeedItem]


class Delta(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a client receives: the event as that client may see it, and what it needs to understand it.

    ``position`` is the event's place in the log (``rooms/3/1234``): unique, ascending within a shard. A client drops
    a delta whose offset is below its snapshot's vector for that shard, and so may see one twice without harm.
    """

    id: str
    type: str
    position: str
    stream: str
    time: str
    actor: str
    #: The event's payload as this client may see it.
    data: msgspec.Raw
    #: Entities that the recipient may not know yet, as ``GET /v1/sync`` shows them: ``{"room": {...}, "user": {...}}``.
    include: dict[str, Any] | None = None
    #: Whether the contents of a message or room have been left out, as it has been deleted since. Only readers of older
    #: deltas receive such a delta; the one that reports the deletion follows.
    deleted: bool = False


#: Begins a recipient that is a room. No user id has a colon.
ROOM_MARK = "room:"


def room_mark(room: str) -> str:
    """The recipient that stands for a room: those with a stay in it that covers the delta's position."""
    return ROOM_MARK + room


#: A time in a room, by offsets of its shard: after ``since``, up to and including ``until`` (None: still there). The
#: event by which somebody leaves is the last that they receive.
Stay = tuple[int, int | None]


def covers(stays: Sequence[Stay], offset: int) -> bool:
    """Whether somebody with these stays was in the room just before ``offset``."""
    return any(since < offset and (until is None or offset <= until) for since, until in stays)


_encoder = msgspec.json.Encoder()
_records = msgspec.json.Decoder(FeedRecord)


def encode_record(items: Sequence[FeedItem]) -> bytes:
    """A feed record's value. At most ITEMS items."""
    if len(items) > ITEMS:
        raise ValueError(f"expected at most {ITEMS} items in a feed record, got {len(items)}")
    return _encoder.encode(FeedRecord(items=list(items)))


def decode_record(value: bytes) -> FeedRecord:
    """The inverse. Raises msgspec.DecodeError."""
    return _records.decode(value)


def partition_of(user: str, partitions: int) -> int:
    """The feed partition of a user: CRC-32 of the id, modulo the partition count. Stable across versions."""
    return crc32(user.encode()) % partitions


def by_partition(users: Iterable[str], partitions: int) -> dict[int, list[str]]:
    """Users grouped by feed partition."""
    groups: dict[int, list[str]] = {}
    for user in users:
        groups.setdefault(crc32(user.encode()) % partitions, []).append(user)
    return groups


def cursor(offset: int, index: int) -> int:
    """The wire offset of an item: never 0, ascending, below 2**53 for feed offsets below 2**41."""
    return (offset + 1) * ITEMS + index


def split_cursor(value: int) -> tuple[int, int]:
    """``(feed offset, index)`` of a cursor. The cursor of "nothing yet" is 0: ``(-1, 0)``."""
    return value // ITEMS - 1, value % ITEMS


def end_cursor(next_offset: int) -> int:
    """The cursor after all records below ``next_offset``: the next item's cursor is above it.

    ``next_offset * ITEMS + ITEMS - 1`` is the largest cursor of the record before.
    """
    return next_offset * ITEMS + ITEMS - 1
