"""Presence and typing: what clients say and ask of it. How it travels is in ``push/``; none of it is an event."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec

from api.core.calls import Call, Services
from api.core.operation import NoPast, Operation, Request
from api.rooms import inside
from api.support.ids import Ids, ids_of
from api.support.problems import Problem
from events.core.clock import from_datetime
from infra.base.postgres import Row, queries
from producers.channels import Uint32
from producers.limits import Id
from producers.users import NoteSeen
from push.presence.channel_signals import WATCHED
from push.presence.presence import OFFLINE, PresenceState
from push.presence.presence_hub import RATE, PresenceHub
from push.presence.signal_planner import WATCHERS, entry

#: Users that the answer for one room names.
ONLINE = 1000
_PAST = NoPast("presence is never stored")


class GetPresenceRequest(Request, frozen=True, kw_only=True):
    #: Comma-separated user ids, at most 100 different ones.
    users: Annotated[Ids, msgspec.Meta(min_length=1)]


class RoomPresenceRequest(Request, frozen=True, kw_only=True):
    room: Id


class SetPresenceRequest(Request, frozen=True, kw_only=True):
    #: The room that this connection shows; null: none.
    room: Id | None
    #: ``away``: nobody is there, until the connection is used again.
    status: Literal["online", "away"] = "online"


class TypingRequest(Request, frozen=True, kw_only=True):
    room: Id
    #: Whether you write at this moment: said again every few seconds while it goes on.
    typing: bool


class WatchChannelsRequest(Request, frozen=True, kw_only=True):
    #: Their ids; none: this connection watches no channel any more. Channels that are not there are empty.
    channels: Annotated[list[Uint32], msgspec.Meta(max_length=WATCHED)]


async def note_seen(services: Services, user: str, moment: int) -> None:
    """Notes when a user's last connection ended, in Unix milliseconds. Raises Unavailable."""
    seen = from_datetime(datetime.fromtimestamp(moment / 1000, UTC))
    await Call(services, None).step(NoteSeen(user=user, seen=seen), actor="system", key=seen, everywhere=True)


def _shown(row: Row, state: PresenceState) -> dict[str, Any]:
    """Somebody's presence as the caller may see it: the room only to those who are in it too."""
    shown = entry(row["user"], state if row["inside"] else state._replace(room=None))
    return {**shown, "active": row["seen"]} if state.status == "offline" else shown


def operations(presence_hub: PresenceHub | None) -> list[Operation]:
    """The rows, answered from what all push nodes report to this process."""

    def here() -> PresenceHub:
        if presence_hub is None:
            raise Problem("unavailable", "expected a process that receives presence; ask another", retry_after=1)
        return presence_hub

    async def get(call: Call, request: GetPresenceRequest) -> dict[str, Any]:
        """``active`` of somebody offline is when they were last seen, as it was noted.

        Of people with whom the caller neither shares a room nor is a friend, or with a block between, it is told what
        is told of those who were never here: nobody learns from it that there is something to hide.
        """
        ids = ids_of("users", request.users)
        found = {user: here().state(user) for user in ids}
        rows = await call.rows(queries("presence")["visible"], ids, [state.room for state in found.values()], call.user)
        visible = {row["user"]: _shown(row, found[row["user"]]) for row in rows}
        return {"presence": [visible.get(user) or entry(user, OFFLINE) for user in ids]}

    async def of_room(call: Call, request: RoomPresenceRequest) -> dict[str, Any]:
        """Without people with a block between them and the caller, in the counts too."""
        await inside(call, request.room)
        apart = {row["user"] for row in await call.rows(queries("presence")["quarrels"], call.user)}
        online = [user for user in here().inside(request.room) if user not in apart]
        watching = [user for user in here().watching(request.room) if user not in apart]
        return {
            "online": online[:ONLINE], "count": len(online), "watching": watching[:WATCHERS], "watchers": len(watching),
        }  # fmt: skip

    async def set_(call: Call, request: SetPresenceRequest) -> None:
        assert call.connection is not None, "the row says only_rpc"
        admitted(call.connection)
        if request.room is not None:
            await entered(call, request.room)
        if not here().show(call.connection, request.room, request.status == "away"):
            raise unsubscribed()

    async def type_(call: Call, request: TypingRequest) -> None:
        admitted(call.connection or call.user)
        await entered(call, request.room)
        here().type(call.user, request.room, request.typing)

    async def watch(call: Call, request: WatchChannelsRequest) -> None:
        assert call.connection is not None, "the row says only_rpc"
        admitted(call.connection)
        if not here().watch(call.connection, request.channels):
            raise unsubscribed()

    async def entered(call: Call, room: str) -> None:
        """Refuses a room that the caller is not in, as ``inside``: one that they made a moment ago is known."""
        if not here().is_in(call.user, room):
            await call.meet_own("rooms")
            await inside(call, room)

    def unsubscribed() -> Problem:
        return Problem("invalid", "expected a connection that is subscribed to its channel, got one that is not")

    def admitted(key: str) -> None:
        if not here().admits(key):
            raise Problem("rate_limited", f"expected at most {RATE} signals a second", retry_after=1)

    return [
        Operation("presence.get", "GET", "/v1/presence", "user", GetPresenceRequest, get,
                  "Which of some users are online, away or offline", {"presence": "[Presence]"}, as_of=_PAST),
        Operation("presence.room", "GET", "/v1/rooms/{room}/presence", "user", RoomPresenceRequest, of_room,
                  "Who in a room is connected, and who has it open",
                  {"online": "[string]", "count": "integer", "watching": "[string]", "watchers": "integer"},
                  as_of=_PAST),
        Operation("presence.set", "PUT", "/v1/presence", "user", SetPresenceRequest, set_,
                  "Report which room this connection shows, and whether anybody is there", {}, 204, only_rpc=True,
                  unattended=True),
        Operation("signals.type", "PUT", "/v1/rooms/{room}/typing", "user", TypingRequest, type_,
                  "Report that you are typing in a room, or have stopped", {}, 204),
        Operation("channels.watch", "PUT", "/v1/channels/watched", "user", WatchChannelsRequest, watch,
                  "Receive on this connection who is in some live channels, from now on", {}, 204, only_rpc=True,
                  unattended=True, default_app=True),
    ]  # fmt: skip
