"""Rooms and their members as of a moment, for who was in the room then and is in it now."""

from __future__ import annotations

from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from api import pages, rooms
from api.calls import Call, Services
from api.members import List
from api.pages import Offset, Text
from api.past.moments import Then
from api.past.people import latest
from api.problems import Problem
from api.rooms import Find, Get, History, entry
from events.members import Member
from events.messages import Message, message_key
from events.rooms import Room
from events.users import User
from infra import rows
from projectors.past import people
from projectors.past import rooms as past
from projectors.past.rooms import Kept
from projectors.views import member_view, user_view

_kept: WeakKeyDictionary[Services, Kept] = WeakKeyDictionary()


class Inside(NamedTuple):
    """A room as of a cut, in which the caller was, and is."""

    room: Room
    cut: int
    peer: str | None


async def inside(call: Call, then: Then, id: str) -> Inside:
    """The room as it was. Raises Problem ``not_found`` where the caller was not in it, or is not."""
    row = await then.row("past", "rooms_of", call.user, id)
    if row is not None and (found := await _then(call, then, id, row["peer"])) is not None:
        return found
    raise Problem("not_found", f"expected a room that you are in, and were in as of {then.moment}; found none: {id}")


async def _then(call: Call, then: Then, id: str, peer: str | None) -> Inside | None:
    cut = await then.cut(id)
    if not (await then.row("past", "was_member", id, call.user, cut))[0]:
        return None
    room = await past.room(then.connection, id, cut, _kept.setdefault(call.services, Kept()))
    return None if room is None or room.state == "deleted" else Inside(room, cut, peer)


async def get(call: Call, request: Get, then: Then) -> dict[str, Any]:
    return await _entry(call, then, await inside(call, then, request.room))


async def _entry(call: Call, then: Then, found: Inside) -> dict[str, Any]:
    members = await past.members(then.connection, found.room.id, found.cut, [call.user])
    message = None
    if found.room.last is not None:
        key = message_key(found.room.last)
        now = (await rows.load(then.connection, [key]))[key]
        # A message of a month that was put aside is shown to nobody.
        if isinstance(now, Message):
            (message,) = await past.messages(then.connection, found.room.id, found.cut, [now])
    return entry(found.room, members.get(call.user), message, found.peer)


async def find(call: Call, request: Find, then: Then) -> dict[str, Any]:
    if request.name is not None or request.scope == "public":
        raise Problem("invalid", "as_of: expected it with your own rooms only; searches look at what is there now")
    found = [
        inside
        for row in await then.rows("past", "rooms_of", call.user, None)
        if (inside := await _then(call, then, row["id"], row["peer"])) is not None
    ]
    by_id = {one.room.id: one for one in found}
    page, more = latest(
        [(one.room.updated, id, {"id": id}) for id, one in by_id.items()], request.cursor, request.limit
    )
    return {"rooms": [await _entry(call, then, by_id[one["id"]]) for one in page], "next": more}


async def history(call: Call, request: History, then: Then) -> dict[str, Any]:
    found = await inside(call, then, request.room)
    rows = await then.rows("rooms", "changes", request.room, min(request.before, found.cut), request.limit)
    return rooms.shown_changes(call, rows, request.limit)


async def members(call: Call, request: List, then: Then) -> dict[str, Any]:
    """With profiles as they were; also of those who have left since."""
    found = await inside(call, then, request.room)
    place = pages.decode(request.cursor, tuple[Offset, Text], (-1, ""))
    listed = await then.rows("past", "members", request.room, found.cut, *place, request.limit + 1)
    page = listed[: request.limit]
    ids = [row["user"] for row in page]
    there = await past.members(then.connection, request.room, found.cut, ids)
    users = await people.users(then.connection, then.moment, ids)
    more = pages.encode(page[-1]["since"], page[-1]["user"]) if len(listed) > request.limit else None
    views = [_with_profile(there[id], users.get(id)) for id in ids if id in there]
    return {"members": [view for view in views if view is not None], "next": more}


def _with_profile(member: Member, user: User | None) -> dict[str, Any] | None:
    return None if user is None else {"member": member_view(member), "user": user_view(user)}
