"""Decisions about messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any, Literal

import msgspec

from events.free import same
from events.members import member_key
from events.messages import (
    Message,
    MessageDeleted,
    MessageEdited,
    MessageEmotionDetected,
    MessagePosted,
    loaded_message,
    message_key,
)
from events.records import Event, Key, State
from events.rooms import loaded_room, room_key
from producers.commands import Command, CommandType, Order, Refused
from producers.limits import CONTENT_BYTES, METADATA_BYTES, Id, Object, Token, bounded, whole
from producers.names import check_name, check_text
from producers.roles import allow

#: S2: 1-2000 characters, which are Unicode code points: what Postgres, JSON Schema and most languages count. Graphemes
#: would change their number with the Unicode version of whoever counts.
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
    #: Additional information: any JSON object (S2 metadata).
    data: Object = {}


class EditMessage(Command, frozen=True, kw_only=True):
    """Change what an own message holds; its type stays."""

    room: Id
    message: Id
    content: Object
    #: The whole new additional information; None: unchanged.
    data: Object | None = None


class DeleteMessage(Command, frozen=True, kw_only=True):
    """Show a message no longer."""

    room: Id
    message: Id


class SetEmotion(Command, frozen=True, kw_only=True):
    """Note what emotion a message shows. ``shown``: whether its author's visual can show it, by the read model."""

    room: Id
    message: Id
    emotion: Emotion
    shown: bool


def _posted(order: Order) -> Sequence[Key]:
    room: str = order.command.room
    return (room_key(room), member_key(room, order.actor), message_key(order.id))


def _message(order: Order) -> Sequence[Key]:
    room: str = order.command.room
    return (room_key(room), member_key(room, order.actor), message_key(order.command.message))


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
    if schema is TextContent:
        check_text("content.text", content["text"])
    if schema is FileContent:
        check_name("content.name", content["name"])
    if schema is ImageContent and content.get("alt"):
        check_text("content.alt", content["alt"])


def check_data(data: Object, present: Mapping[str, Any] = MappingProxyType({})) -> None:
    """Refuses additional information that is too large, or that says what only the system may.

    What is ``present`` may be said again: who writes back what was read changes nothing.
    """
    if "emotion" in data and ("emotion" not in present or not same(data["emotion"], present["emotion"])):
        raise Refused("invalid", "data.emotion: expected none, or what is there; a service finds the emotion out")
    bounded("data", {name: value for name, value in data.items() if name != "emotion"}, METADATA_BYTES)


def post(order: Order, state: State) -> list[Event]:
    command: PostMessage = order.command
    room, _ = allow(order, state)
    check_content(command.type, command.content)
    check_data(command.data)
    return [
        MessagePosted(
            message=order.id, seq=room.seq + 1, token=command.token, type=command.type, content=command.content,
            data=command.data,
        )
    ]  # fmt: skip


def _present(order: Order, state: State) -> Message | None:
    """The message of the room; None where there is none, or it was deleted."""
    message = loaded_message(state, order.command.message)
    return message if message is not None and message.room == order.command.room and not message.deleted else None


def _missing(order: Order) -> Refused:
    return Refused("not_found", f"expected a message of the room, found none with id {order.command.message}")


def edit(order: Order, state: State) -> list[Event]:
    command: EditMessage = order.command
    message = _present(order, state)
    # Who is not in the room learns nothing of its messages, not even that there is none.
    allow(order, state, message=message)
    if message is None:
        raise _missing(order)
    if message.type not in CONTENT:
        raise Refused("invalid", f"expected a message that somebody wrote, got one of type {message.type}")
    check_content(message.type, command.content)
    kept = {name: value for name, value in message.data.items() if name == "emotion"}
    if command.data is not None:
        check_data(command.data, message.data)
    data = message.data if command.data is None else {**command.data, **kept}
    if same(command.content, message.content) and same(data, message.data):
        return []
    return [MessageEdited(message=message.id, content=command.content, data=data)]


def delete(order: Order, state: State) -> list[Event]:
    message = loaded_message(state, order.command.message)
    present = message if message is not None and message.room == order.command.room else None
    allow(order, state, message=present)
    if present is None:
        raise _missing(order)
    return [] if present.deleted else [MessageDeleted(message=present.id)]


def set_emotion(order: Order, state: State) -> list[Event]:
    command: SetEmotion = order.command
    room, message = loaded_room(state, command.room), _present(order, state)
    if room is None or room.state == "deleted" or message is None:
        raise _missing(order)
    if command.shown and message.data.get("emotion") == command.emotion:
        return []
    return [MessageEmotionDetected(message=command.message, emotion=command.emotion, shown=command.shown)]


COMMANDS = (
    CommandType(PostMessage, "rooms", lambda c: c.room, _posted, post),
    CommandType(EditMessage, "rooms", lambda c: c.room, _message, edit),
    CommandType(DeleteMessage, "rooms", lambda c: c.room, _message, delete),
    CommandType(SetEmotion, "rooms", lambda c: c.room, _message, set_emotion),
)
