"""Decisions about messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Literal

import msgspec

from events.core.faults import found, sentence, wrong
from events.core.free_json import same
from events.core.records import Event, Key, State
from events.core.type_faults import unfit
from events.invitations import invitation_key, pending
from events.members import MemberJoined, loaded_member, member_key
from events.messages import (
    Message,
    MessageDeleted,
    MessageEdited,
    MessageEmotionDetected,
    MessagePosted,
    MessageRestored,
    loaded_message,
    message_key,
)
from events.pins import pin_key
from events.rooms import Room, loaded_room
from producers.commands import CommandEnvelope, CommandType, Refused
from producers.invitations import invite
from producers.limits import CONTENT_BYTES, METADATA_BYTES, Id, Object, Token, bounded, whole
from producers.names import check_name, check_text
from producers.pins import unpinned
from producers.revertible import Revertible, RevertInRoom
from producers.roles import allow, missing_message, room_and_member
from producers.streams import RoomCommand

#: S2: 1-2000 characters, which are Unicode code points: what Postgres, JSON Schema and most languages count. Graphemes
#: would change their number with the Unicode version of whoever counts.
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
Url = Annotated[str, whole(
    r"https?://[^\s]+", "an address such as https://example.org/cat.png, of at most 2000 characters", max_length=2000
)]  # fmt: skip

#: Name of an emotion: ``joy``.
Emotion = Annotated[str, whole(
    "[a-z][a-z0-9_-]{0,31}", "a name such as joy: a letter of a-z, then at most 31 of a-z 0-9 _ -", shown=True
)]  # fmt: skip


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
CONTENT: dict[str, type[msgspec.Struct] | None] = {
    "text": TextContent,
    "action": TextContent,
    "image": ImageContent,
    "file": FileContent,
    "custom": None,
}

MessageType = Literal["text", "action", "image", "file", "custom"]


class PostMessage(RoomCommand, frozen=True, kw_only=True):
    """Say something in a room."""

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


class EditMessage(RoomCommand, frozen=True, kw_only=True):
    """Change what an own message holds; its type stays."""

    message: Id
    content: Object
    #: The whole new additional information; None: unchanged.
    data: Object | None = None


class DeleteMessage(RoomCommand, frozen=True, kw_only=True):
    """Show a message no longer."""

    message: Id


class SetEmotion(RoomCommand, frozen=True, kw_only=True):
    """Set the emotion that a message shows. ``shown``: whether its author's visual can show it, by the read model."""

    message: Id
    emotion: Emotion
    shown: bool


def _posted(envelope: CommandEnvelope[PostMessage]) -> Sequence[Key]:
    command = envelope.command
    keys = (*room_and_member(envelope), message_key(envelope.id))
    if command.other is None or command.other == envelope.actor:
        return keys
    return (*keys, member_key(command.room, command.other), invitation_key(command.room, command.other))


class HideMessage(RoomCommand, frozen=True, kw_only=True):
    """Show a message no longer, as the account of its author was erased. Given by the system, in any room."""

    message: Id
    author: Id


#: About one message that is there.
_OfMessage = EditMessage | DeleteMessage | HideMessage | SetEmotion


def _message(envelope: CommandEnvelope[_OfMessage]) -> Sequence[Key]:
    return (*room_and_member(envelope), message_key(envelope.command.message))


def _deleted(envelope: CommandEnvelope[DeleteMessage | HideMessage]) -> Sequence[Key]:
    return (*_message(envelope), pin_key(envelope.command.room, envelope.command.message))


def check_content(type_: str, content: Object) -> None:
    """Refuses content that does not fit its message type (``invalid``) or is too large (``too_large``)."""
    bounded("content", content, CONTENT_BYTES)
    schema = CONTENT[type_]
    if schema is None:
        return
    try:
        msgspec.convert(content, schema)
    except msgspec.ValidationError as error:
        faults = unfit(content, schema, at=("content",))
        raise Refused("invalid", f"content of type {type_}: {sentence(faults)}", errors=faults) from error
    if schema is TextContent:
        check_text("content.text", content["text"])
    if schema is FileContent:
        check_name("content.name", content["name"])
    if schema is ImageContent and content.get("alt"):
        check_text("content.alt", content["alt"])


def check_data(data: Object, present: Mapping[str, object] = MappingProxyType({})) -> None:
    """Refuses additional information that is too large, or that says what only the system may.

    What is ``present`` may be said again: who writes back what was read changes nothing.
    """
    if "emotion" in data and ("emotion" not in present or not same(data["emotion"], present["emotion"])):
        what = "none, or what is there: a service finds the emotion out"
        raise Refused("invalid", errors=[wrong("/data/emotion", what, found(data["emotion"]))])
    bounded("data", {name: value for name, value in data.items() if name != "emotion"}, METADATA_BYTES)


