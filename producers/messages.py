"""Decisions about messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any, Literal

import msgspec

from events.faults import unfit
from events.free import same
from events.invitations import invitation_key, pending
from events.members import MemberJoined, loaded_member, member_key
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
from events.rooms import Room, loaded_room, room_key
from producers.commands import Command, CommandType, Order, Refused
from producers.invitations import invite
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
    #: The other of a direct room, as the read model knows them: who has left is brought back by what is said to them.
    other: Id | None = None
    #: How: at once, of their own will or not, or they are asked. None: by the read model, they are there.
    back: Literal["willing", "unwilling", "invited"] | None = None


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
    command: PostMessage = order.command
    keys = (room_key(command.room), member_key(command.room, order.actor), message_key(order.id))
    if command.other is None or command.other == order.actor:
        return keys
    return (*keys, member_key(command.room, command.other), invitation_key(command.room, command.other))


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
        raise Refused("invalid", f"content of a {type_} message: {unfit(error)}".replace("`$.", "`content.")) from error
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
        *_brought_back(order, state, room),
        MessagePosted(
            message=order.id, seq=room.seq + 1, token=command.token, type=command.type, content=command.content,
            data=command.data,
        ),
    ]  # fmt: skip


def _brought_back(order: Order, state: State, room: Room) -> list[Event]:
    """Lets the other of a direct room in again before what is said to them, as starting it anew would, or asks them.

    Refuses with ``outrun`` where the read model did not know that they have left.
    """
    command: PostMessage = order.command
    other = command.other
    if room.type != "direct" or other is None or other == order.actor:
        return []
    keys = member_key(room.id, other), invitation_key(room.id, other)
    if loaded_member(state, room.id, other) is not None or pending(state, room.id, other) is not None:
        return []
    if all(state[key] is None for key in keys):
        # Somebody who is not one of the two.
        return []
    if command.back is None:
        raise Refused("outrun", "expected the other in the room, or asked to come; they have left it; try again")
    if command.back == "invited":
        return invite(state, room.id, [other])
    return [MemberJoined(user=other, role="member", willing=command.back == "willing")]


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
