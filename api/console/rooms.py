"""Rooms in the console: finding one, and how it was after any of its events."""

from __future__ import annotations

from collections import OrderedDict
from typing import Annotated, Any
from weakref import WeakKeyDictionary

import msgspec

from api.calls import Call, Services
from api.console.course import Course, from_milliseconds
from api.pages import Query, Search
from api.problems import Problem
from api.surface import Operation, Request
from events.members import Member
from events.messages import Message
from events.positions import Position, Shard
from events.rooms import Room, room_key
from infra.postgres import queries
from infra.rows import from_row
from producers.limits import Id
from producers.router import partition_of
from projectors.asof import Past
from projectors.views import member_view, message_view, whole_room_view

#: Members that are shown; the room says how many there are.
MEMBERS = 500
#: Rooms whose course a process remembers.
_ROOMS = 8

_courses: WeakKeyDictionary[Services, OrderedDict[str, Course]] = WeakKeyDictionary()


class Find(Request, frozen=True, kw_only=True):
    #: A room's id, or a part of its name; without it those with the latest activity.
    name: Query | None = None


class Get(Request, frozen=True, kw_only=True):
    room: Id
    #: An offset in the room's shard, or a time (RFC 3339, as events have it); without both: now.
    at: Annotated[str, msgspec.Meta(max_length=30)] | None = None
    #: Instead: after so many of the room's events.
    number: Annotated[int, msgspec.Meta(ge=1)] | None = None


async def find(call: Call, request: Find) -> dict[str, Any]:
    if request.name is None:
        rows = await call.rows(queries("console")["find_rooms"], None, [], "")
    else:
        search = Search(request.name)
        rows = await call.rows(queries("console")["find_rooms"], request.name.strip(), search.grams, search.anywhere)
    return {"rooms": [whole_room_view(room) for row in rows if isinstance(room := from_row("room", row), Room)]}


async def get(call: Call, request: Get) -> dict[str, Any]:
    """What stood in the messages then, also of those that were deleted later."""
    if await call.row(queries("console")["room"], request.room) is None:
        raise Problem("not_found", f"expected the id of a room, got {request.room!r}")
    course = _course(call, request.room)
    async with course.lock, call.reading() as connection:
        await course.follow(connection)
        if not course.offsets:
            raise Problem("unavailable", "the room's events are on their way; try again", retry_after=1)
        number = course.number(request.at, request.number, call.services.progress.vector.get(course.shard, 0))
        state, event = await course.state(connection, number)
    return {
        **await _shown(call, request.room, state),
        "number": number,
        "count": len(course.offsets),
        "position": str(Position(*course.shard, event.offset)),
        "event": {"type": event.type, "actor": event.actor, "time": event.time},
        "first": from_milliseconds(course.times[0]),
        "last": from_milliseconds(course.times[-1]),
    }


def _course(call: Call, room: str) -> Course:
    courses = _courses.setdefault(call.services, OrderedDict())
    course = courses.get(room)
    if course is None:
        course = courses[room] = Course(Shard("rooms", partition_of(room, call.settings.partitions)), room)
    courses.move_to_end(room)
    while len(courses) > _ROOMS:
        courses.popitem(last=False)
    return course


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
    Operation("console.rooms", "GET", "/v1/console/rooms", "operator", Find, find,
              "Rooms of whatever kind, for operators", {"rooms": "[Room]"}),
    Operation("console.room", "GET", "/v1/console/rooms/{room}", "operator", Get, get,
              "A room as it was after one of its events, with its members and latest messages",
              {"room": "Room", "members": "[RoomMember]", "messages": "[Message]", "names": "object",
               "number": "integer", "count": "integer", "position": "string", "event": "object", "first": "time",
               "last": "time"}, heavy=True),
]  # fmt: skip
