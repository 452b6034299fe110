"""Rooms in the console: finding one, and how it was after any of its events."""

from __future__ import annotations

from collections import OrderedDict
from typing import Annotated, Any
from weakref import WeakKeyDictionary

import msgspec

from api.console.access import PRESENT_ONLY
from api.console.room_timeline import RoomTimeline, from_milliseconds
from api.core.calls import Call, Services
from api.core.operation import Operation, Request
from api.support.pages import Query, SearchText
from api.support.problems import Problem
from events.core.faults import quoted
from events.core.positions import Position, Shard
from events.members import Member
from events.messages import Message
from events.rooms import Room, room_key
from infra.base.postgres import queries
from infra.base.rows import from_row
from producers.engine.router import partition_of
from producers.limits import Id
from projectors.as_of.folding import Past
from projectors.views import member_view, message_view, whole_room_view

#: Members that are shown; the room says how many there are.
MEMBERS = 500
#: Rooms whose course a process remembers.
_ROOMS = 8

_timelines: WeakKeyDictionary[Services, OrderedDict[str, RoomTimeline]] = WeakKeyDictionary()


class FindConsoleRoomsRequest(Request, frozen=True, kw_only=True):
    #: A room's id, or a part of its name; without it those with the latest activity.
    name: Query | None = None


class GetConsoleRoomRequest(Request, frozen=True, kw_only=True):
    room: Id
    #: An offset in the room's shard, or a time (RFC 3339, as events have it); without both: now.
    at: Annotated[str, msgspec.Meta(max_length=30)] | None = None
    #: Instead: after so many of the room's events.
    number: Annotated[int, msgspec.Meta(ge=1)] | None = None


async def find(call: Call, request: FindConsoleRoomsRequest) -> dict[str, Any]:
    if request.name is None:
        rows = await call.rows(queries("console")["find_rooms"], None, [], "")
    else:
        search = SearchText(request.name)
        rows = await call.rows(queries("console")["find_rooms"], request.name.strip(), search.grams, search.anywhere)
    return {"rooms": [whole_room_view(from_row(Room, row)) for row in rows]}


async def get(call: Call, request: GetConsoleRoomRequest) -> dict[str, Any]:
    """What stood in the messages then, also of those that were deleted later."""
    if await call.row(queries("console")["room"], request.room) is None:
        raise Problem("not_found", f"expected the id of a room, got {quoted(request.room)}")
    timeline = _timeline(call, request.room)
    async with timeline.lock, call.reading() as connection:
        await timeline.follow(connection)
        if not timeline.offsets:
            raise Problem("unavailable", "the room's events are on their way; try again", retry_after=1)
        number = timeline.number(request.at, request.number, call.services.progress.vector.get(timeline.shard, 0))
        state, event = await timeline.state(connection, number)
    return {
        **await _shown(call, request.room, state),
        "number": number,
        "count": len(timeline.offsets),
        "position": str(Position(*timeline.shard, event.offset)),
        "event": {"type": event.type, "actor": event.actor, "time": event.time},
        "first": from_milliseconds(timeline.times[0]),
        "last": from_milliseconds(timeline.times[-1]),
    }


def _timeline(call: Call, room: str) -> RoomTimeline:
    timelines = _timelines.setdefault(call.services, OrderedDict())
    timeline = timelines.get(room)
    if timeline is None:
        timeline = timelines[room] = RoomTimeline(Shard("rooms", partition_of(room, call.settings.partitions)), room)
    timelines.move_to_end(room)
    while len(timelines) > _ROOMS:
        timelines.popitem(last=False)
    return timeline


async def _shown(call: Call, id: str, state: Past) -> dict[str, Any]:
    """The room, its members and messages, and what the people in it are called now."""
    room = state.get(room_key(id))
    members = [one for one in state.values() if isinstance(one, Member) and one.state == "joined"]
    members = sorted(members, key=_rank)[:MEMBERS]
    messages = sorted((one for one in state.values() if isinstance(one, Message)), key=lambda one: one.seq)
    people = {one.user for one in members} | {one.author for one in messages}
    people |= {user for one in messages if isinstance(user := one.content.get("user"), str)}
    names = await call.rows(queries("console")["names"], sorted(people))
    return {
        "room": whole_room_view(room) if isinstance(room, Room) else None,
        "members": [member_view(one) for one in members],
        "messages": [message_view(one) for one in messages],
        "names": {row["id"]: row["name"] for row in names},
    }


def _rank(member: Member) -> tuple[int, int]:
    return ("owner", "admin", "member").index(member.role), member.since


OPERATIONS = [
    Operation("console.rooms", "GET", "/v1/console/rooms", "operator", FindConsoleRoomsRequest, find,
              "Rooms of any kind, for operators", {"rooms": "[Room]"}, as_of=PRESENT_ONLY),
    Operation("console.room", "GET", "/v1/console/rooms/{room}", "operator", GetConsoleRoomRequest, get,
              "A room as it was after one of its events, with its members and latest messages",
              {"room": "Room", "members": "[RoomMember]", "messages": "[Message]", "names": "object",
               "number": "integer", "count": "integer", "position": "string", "event": "object", "first": "time",
               "last": "time"}, heavy=True, as_of=PRESENT_ONLY),
]  # fmt: skip
