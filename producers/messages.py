"""Decisions about messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec

from events.members import member_key
from events.messages import Message, MessageEmotionDetected, MessagePosted, message_key
from events.records import Event, Key, State
from events.rooms import room_key
from producers.commands import Command, CommandType, Order, Refused
from producers.limits import CONTENT_BYTES, Data, Id, Object, Token, bounded, whole
from producers.rooms import present

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
Url = Annotated[str, whole(r"https?://[^\s]+", max_length=2000)]

#: Name of an emotion: ``joy``.
Emotion = Annotated[str, whole("[a-z][a-z0-9_-]{0,31}")]


class TextContent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``text`` and ``action`` (the message says what its author does: "/me waves")."""

    text: Text


class ImageContent(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    url: Url
    alt: Annotated[str, msgspec.Meta(max_length=500)] = ""
    width: Annotated[int, msgspec.Meta(ge=1, le=100_000)] | None = None
    height: Annotated[int, msgspec.Meta(ge=1, le=100_000)] | None = None


class FileContent(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    url: Url
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
    size: Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)] | None = None


#: What ``content`` holds for each type of message; ``custom`` is any JSON object.
CONTENT: dict[str, type[Any] | None] = {
    "text": TextContent,
    "action": TextContent,
    "image": ImageContent,
    "file": FileContent,
    "custom": None,
}

MessageType = Literal["text", "action", "image", "file", "custom"]


class PostMessage(Command, frozen=True, kw_only=True):
    """Say something in a room."""

    room: Id
    #: The idempotency key: the same author and token give the first message again.
    token: Token
    type: MessageType = "text"
    content: Object
    data: Data = {}


class SetEmotion(Command, frozen=True, kw_only=True):
    """Note what emotion a message shows. ``shown``: whether its author's visual can show it, by the read model."""

    room: Id
    message: Id
    emotion: Emotion
    shown: bool


def _posted(order: Order) -> Sequence[Key]:
    room: str = order.command.room
    return (room_key(room), member_key(room, order.actor), message_key(order.id))


def _emotion(order: Order) -> Sequence[Key]:
    return (message_key(order.command.message),)


def check_content(type_: str, content: Object) -> None:
    """Refuses content that does not fit its message type (``invalid``) or is too large (``too_large``)."""
    bounded("content", content, CONTENT_BYTES)
    schema = CONTENT[type_]
    if schema is None:
        return
    try:
        msgspec.convert(content, schema)
    except msgspec.ValidationError as error:
        raise Refused("invalid", f"content of a {type_} message: {error}".replace("`$.", "`content.")) from error


def post(order: Order, state: State) -> list[Event]:
    command: PostMessage = order.command
    room = present(state, command.room, order.actor)
    check_content(command.type, command.content)
    if "emotion" in command.data:
        raise Refused("invalid", "data.emotion: expected none; the emotion is found out by a service")
    return [
        MessagePosted(
            message=order.id, seq=room.seq + 1, token=command.token, type=command.type, content=command.content,
            data=command.data,
        )
    ]  # fmt: skip


def set_emotion(order: Order, state: State) -> list[Event]:
    command: SetEmotion = order.command
    message = state[message_key(command.message)]
    if not isinstance(message, Message) or message.room != command.room:
        raise Refused("not_found", f"expected a message of the room, found none with id {command.message}")
    if command.shown and message.data.get("emotion") == command.emotion:
        return []
    return [MessageEmotionDetected(message=command.message, emotion=command.emotion, shown=command.shown)]


COMMANDS = (
    CommandType(PostMessage, "rooms", lambda c: c.room, _posted, post),
    CommandType(SetEmotion, "rooms", lambda c: c.room, _emotion, set_emotion),
)
