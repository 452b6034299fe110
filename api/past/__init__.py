"""``as_of``: what every read answers of a past moment, or why it has no past. One row an operation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from api.calls import Call
from api.past import messages, moments, people, rooms
from api.past.moments import Then
from api.problems import Problem
from api.surface import Operation, permit

#: Name of the parameter, of the query over HTTP and among the members over RPC.
AS_OF = "as_of"


class No(NamedTuple):
    """There is no past of this; ``because`` says it to the caller."""

    because: str


Run = Callable[[Call, Any, Then], Awaitable[dict[str, Any]]]

_OF_NOW = "sessions say where you are logged in now"
_SIGNALS = "presence is never stored"
_CONSOLE = "the console shows the present; a room's slider has `at` for its past"

#: Every operation that reads.
PAST: dict[str, Run | No] = {
    "users.find": people.find,
    "users.me": people.me,
    "users.get": people.get,
    "relationships.list": people.relationships,
    "visuals.list": people.visuals,
    "visuals.get": people.visual,
    "sessions.list": No(_OF_NOW),
    "rooms.find": rooms.find,
    "rooms.get": rooms.get,
    "rooms.history": rooms.history,
    "members.list": rooms.members,
    "messages.read": messages.read,
    "messages.get": messages.get,
    "messages.edits": messages.edits,
    "messages.search": No("searches look at what is there now; read a room with as_of instead"),
    "invitations.list": No("an invitation waits now, or is gone"),
    "sync.get": No("a snapshot is where deltas go on from; read rooms and users with as_of instead"),
    "changes.pull": No("deltas have a cursor, `since`"),
    "presence.get": No(_SIGNALS),
    "presence.room": No(_SIGNALS),
    "console.figures": No(_CONSOLE),
    "console.parked": No(_CONSOLE),
    "console.parked_stream": No(_CONSOLE),
    "console.rooms": No(_CONSOLE),
    "console.room": No(_CONSOLE),
}


async def answer(operation: Operation, call: Call, request: Any, text: str) -> dict[str, Any]:
    """What the operation answers as of the moment that ``text`` names. Raises Problem."""
    permit(operation, call)
    row = PAST[operation.name]
    if isinstance(row, No):
        raise Problem("invalid", f"{AS_OF}: expected none with {operation.name}: {row.because}")
    moment = await moments.reached(call, text)
    call.heavy = True
    # One state of the read models: what they know now and what is derived from it must agree.
    async with (
        call.reading() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        return await row(call, request, Then(connection, moment))
