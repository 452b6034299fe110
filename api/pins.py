"""Pins: which messages a room keeps in sight."""

from __future__ import annotations

from typing import Any

from api import profiles
from api.blocks import barred
from api.core.calls import Call
from api.core.operation import Operation, Request
from api.history import authors
from api.messages import GetMessageRequest
from api.rooms import inside
from events.messages import Message
from events.pins import Pin, pin_key
from infra.base.postgres import queries
from infra.base.rows import from_row
from producers.limits import Id
from producers.pins import PinMessage, UnpinMessage
from projectors.views import View, message_view, pin_view


class ListPinsRequest(Request, frozen=True, kw_only=True):
    room: Id


async def pin(call: Call, request: GetMessageRequest) -> dict[str, Any]:
    problem = await barred(call, request.room, "pin messages")
    command = PinMessage(room=request.room, message=request.message)
    key = pin_key(request.room, request.message)
    outcome = await call.submit(command, unless=problem, shows=(key,))
    return {"pin": pin_view(outcome.entity(Pin, key))}


async def unpin(call: Call, request: GetMessageRequest) -> None:
    problem = await barred(call, request.room, "unpin messages")
    await call.submit(UnpinMessage(room=request.room, message=request.message), unless=problem, shows=())


async def list_(call: Call, request: ListPinsRequest) -> dict[str, Any]:
    await inside(call, request.room)
    team = await call.team()
    async with call.reading() as connection:
        rows = await connection.fetch(queries("pins")["of_room"], request.room)
        pins = [from_row(Pin, row, "p_") for row in rows]
        messages = [from_row(Message, row) for row in rows if row["id"] is not None]
        known = await authors(connection, messages, team, {one.by for one in pins})
        users = await profiles.of_users(connection, call.user, [user for user in known.values() if user])
    return listed(pins, messages, users)


def listed(pins: list[Pin], messages: list[Message], users: list[View]) -> dict[str, Any]:
    """The answer: each pin with its message, null where an operator has archived the message's month."""
    by_id = {message.id: message_view(message) for message in messages}
    return {"pins": [{"pin": pin_view(one), "message": by_id.get(one.message)} for one in pins], "users": users}


OPERATIONS = [
    Operation("messages.pin", "PUT", "/v1/rooms/{room}/messages/{message}/pin", "user", GetMessageRequest, pin,
              "Pin a message, for all members of the room", {"pin": "Pin"}),
    Operation("messages.unpin", "DELETE", "/v1/rooms/{room}/messages/{message}/pin", "user", GetMessageRequest, unpin,
              "Unpin a message", {}, 204),
    Operation("rooms.pins", "GET", "/v1/rooms/{room}/pins", "user", ListPinsRequest, list_,
              "The pinned messages of a room, the one pinned last first",
              {"pins": "[PinnedMessage]", "users": "[User]"}),
]  # fmt: skip