def post(envelope: CommandEnvelope[PostMessage], state: State) -> list[Event]:
    command = envelope.command
    room, _ = allow(envelope, state)
    check_content(command.type, command.content)
    check_data(command.data)
    return [
        *_brought_back(envelope, state, room),
        MessagePosted(
            message=envelope.id, seq=room.seq + 1, token=command.token, type=command.type, content=command.content,
            data=command.data,
        ),
    ]  # fmt: skip


def _brought_back(envelope: CommandEnvelope[PostMessage], state: State, room: Room) -> list[Event]:
    """Lets the other of a direct room in again before what is said to them, as starting it again would, or asks them.

    Refuses with ``outrun`` where the read model did not know that they have left.
    """
    command = envelope.command
    other = command.other
    if room.type != "direct" or other is None or other == envelope.actor:
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


def _of_room(envelope: CommandEnvelope[_OfMessage], state: State) -> Message | None:
    """The message of the room, deleted or not; None where there is none."""
    message = loaded_message(state, envelope.command.message)
    return message if message is not None and message.room == envelope.command.room else None


def _present(envelope: CommandEnvelope[_OfMessage], state: State) -> Message | None:
    """The same, if it was not deleted."""
    message = _of_room(envelope, state)
    return message if message is not None and not message.deleted else None


def edit(envelope: CommandEnvelope[EditMessage], state: State) -> list[Event]:
    command = envelope.command
    message = _present(envelope, state)
    # Who is not in the room learns nothing of its messages, not even that there is none.
    allow(envelope, state, message=message)
    if message is None:
        raise missing_message(envelope.command.message)
    if message.type not in CONTENT:
        fault = wrong("/message", "a message that somebody wrote", f"one of type {message.type}")
        raise Refused("invalid", errors=[fault])
    check_content(message.type, command.content)
    kept = {name: value for name, value in message.data.items() if name == "emotion"}
    if command.data is not None:
        check_data(command.data, message.data)
    data = message.data if command.data is None else {**command.data, **kept}
    if same(command.content, message.content) and same(data, message.data):
        return []
    return [MessageEdited(message=message.id, content=command.content, data=data)]


def delete(envelope: CommandEnvelope[DeleteMessage], state: State) -> list[Event]:
    message = _of_room(envelope, state)
    allow(envelope, state, message=message)
    if message is None:
        raise missing_message(envelope.command.message)
    return [] if message.deleted else _gone(state, message)


def hide(envelope: CommandEnvelope[HideMessage], state: State) -> list[Event]:
    message = _of_room(envelope, state)
    if message is None or message.author != envelope.command.author:
        raise missing_message(envelope.command.message)
    return [] if message.deleted else _gone(state, message)


def _gone(state: State, message: Message) -> list[Event]:
    """What deletes a message: its pin goes before it."""
    return [*unpinned(state, message.room, message.id), MessageDeleted(message=message.id)]


def set_emotion(envelope: CommandEnvelope[SetEmotion], state: State) -> list[Event]:
    command = envelope.command
    room, message = loaded_room(state, command.room), _present(envelope, state)
    if room is None or room.state == "deleted" or message is None:
        raise missing_message(envelope.command.message)
    if command.shown and message.data.get("emotion") == command.emotion:
        return []
    return [MessageEmotionDetected(message=command.message, emotion=command.emotion, shown=command.shown)]


def _written(data: Object) -> Object:
    """Additional information without what a service found out."""
    return {name: value for name, value in data.items() if name != "emotion"}


def _revert(command: RevertInRoom, state: State) -> list[Event]:
    message = loaded_message(state, command.id)
    assert message is not None
    if message.room != command.room:
        raise missing_message(command.id)
    if "deleted" in command.was:
        return _gone(state, message) if command.was["deleted"] else [MessageRestored(message=message.id)]
    if message.deleted:
        raise Refused("conflict", "expected a message that is shown; it was deleted since")
    found = {name: value for name, value in message.data.items() if name == "emotion"}
    data = {**command.was["data"], **found} if "data" in command.was else message.data
    return [MessageEdited(message=message.id, content=command.was.get("content", message.content), data=data)]


REVERTIBLE = Revertible(
    "message",
    frozenset({"content", "data", "deleted"}),
    lambda c: (message_key(c.id), pin_key(c.room, c.id)),
    _revert,
    absent={"content": {}, "data": {}, "deleted": True},
    shown=lambda message: {"data": _written(message.data), "deleted": message.deleted is not None},
)


COMMANDS = (
    CommandType(PostMessage, "rooms", lambda c: c.room, _posted, post),
    CommandType(EditMessage, "rooms", lambda c: c.room, _message, edit),
    CommandType(DeleteMessage, "rooms", lambda c: c.room, _deleted, delete),
    CommandType(HideMessage, "rooms", lambda c: c.room, _deleted, hide),
    CommandType(SetEmotion, "rooms", lambda c: c.room, _message, set_emotion),
)
