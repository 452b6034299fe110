"""What is said in a room, by whichever event: the message, and what it makes of the room."""

from __future__ import annotations

from typing import Any, ClassVar

from msgspec.structs import replace

from events.core.clock import Time, first_id
from events.core.records import Entity, Key, Record
from events.rooms import Room

#: Between these are the UUIDv7 of the years 1970 to 2199: an id that begins with its time.
FIRST_ID, END_ID = "00000000-0000", "0699e991-a800"


class Message(Entity, frozen=True, kw_only=True):
    """A message (S0 Message, S2 Message). ``seq`` counts the room's messages 1, 2, 3 ... without gaps."""

    kind: ClassVar = "message"
    key_fields: ClassVar = ("id",)

    id: str
    room: str
    seq: int
    #: The user id; ``system`` where no person acted.
    author: str
    #: Made by the client; unique for its author for ever. Empty in messages that events of members made.
    token: str
    #: ``text``, ``action``, ``image``, ``file`` or ``custom``: says what ``content`` holds. ``join``, ``leave`` and
    #: ``system`` are made by events of members, about the user named in ``content``.
    type: str
    content: dict[str, Any]
    #: Additional information (S2 metadata); ``emotion`` is what the author's visual shows with it.
    data: dict[str, Any]
    created: Time
    updated: Time
    #: When the content last changed; what it was before, its revisions say.
    edited: Time | None
    #: When it was deleted: from then on nobody is shown what it held.
    deleted: Time | None
    #: How often it was edited.
    revision: int
    #: Where it stands among the messages of all rooms, if not at its own id: at this one, in the order of ``seq``.
    rank: str | None
    version: int

    @property
    def key(self) -> Key:
        return message_key(self.id)


def message_key(message: str) -> Key:
    return ("message", message)


def made(
    record: Record, *, id: str, seq: int, type: str, content: dict[str, Any], token: str = "",
    data: dict[str, Any] | None = None,
) -> Message:  # fmt: skip
    """The message that a record makes, without its place among the messages of all rooms."""
    return Message(
        id=id, room=record.stream, seq=seq, author=record.actor, token=token, type=type, content=content,
        data=data or {}, created=record.time, updated=record.time, edited=None, deleted=None, revision=0, rank=None,
        version=record.offset,
    )  # fmt: skip


def new_message(record: Record, room: Room, message: Message) -> tuple[Message, Room]:
    """The message in its place, which the room's earlier messages decide, and the room after it."""
    rank = _rank(message.id, record)
    if room.rank is not None and rank <= room.rank:
        rank = room.rank
    if rank != message.id:
        message = replace(message, rank=rank)
    room = replace(
        room, seq=message.seq, last=message.id, rank=rank, updated=record.time, version=record.offset
    )  # fmt: skip
    return message, room


def _rank(id: str, record: Record) -> str:
    """Where a message would stand by its time alone."""
    return id if FIRST_ID <= id < END_ID else first_id(record.time)
