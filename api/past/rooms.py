"""Rooms and their members as of a moment, for who was in the room then and is in it now."""

from __future__ import annotations

from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from api import pages, profiles, rooms
from api.calls import Call, Services
from api.members import List
from api.pages import Offset, Text
from api.past.moments import Then
from api.problems import Problem
from api.rooms import Find, Get, History, entry
from events.messages import Message, message_key
from events.rooms import Room
from infra import rows
from projectors.past import people
from projectors.past import rooms as past
from projectors.past.rooms import Kept
from projectors.views import member_view

#: Rooms that one request looks at to find those in which the caller was, by steps; and events of which it makes rooms,
#: but for the first: about 0.3 s. The page is short then, or empty, and its cursor goes on.
SCAN, STEP, EVENTS = 500, 25, 20_000

_kept: WeakKeyDictionary[Services, Kept] = WeakKeyDictionary()


class Inside(NamedTuple):
    """A room as of a cut, in which the caller was, and is."""

    room: Room
    cut: int
    peer: str | None


async def inside(call: Call, then: Then, id: str) -> Inside:
    """The room as it was. Raises Problem ``not_found`` where the caller was not in it, or is not."""
    row = await then.row("past", "room_of", call.user, id)
    if row is not None:
        cut = await then.cut(id)
        if await then.row("past", "was_member", call.user, [id], [cut]):
            room = await past.room(then.connection, id, cut, _kept_by(call))
            if room is not None and room.state != "deleted":
                return Inside(room, cut, row["peer"])
    raise Problem("not_found", f"expected a room that you are in, and were in as of {then.moment}; found none: {id}")


def _kept_by(call: Call) -> Kept:
    return _kept.setdefault(call.services, Kept())


async def get(call: Call, request: Get, then: Then) -> dict[str, Any]:
    (found,) = await _entries(call, then, [await inside(call, then, request.room)])
    return found


async def _entries(call: Call, then: Then, found: list[Inside]) -> list[dict[str, Any]]:
    cuts = {one.room.id: one.cut for one in found}
    members = await past.members(then.connection, cuts, [call.user])
    keys = [message_key(one.room.last) for one in found if one.room.last is not None]
    # A message of a month that was put aside is shown to nobody.
    now = [one for one in (await rows.load(then.connection, keys)).values() if isinstance(one, Message)]
    last = {one.room: one for one in await past.messages(then.connection, cuts, now)}
    return [entry(one.room, members.get((one.room.id, call.user)), last.get(one.room.id), one.peer) for one in found]


async def find(call: Call, request: Find, then: Then) -> dict[str, Any]:
    """By id: the order of the present, the latest activity first, would take all rooms of the caller as they were."""
    if request.name is not None or request.scope == "public":
        raise Problem("invalid", "as_of: expected it with your own rooms only; searches look at what is there now")
    (place,) = pages.decode(request.cursor, tuple[Text], ("",))
    found, more = await _from(call, then, place, request.limit)
    return {"rooms": await _entries(call, then, found), "next": None if more is None else pages.encode(more)}


async def _from(call: Call, then: Then, place: str, limit: int) -> tuple[list[Inside], str | None]:
    """Rooms above an id in which the caller was, and the id above which to go on; None when these were all."""
    found: list[Inside] = []
    work = past.Work(EVENTS)
    for _ in range(0, SCAN, STEP):
        listed = await then.rows("past", "rooms_of", call.user, place, STEP + 1)
        step = listed[:STEP]
        cuts = await then.moment.cuts(then.connection, [row["id"] for row in step if not row["deleted"]])
        was = {row["room"] for row in await then.rows("past", "was_member", call.user, list(cuts), list(cuts.values()))}
        there = [row for row in step if row["id"] in was]
        wanted = {row["id"]: cuts[row["id"]] for row in there[: limit - len(found)]}
        made = await past.rooms(then.connection, wanted, _kept_by(call), work)
        for row in there:
            if row["id"] not in made:
                return found, place
            place, room = row["id"], made[row["id"]]
            if room is not None and room.state != "deleted":
                found.append(Inside(room, cuts[place], row["peer"]))
        if len(listed) <= STEP:
            return found, None
        place = step[-1]["id"]
        if len(found) == limit or work.left <= 0:
            break
    return found, place


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
    there = await past.members(then.connection, {request.room: found.cut}, ids)
    users = await people.users(then.connection, then.moment, ids)
    more = pages.encode(page[-1]["since"], page[-1]["user"]) if len(listed) > request.limit else None
    listed_ = [id for id in ids if (request.room, id) in there and id in users]
    views = await profiles.of_users_then(then.connection, then.moment, call.user, [users[id] for id in listed_])
    found_ = [
        {"member": member_view(there[request.room, id]), "user": view} for id, view in zip(listed_, views, strict=True)
    ]
    return {"members": found_, "next": more}
