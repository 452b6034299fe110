"""Rooms and their members as of a moment, for people who were in the room then and are in it now."""

from __future__ import annotations

from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from api import profiles, rooms
from api.core.calls import Call, Services
from api.core.moments import AsOf
from api.core.operation import AnswerAsOf
from api.members import ListMembersRequest
from api.rooms import FindRoomsRequest, GetRoomRequest, RoomHistoryRequest, entry
from api.support import pages
from api.support.containing import containing
from api.support.pages import Offset, Text
from api.support.problems import Problem
from events.core.faults import wrong
from events.core.free_json import contains
from events.messages import Message, message_key
from events.rooms import Room
from infra.base import rows
from projectors.as_of import people
from projectors.as_of import rooms as past
from projectors.as_of.rooms import Kept
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


async def inside(call: Call, as_of: AsOf, id: str) -> Inside:
    """The room as it was. Raises Problem ``not_found`` where the caller was not in it, or is not."""
    row = await as_of.row("past", "room_of", call.user, id)
    if row is not None:
        cut = await as_of.cut(id)
        if await as_of.row("past", "was_member", call.user, [id], [cut]):
            room = await past.room(as_of.connection, id, cut, _kept_by(call))
            if room is not None and room.state != "deleted":
                return Inside(room, cut, row["peer"])
    raise Problem("not_found", f"expected a room that you are in, and were in as of {as_of.moment}; found none: {id}")


def _kept_by(call: Call) -> Kept:
    return _kept.setdefault(call.services, Kept())


async def get(call: Call, request: GetRoomRequest, as_of: AsOf) -> dict[str, Any]:
    (found,) = await _entries(call, as_of, [await inside(call, as_of, request.room)])
    return found


async def _entries(call: Call, as_of: AsOf, found: list[Inside]) -> list[dict[str, Any]]:
    cuts = {one.room.id: one.cut for one in found}
    members = await past.members(as_of.connection, cuts, [call.user])
    keys = [message_key(one.room.last) for one in found if one.room.last is not None]
    # A message of a month that was put aside is shown to nobody.
    now = [one for one in (await rows.load(as_of.connection, keys)).values() if isinstance(one, Message)]
    last = {one.room: one for one in await past.messages(as_of.connection, cuts, now)}
    return [entry(one.room, members.get((one.room.id, call.user)), last.get(one.room.id), one.peer) for one in found]


async def find(call: Call, request: FindRoomsRequest, as_of: AsOf) -> dict[str, Any]:
    """By id: the order of the present, the latest activity first, would take all rooms of the caller as they were."""
    if request.name is not None or request.scope == "public":
        what = "none but with your own rooms, as searches cover only the present"
        raise Problem("invalid", errors=[wrong("/as_of", what, "it with a search")])
    place = pages.decode_id(request.cursor)
    found, more = await _from(call, as_of, place, request.limit, containing(request.custom) or {})
    return {"rooms": await _entries(call, as_of, found), "next": None if more is None else pages.encode(more)}


async def _from(
    call: Call, as_of: AsOf, place: str, limit: int, part: dict[str, Any]
) -> tuple[list[Inside], str | None]:
    """Rooms above an id in which the caller was, and which contained the part, and the id above which to go on; None
    when these were all."""
    found: list[Inside] = []
    work = past.Work(EVENTS)
    for _ in range(0, SCAN, STEP):
        listed = await as_of.rows("past", "rooms_of", call.user, place, STEP + 1)
        step = listed[:STEP]
        cuts = await as_of.moment.cuts(as_of.connection, [row["id"] for row in step if not row["deleted"]])
        was = {
            row["room"] for row in await as_of.rows("past", "was_member", call.user, list(cuts), list(cuts.values()))
        }
        there = [row for row in step if row["id"] in was]
        wanted = {row["id"]: cuts[row["id"]] for row in there[: limit - len(found)]}
        made = await past.rooms(as_of.connection, wanted, _kept_by(call), work)
        for row in there:
            if row["id"] not in made:
                return found, place
            place, room = row["id"], made[row["id"]]
            if room is not None and room.state != "deleted" and contains(room.custom, part):
                found.append(Inside(room, cuts[place], row["peer"]))
        if len(listed) <= STEP:
            return found, None
        place = step[-1]["id"]
        if len(found) == limit or work.left <= 0:
            break
    return found, place


async def history(call: Call, request: RoomHistoryRequest, as_of: AsOf) -> dict[str, Any]:
    found = await inside(call, as_of, request.room)
    rows = await as_of.rows("rooms", "changes", request.room, min(request.before, found.cut), request.limit)
    return rooms.shown_changes(call, rows, request.limit)


async def members(call: Call, request: ListMembersRequest, as_of: AsOf) -> dict[str, Any]:
    """With profiles as they were; also of those who have left since. With ``custom``, a page may have less than it
    could: all are looked at."""
    part = containing(request.custom) or {}
    found = await inside(call, as_of, request.room)
    place = pages.decode(request.cursor, tuple[Offset, Text], (-1, ""))
    listed = await as_of.rows("past", "members", request.room, found.cut, *place, request.limit + 1)
    page = listed[: request.limit]
    ids = [row["user"] for row in page]
    there = await past.members(as_of.connection, {request.room: found.cut}, ids)
    then = await people.users(as_of.connection, as_of.moment, ids)
    users = {user.id: user for user in await profiles.of_team_then(call, as_of.connection, list(then.values()))}
    more = pages.encode(page[-1]["since"], page[-1]["user"]) if len(listed) > request.limit else None
    listed_ = [
        id
        for id in ids
        if id in users and (one := there.get((request.room, id))) is not None and contains(one.custom, part)
    ]
    views = await profiles.of_users_then(as_of.connection, as_of.moment, call.user, [users[id] for id in listed_])
    found_ = [
        {"member": member_view(there[request.room, id]), "user": view} for id, view in zip(listed_, views, strict=True)
    ]
    return {"members": found_, "next": more}


#: By operation, for its row.
AS_OF: dict[str, AnswerAsOf] = {"rooms.find": find, "rooms.get": get, "rooms.history": history, "members.list": members}
