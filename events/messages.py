"""Messages: what people say in a room, edit and delete. Part of the room's stream (topic ``rooms``)."""

from __future__ import annotations

from typing import Any, ClassVar

from msgspec.structs import replace

from events.core.clock import Time
from events.core.records import Changes, Entity, Event, EventType, Key, Record, State
from events.core.revert_rules import NotRevertible, RevertRule
from events.members import has_read, loaded_member, member_key
from events.message_entity import Message, made, message_key, new_message
from events.rooms import loaded_room, room_key

__all__ = ["Message", "message_key"]


class Revision(Entity, frozen=True, kw_only=True):
    """What a message held before it was edited: number 0 is what was posted."""

    kind: ClassVar = "revision"
    key_fields: ClassVar = ("message", "number")

    message: str
    number: int
    content: dict[str, Any]
    data: dict[str, Any]
    #: Since when the message held this.
    created: Time
    version: int

    @property
    def key(self) -> Key:
        return ("revision", self.message, str(self.number))


class MessagePosted(Event, frozen=True, kw_only=True):
    message: str
    seq: int
    token: str
    type: str
    content: dict[str, Any]
    data: dict[str, Any]


class MessageEdited(Event, frozen=True, kw_only=True):
    message: str
    content: dict[str, Any]
    data: dict[str, Any]


class MessageDeleted(Event, frozen=True, kw_only=True):
    message: str


class MessageRestored(Event, frozen=True, kw_only=True):
    """An operator took a deletion back."""

    message: str


class MessageEmotionDetected(Event, frozen=True, kw_only=True):
    message: str
    emotion: str
    #: Whether the author's visual can show it: only then do people see it.
    shown: bool


def posted_keys(record: Record[MessagePosted]) -> tuple[Key, ...]:
    return (
        room_key(record.stream),
        member_key(record.stream, record.actor),
        message_key(record.data.message),
    )


def as_posted(record: Record[MessagePosted]) -> Message:
    """The message as it was first said, from its event alone: without ``rank``, which takes the room to know."""
    event = record.data
    return made(
        record, id=event.message, seq=event.seq, type=event.type, content=event.content, token=event.token,
        data=event.data,
    )  # fmt: skip


def posted(record: Record[MessagePosted], state: State) -> Changes:
    """Adds the message; the author has read up to it."""
    event = record.data
    room = loaded_room(state, record.stream)
    if room is None:
        return {}
    message, room = new_message(record, room, as_posted(record))
    changes: Changes = {message.key: message, room.key: room}
    member = loaded_member(state, record.stream, record.actor)
    if member is not None:
        changes[member.key] = has_read(member, event.seq, record)
    return changes


def message_keys(
    record: Record[MessageEdited | MessageDeleted | MessageRestored | MessageEmotionDetected],
) -> tuple[Key, ...]:
    event = record.data
    return (message_key(event.message),)


def loaded_message(state: State, message: str) -> Message | None:
    """The message in ``state``. Raises KeyError when the key was not loaded."""
    entity = state[message_key(message)]
    assert entity is None or isinstance(entity, Message)
    return entity


def changed(record: Record, state: State, message: str, **changes: object) -> Changes:
    """The message with ``changes``, stamped with the record."""
    found = loaded_message(state, message)
    if found is None:
        return {}
    return {found.key: replace(found, updated=record.time, version=record.offset, **changes)}


def edited(record: Record[MessageEdited], state: State) -> Changes:
    """Changes the message, and keeps what it held as a revision."""
    event = record.data
    message = loaded_message(state, event.message)
    if message is None:
        return {}
    revision = Revision(
        message=message.id, number=message.revision, content=message.content, data=message.data,
        created=message.edited or message.created, version=record.offset,
    )  # fmt: skip
    changes = changed(
        record, state, message.id, content=event.content, data=event.data, edited=record.time,
        revision=message.revision + 1,
    )  # fmt: skip
    return {revision.key: revision, **changes}


def deleted(record: Record[MessageDeleted], state: State) -> Changes:
    return changed(record, state, record.data.message, deleted=record.time)


def restored(record: Record[MessageRestored], state: State) -> Changes:
    return changed(record, state, record.data.message, deleted=None)


def emotion_detected(record: Record[MessageEmotionDetected], state: State) -> Changes:
    event = record.data
    message = loaded_message(state, event.message)
    if message is None:
        return {}
    data = {name: value for name, value in message.data.items() if name != "emotion"}
    if event.shown:
        data["emotion"] = event.emotion
    return changed(record, state, message.id, data=data)


_SAMPLE = "019aa000-0000-7000-8000-000000000004"

ROWS = (
    EventType(
        name="message.posted", struct=MessagePosted, topics=("rooms",), keys=posted_keys, fold=posted, version=2,
        makes=("message",), renews=("room", "member"),
        about="A member said something; the actor is the author.",
        sample=MessagePosted(
            message=_SAMPLE, seq=17, token="c1f7", type="text", content={"text": "Good morning"},
            data={"client": {"name": "loom", "version": 2}},
        ),
        revert=RevertRule("message", ("deleted",), "message"),
    ),
    EventType(
        name="message.edited", struct=MessageEdited, topics=("rooms",), keys=message_keys, fold=edited,
        about="The author changed what a message holds; what it held before stays as a revision.",
        sample=MessageEdited(message=_SAMPLE, content={"text": "Good evening"}, data={}),
        revert=RevertRule("message", ("content", "data"), "message"),
    ),
    EventType(
        name="message.deleted", struct=MessageDeleted, topics=("rooms",), keys=message_keys, fold=deleted,
        about="A message is no longer shown; its place and number stay.", sample=MessageDeleted(message=_SAMPLE),
        revert=RevertRule("message", ("deleted",), "message"),
    ),
    EventType(
        name="message.restored", struct=MessageRestored, topics=("rooms",), keys=message_keys, fold=restored,
        about="An operator brought a deleted message back.", sample=MessageRestored(message=_SAMPLE),
        revert=RevertRule("message", ("deleted",), "message"),
    ),
    EventType(
        name="message.emotion_detected", struct=MessageEmotionDetected, topics=("rooms",), keys=message_keys,
        fold=emotion_detected, about="A service found out what emotion a message shows.",
        sample=MessageEmotionDetected(message=_SAMPLE, emotion="joy", shown=True),
        revert=NotRevertible("a service found it out, and does so again"),
    ),
)  # fmt: skip
