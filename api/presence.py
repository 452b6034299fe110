"""Presence and typing: what clients say and ask of it. How it travels is in ``push/``; none of it is an event."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec

from api.calls import Call, Services
from api.problems import Problem
from api.rooms import inside
from api.surface import Operation, Request
from events.clock import from_datetime
from infra.postgres import queries
from producers.limits import Id
from producers.users import NoteSeen
from push.gathering import RATE, Gathering
from push.presence import OFFLINE, State
from push.telling import WATCHERS, entry

#: Users whose presence one call may ask for.
USERS = 100
#: Users that the answer for one room names.
ONLINE = 1000


class Get(Request, frozen=True, kw_only=True):
    #: Comma-separated user ids, at most 100.
    users: Annotated[str, msgspec.Meta(min_length=1, max_length=4000)]


class OfRoom(Request, frozen=True, kw_only=True):
    room: Id


class Set(Request, frozen=True, kw_only=True):
    #: The room that this connection shows; null: none.
    room: Id | None
    #: ``away``: nobody is there, until the connection is used again.
    status: Literal["online", "away"] = "online"


class Type(Request, frozen=True, kw_only=True):
    room: Id
    typing: bool


async def note_seen(services: Services, user: str, moment: int) -> None:
    """Notes when a user's last connection ended, in Unix milliseconds. Raises Unavailable."""
    seen = from_datetime(datetime.fromtimestamp(moment / 1000, UTC))
    await Call(services, None).step(NoteSeen(user=user, seen=seen), actor="system", key=seen)


def _shown(row: Any, state: State) -> dict[str, Any]:
    """Somebody's presence as the caller may see it: the room only to those who are in it too."""
    shown = entry(row["user"], state if row["inside"] else state._replace(room=None))
    return {**shown, "active": row["seen"]} if state.status == "offline" else shown


def operations(gathering: Gathering | None) -> list[Operation]:
    """The rows, answered from what this process hears of all push nodes."""

    def here() -> Gathering:
        if gathering is None:
            raise Problem("unavailable", "expected a process that hears of presence; ask another", retry_after=1)
        return gathering

    async def get(call: Call, request: Get) -> dict[str, Any]:
        """``active`` of somebody offline is when they were last seen, as it was noted.

        Of people with whom the caller neither shares a room nor is a friend, or with a block between, it is told what
        is told of those who were never here: nobody learns from it that there is something to hide.
        """
        ids = list(dict.fromkeys(part for part in request.users.split(",") if part))
        if len(ids) > USERS:
            raise Problem("invalid", f"users: expected at most {USERS}, got {len(ids)}")
        found = {user: here().state(user) for user in ids}
        rows = await call.rows(queries("presence")["visible"], ids, [state.room for state in found.values()], call.user)
        visible = {row["user"]: _shown(row, found[row["user"]]) for row in rows}
        return {"presence": [visible.get(user) or entry(user, OFFLINE) for user in ids]}

    async def of_room(call: Call, request: OfRoom) -> dict[str, Any]:
        """Without people with a block between them and the caller, in the counts too."""
        await inside(call, request.room)
        apart = {row["user"] for row in await call.rows(queries("presence")["quarrels"], call.user)}
        online = [user for user in here().inside(request.room) if user not in apart]
        watching = [user for user in here().watching(request.room) if user not in apart]
        return {
            "online": online[:ONLINE], "count": len(online), "watching": watching[:WATCHERS], "watchers": len(watching),
        }  # fmt: skip

    async def set_(call: Call, request: Set) -> None:
        assert call.connection is not None, "the row says only_rpc"
        admitted(call.connection)
        if request.room is not None and not here().is_in(call.user, request.room):
            await inside(call, request.room)
        if not here().show(call.connection, request.room, request.status == "away"):
            raise Problem("invalid", "expected a connection that is subscribed to its channel, got one that is not")

    async def type_(call: Call, request: Type) -> None:
        admitted(call.connection or call.user)
        if not here().is_in(call.user, request.room):
            await inside(call, request.room)
        here().type(call.user, request.room, request.typing)

    def admitted(key: str) -> None:
        if not here().admits(key):
            raise Problem("rate_limited", f"expected at most {RATE} signals a second", retry_after=1)

    return [
        Operation("presence.get", "GET", "/v1/presence", "user", Get, get,
                  "Who of some people is online, away or offline", {"presence": "[Presence]"}),
        Operation("presence.room", "GET", "/v1/rooms/{room}/presence", "user", OfRoom, of_room,
                  "Who of a room is connected, and who shows it",
                  {"online": "[string]", "count": "integer", "watching": "[string]", "watchers": "integer"}),
        Operation("presence.set", "PUT", "/v1/presence", "user", Set, set_,
                  "Say what room this connection shows, and whether anybody is there", {}, 204, only_rpc=True),
        Operation("signals.type", "PUT", "/v1/rooms/{room}/typing", "user", Type, type_,
                  "Say that you type in a room, or have stopped", {}, 204),
    ]  # fmt: skip
