"""Messages: what people say in a room, edit and delete. Part of the room's stream (topic ``rooms``)."""

from __future__ import annotations

from typing import Any, ClassVar

from msgspec.structs import replace

from events.clock import Time
from events.members import has_read, loaded_member, member_key
from events.records import Changes, Entity, Event, EventType, Key, Record, State
from events.rooms import loaded_room, room_key
from events.saying import Message, message_key, said

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


def posted_names(record: Record) -> tuple[Key, ...]:
    assert isinstance(record.data, MessagePosted)
    return (
        room_key(record.stream),
        member_key(record.stream, record.actor),
        message_key(record.data.message),
    )


def posted(record: Record, state: State) -> Changes:
    """Adds the message; the author has read up to it."""
    event = record.data
    assert isinstance(event, MessagePosted)
    room = loaded_room(state, record.stream)
    if room is None:
        return {}
    message, room = said(
        record, room, id=event.message, seq=event.seq, type=event.type, content=event.content, token=event.token,
        data=event.data,
    )  # fmt: skip
    changes: Changes = {message.key: message, room.key: room}
    member = loaded_member(state, record.stream, record.actor)
    if member is not None:
        changes[member.key] = has_read(member, event.seq, record)
    return changes


def message_names(record: Record) -> tuple[Key, ...]:
    event = record.data
    assert isinstance(event, MessageEdited | MessageDeleted | MessageRestored | MessageEmotionDetected)
    return (message_key(event.message),)


def loaded_message(state: State, message: str) -> Message | None:
    """The message in ``state``. Raises KeyError when the key was not loaded."""
    entity = state[message_key(message)]
    assert entity is None or isinstance(entity, Message)
    return entity


def changed(record: Record, state: State, message: str, **changes: Any) -> Changes:
    """The message with ``changes``, stamped with the record."""
    found = loaded_message(state, message)
    if found is None:
        return {}
    return {found.key: replace(found, updated=record.time, version=record.offset, **changes)}


def edited(record: Record, state: State) -> Changes:
    """Changes the message, and keeps what it held as a revision."""
    event = record.data
    assert isinstance(event, MessageEdited)
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


def deleted(record: Record, state: State) -> Changes:
    assert isinstance(record.data, MessageDeleted)
    return changed(record, state, record.data.message, deleted=record.time)


def restored(record: Record, state: State) -> Changes:
    assert isinstance(record.data, MessageRestored)
    return changed(record, state, record.data.message, deleted=None)


def emotion_detected(record: Record, state: State) -> Changes:
    event = record.data
    assert isinstance(event, MessageEmotionDetected)
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
        name="message.posted", struct=MessagePosted, topics=("rooms",), names=posted_names, fold=posted, version=2,
        about="A member said something; the actor is the author.",
        sample=MessagePosted(
            message=_SAMPLE, seq=17, token="c1f7", type="text", content={"text": "Good morning"},
            data={"client": {"name": "loom", "version": 2}},
        ),
    ),
    EventType(
        name="message.edited", struct=MessageEdited, topics=("rooms",), names=message_names, fold=edited,
        about="The author changed what a message holds; what it held before stays as a revision.",
        sample=MessageEdited(message=_SAMPLE, content={"text": "Good evening"}, data={}),
    ),
    EventType(
        name="message.deleted", struct=MessageDeleted, topics=("rooms",), names=message_names, fold=deleted,
        about="A message is no longer shown; its place and number stay.", sample=MessageDeleted(message=_SAMPLE),
    ),
    EventType(
        name="message.restored", struct=MessageRestored, topics=("rooms",), names=message_names, fold=restored,
        about="An operator brought a deleted message back.", sample=MessageRestored(message=_SAMPLE),
    ),
    EventType(
        name="message.emotion_detected", struct=MessageEmotionDetected, topics=("rooms",), names=message_names,
        fold=emotion_detected, about="A service found out what emotion a message shows.",
        sample=MessageEmotionDetected(message=_SAMPLE, emotion="joy", shown=True),
    ),
)  # fmt: skip
