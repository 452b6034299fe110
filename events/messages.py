"""Messages: what is said in a room. Part of the room's stream (topic ``rooms``)."""

from __future__ import annotations

from typing import Any, ClassVar

from msgspec.structs import replace

from events.clock import Time
from events.members import loaded_member, member_key
from events.records import Changes, Entity, Event, EventType, Key, Record, State
from events.rooms import loaded_room, room_key


class Message(Entity, frozen=True, kw_only=True):
    """A message (S0 Message). ``seq`` counts the room's messages 1, 2, 3 ... without gaps."""

    kind: ClassVar = "message"
    key_fields: ClassVar = ("id",)

    id: str
    room: str
    seq: int
    author: str
    #: Made by the client; unique for its author for ever.
    token: str
    #: ``text``, ``action``, ``image``, ``file`` or ``custom``: says what ``content`` holds.
    type: str
    content: dict[str, Any]
    #: Additional information; ``emotion`` is what the author's visual shows with it.
    data: dict[str, str]
    created: Time
    updated: Time
    version: int


def message_key(message: str) -> Key:
    return Key(("message", message))


class MessagePosted(Event, frozen=True, kw_only=True):
    message: str
    seq: int
    token: str
    type: str
    content: dict[str, Any]
    data: dict[str, str]


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
    message = Message(
        id=event.message, room=record.stream, seq=event.seq, author=record.actor, token=event.token,
        type=event.type, content=event.content, data=event.data, created=record.time, updated=record.time,
        version=record.offset,
    )  # fmt: skip
    changes: Changes = {
        message.key: message,
        room.key: replace(room, seq=event.seq, last=message.id, updated=record.time, version=record.offset),
    }
    member = loaded_member(state, record.stream, record.actor)
    if member is not None:
        changes[member.key] = replace(member, read=event.seq, version=record.offset)
    return changes


def emotion_names(record: Record) -> tuple[Key, ...]:
    assert isinstance(record.data, MessageEmotionDetected)
    return (message_key(record.data.message),)


def emotion_detected(record: Record, state: State) -> Changes:
    event = record.data
    assert isinstance(event, MessageEmotionDetected)
    message = state[message_key(event.message)]
    if not isinstance(message, Message):
        return {}
    data = {name: value for name, value in message.data.items() if name != "emotion"}
    if event.shown:
        data["emotion"] = event.emotion
    return {message.key: replace(message, data=data, updated=record.time, version=record.offset)}


_SAMPLE = "019aa000-0000-7000-8000-000000000004"

ROWS = (
    EventType(
        name="message.posted", struct=MessagePosted, topics=("rooms",), names=posted_names, fold=posted,
        about="A member said something; the actor is the author.",
        sample=MessagePosted(
            message=_SAMPLE, seq=17, token="c1f7", type="text", content={"text": "Good morning"}, data={}
        ),
    ),
    EventType(
        name="message.emotion_detected", struct=MessageEmotionDetected, topics=("rooms",), names=emotion_names,
        fold=emotion_detected, about="A service found out what emotion a message shows.",
        sample=MessageEmotionDetected(message=_SAMPLE, emotion="joy", shown=True),
    ),
)  # fmt: skip
