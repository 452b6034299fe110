"""What push nodes tell each other on ``klatsch.signals``: one JSON object a record, a node's in one partition. Pure.

A record is a fact about one node: who is connected to it, with what status, and who types there; or about a server of
live channels: who is in them. Nothing in it is kept: the topic holds minutes, readers begin at its end, and who misses
something asks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal
from zlib import crc32

import msgspec

Status = Literal["online", "away"]

#: Users and rooms in one note: some 250 kB, of the 1 MiB that a batch may have.
_USERS, _ROOMS = 1000, 5000
#: Rooms that are told of one user at most. In further ones the user's presence is not seen.
ROOMS = 500


class Present(msgspec.Struct, frozen=True, array_like=True):
    """A user who is connected to the node that says so, over all of the user's devices there."""

    user: str
    status: Status
    #: When the user last did something, in Unix milliseconds.
    active: int
    #: The room that the device has open which was used last.
    room: str | None
    #: All rooms that devices have open.
    open: list[str]
    #: The rooms in which the user is; None: those that the node told before.
    rooms: list[str] | None


class Typed(msgspec.Struct, frozen=True, array_like=True):
    """Somebody types in a room, or has stopped."""

    user: str
    room: str
    typing: bool


class MemberNote(msgspec.Struct, frozen=True, array_like=True):
    """Somebody who is in a live channel."""

    user: str
    username: str
    #: What stands in what they say; None: their server has given none that is known here.
    number: int | None
    #: Offset of the listen that let them in: of two places of a user the one with the higher counts. 0: not known.
    version: int


class ChannelNote(msgspec.Struct, frozen=True, array_like=True):
    """Who is in a live channel, all of them."""

    channel: int
    users: list[MemberNote]


class TakenNote(msgspec.Struct, frozen=True, array_like=True):
    """Somebody was let do something so often that other processes must know."""

    #: Name of the limit.
    limit: str
    #: Whose quota it is.
    subject: str
    #: How much of it was taken, as seconds in which it becomes whole again.
    seconds: float


class UsageNote(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a process has let happen of that which all of them bound together."""

    #: Since the note before.
    taken: list[TakenNote] = []
    #: Open connections of each application that has some here, and whose plan bounds them.
    connections: dict[str, int] = {}


class GossipMessage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One record. One that says nothing is a sign of life."""

    #: One life of one node: a restarted process is another one.
    node: str
    #: 1, 2, 3 ... of each node: a hole shows that something was lost. 0: from a process without connections.
    seq: int = 0
    #: Part k of n of all that the node has: who is in none of them is not connected to it.
    whole: tuple[int, int] | None = None
    present: list[Present] = []
    #: Users who are not connected to it any more.
    gone: list[str] = []
    typed: list[Typed] = []
    #: Nodes that are to tell all that they have; ``*``: each one.
    ask: list[str] = []
    #: Of a server of live channels, whose id ``node`` is: channels in which somebody came or went.
    inside: list[ChannelNote] = []
    #: All channels in which there is somebody, by this note or an earlier one; None: not said.
    channels: list[int] | None = None
    #: Of a process of the API, whose id ``node`` is; with ``seq`` 0.
    usage: UsageNote | None = None
    #: The node stops.
    bye: bool = False


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(GossipMessage).decode


def encode(message: GossipMessage) -> bytes:
    """A record's value."""
    return _encode(message)


def decode(value: bytes) -> GossipMessage:
    """The inverse. Raises msgspec.DecodeError."""
    return _decode(value)


def partition_of(node: str, partitions: int) -> int:
    """The partition in which a node's notes stand, all of them, so that they are read in order."""
    return crc32(node.encode()) % partitions


def inside_notes(server: str, inside: Sequence[ChannelNote]) -> list[GossipMessage]:
    """Notes that say all of a server of live channels: in what they do not name there is nobody."""
    step = _USERS // 25
    parts = [list(inside[begin : begin + step]) for begin in range(0, len(inside), step)] or [[]]
    *first, last = (GossipMessage(node=server, inside=part) for part in parts)
    return [*first, msgspec.structs.replace(last, channels=[one.channel for one in inside])]


def chunks(present: Sequence[Present]) -> Iterator[list[Present]]:
    """Parts of which each fits into a note; one empty part of nothing."""
    part: list[Present] = []
    rooms = 0
    for one in present:
        if len(part) >= _USERS or rooms >= _ROOMS:
            yield part
            part, rooms = [], 0
        part.append(one)
        rooms += len(one.open) + len(one.rooms or ())
    yield part
