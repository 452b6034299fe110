"""Messages: sending, reading, emotions."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from api.calls import Call
from api.pages import Limit
from api.problems import Problem
from api.rooms import inside
from api.surface import Operation, Request
from events.messages import Message, MessagePosted, message_key
from events.records import Record
from events.visuals import Visual
from infra.postgres import queries
from infra.rows import from_row
from producers.limits import Data, Id, Object, Token
from producers.messages import Emotion, MessageType, PostMessage, SetEmotion
from projectors.views import message_view

Seq = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]


class Send(Request, frozen=True, kw_only=True):
    room: Id
    #: Made by you, unique for ever: the same token gives the first message again.
    token: Token
    type: MessageType = "text"
    content: Object
    data: Data = {}


class Read(Request, frozen=True, kw_only=True):
    room: Id
    #: Messages below this sequence number, the nearest; without before and after: the last ones.
    before: Seq | None = None
    #: Messages above this sequence number, the nearest.
    after: Seq | None = None
    limit: Limit = 50


class Get(Request, frozen=True, kw_only=True):
    room: Id
    message: Id


class Detect(Request, frozen=True, kw_only=True):
    room: Id
    message: Id
    emotion: Emotion


async def send(call: Call, request: Send) -> dict[str, Any]:
    await _not_blocked(call, request.room)
    command = PostMessage(
        room=request.room, token=request.token, type=request.type, content=request.content, data=request.data
    )
    outcome = await call.submit(command, key=request.token)
    return {"message": message_view(posted(outcome.records[0]))}


def posted(record: Record) -> Message:
    """The message as it was first said."""
    event = record.data
    assert isinstance(event, MessagePosted)
    return Message(
        id=event.message, room=record.stream, seq=event.seq, author=record.actor, token=event.token,
        type=event.type, content=event.content, data=event.data, created=record.time, updated=record.time,
        version=record.offset,
    )  # fmt: skip


async def _not_blocked(call: Call, room: str) -> None:
    """In a direct room nobody writes to somebody with a block between them: a check a moment late."""
    if (await call.row(queries("rooms")["direct_blocked"], room, call.user))[0]:
        raise Problem("forbidden", "expected people who may talk with each other; a block stands between you")


async def read(call: Call, request: Read) -> dict[str, Any]:
    if request.before is not None and request.after is not None:
        raise Problem("invalid", "expected before or after, got both")
    await inside(call, request.room)
    sql = queries("messages")["before" if request.after is None else "after"]
    place = request.after if request.after is not None else request.before if request.before is not None else 2**62
    rows = await call.rows(sql, request.room, place, request.limit + 1)
    found = [from_row("message", row) for row in rows[: request.limit]]
    views = [message_view(one) for one in found if isinstance(one, Message)]
    if request.after is None:
        views.reverse()
    return {"messages": views, "more": len(rows) > request.limit}


async def get(call: Call, request: Get) -> dict[str, Any]:
    await inside(call, request.room)
    row = await call.row(queries("messages")["one"], request.message, request.room)
    if row is None:
        raise Problem("not_found", f"expected a message of the room, found none with id {request.message}")
    message = from_row("message", row)
    assert isinstance(message, Message)
    return {"message": message_view(message)}


async def set_emotion(call: Call, request: Detect) -> dict[str, Any]:
    row = await call.row(queries("visuals")["of_author"], request.message, request.room)
    if row is None:
        raise Problem("not_found", f"expected a message of the room, found none with id {request.message}")
    shown = row["emotion_data"] is not None and Visual.supports(row["emotion_data"], request.emotion)
    outcome = await call.submit(
        SetEmotion(room=request.room, message=request.message, emotion=request.emotion, shown=shown)
    )
    message = outcome.state[message_key(request.message)]
    assert isinstance(message, Message)
    return {"message": message_view(message), "shown": shown}


OPERATIONS = [
    Operation("messages.send", "POST", "/v1/rooms/{room}/messages", "user", Send, send,
              "Say something in a room you are in", {"message": "Message"}, 201),
    Operation("messages.read", "GET", "/v1/rooms/{room}/messages", "user", Read, read,
              "Messages of a room you are in, in order", {"messages": "[Message]", "more": "boolean"}),
    Operation("messages.get", "GET", "/v1/rooms/{room}/messages/{message}", "user", Get, get,
              "One message", {"message": "Message"}),
    Operation("messages.set_emotion", "PUT", "/v1/rooms/{room}/messages/{message}/emotion", "service", Detect,
              set_emotion, "Note what emotion a message shows", {"message": "Message", "shown": "boolean"}),
]  # fmt: skip
