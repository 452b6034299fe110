"""Rooms: making, finding, reading, changing, archiving, deleting."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID, uuid5

import msgspec

from api.blocks import barred, gone, unreachable
from api.core.calls import Call
from api.core.operation import Operation, Request
from api.core.plan_limits import limits_for, take
from api.invitations import guests
from api.support import pages
from api.support.containing import Containing, containing
from api.support.pages import Cursor, Limit, Query, Rank, SearchText, Text
from api.support.problems import Problem
from events.core.clock import uuid7
from events.core.derived_ids import named_room
from events.core.faults import wrong
from events.core.records import Entity
from events.invitations import Invitation, invitation_key
from events.members import Member, member_key
from events.messages import Message, loaded_message, message_key
from events.rooms import Room, RoomCreated, RoomType, direct_room, room_key
from infra.base.postgres import Connection, Row, queries
from infra.base.rows import from_row, load
from producers.commands import Command, Outcome
from producers.limits import Custom, CustomPatch, Data, DataPatch, Description, Id, ReadName, RoomName, Slug, TopicLine
from producers.rooms import (
    INITIAL_MEMBERS,
    ArchiveRoom,
    ChangeRoom,
    CreateRoom,
    DeleteRoom,
    RestoreRoom,
    SettingsPatch,
    UnarchiveRoom,
    check_slug,
)
from projectors.views import message_view, own_member_view, room_view

#: Namespace of ids made from idempotency keys (RFC 9562 5.5).
_KEYED = UUID("5d2bd0a4-58a5-5d0e-a2d0-0f6bb3bba6a5")


class CreateRoomRequest(Request, frozen=True, kw_only=True):
    #: ``public``: anyone finds it and may join. ``private``: members let others in. ``direct``: with one other.
    type: RoomType
    #: A slug of your choice, unique for ever; without it the server makes an id. `irc-...` is an import's to choose.
    id: Slug | None = None
    #: The others; you are added. A direct room has exactly one other. Who does not let you add them is invited.
    members: Annotated[list[Id], msgspec.Meta(max_length=INITIAL_MEMBERS)] = []
    #: One line that people see, with signs and emoji too, kept in NFC; the address is `id`. Not of a direct room.
    name: RoomName | None = None
    #: What the room is for, in some lines; line ends are kept. Not only white space and hidden characters.
    description: Description | None = None
    #: What it is about today, in one line. Not of a direct room.
    topic_line: TopicLine | None = None
    #: What is not named is as a room has it from the start.
    settings: SettingsPatch = SettingsPatch()
    #: Additional information for apps: texts by name, seen by all who see the room.
    data: Data = {}
    #: A JSON object of your own, seen by all who see the room: at most 5 KiB, 5 levels, 100 names in all. A name with
    #: null is left out.
    custom: Custom = {}


class FindRoomsRequest(Request, frozen=True, kw_only=True):
    #: Searches rooms by name: those you are in, and public ones.
    name: Query | None = None
    #: Without a name: the rooms you are in, or all public ones; the latest activity first.
    scope: Literal["mine", "public"] = "mine"
    #: Of these, rooms whose `custom` contains this JSON object (`{"course":{"term":3}}`): each of its names, with a
    #: value that contains its value; of an array each item, wherever it stands.
    custom: Containing | None = None
    limit: Limit = 50
    cursor: Cursor | None = None


class GetRoomRequest(Request, frozen=True, kw_only=True):
    room: Id


class ChangeRoomRequest(Request, frozen=True, kw_only=True):
    room: Id
    #: Of a direct room empty, as it is read: it has none.
    name: ReadName | None = None
    #: null: none from here on.
    description: Description | msgspec.UnsetType | None = msgspec.UNSET
    #: null: none from here on.
    topic_line: TopicLine | msgspec.UnsetType | None = msgspec.UNSET
    #: What is not named stays.
    settings: SettingsPatch | None = None
    #: What is not named stays; null removes an entry.
    data: DataPatch | None = None
    #: A JSON merge patch (RFC 7396) of the object: null removes a name, an object is merged, all else takes its place.
    custom: CustomPatch | None = None


class RoomHistoryRequest(Request, frozen=True, kw_only=True):
    room: Id
    #: Offset below which to look; the latest without it.
    before: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] = 2**62
    limit: Limit = 50


def entry(room: Room, member: Member | None, message: Message | None, peer: str | None = None) -> dict[str, Any]:
    """A room in a list: itself, the own membership, how many messages are unread, the last one.

    ``peer`` is the other person of a direct room, under whose name it is shown.
    """
    shown = room_view(room)
    return {
        "room": shown,
        "member": None if member is None else own_member_view(member),
        "unread": 0 if member is None else max(0, shown["seq"] - member.read),
        "message": None if message is None or room.state == "deleted" else message_view(message),
        "peer": peer,
    }


async def entries(connection: Connection, rows: list[Row]) -> list[dict[str, Any]]:
    """Entries from rows of rooms with ``m_`` columns of the own membership; the last messages in one query."""
    last = await load(connection, [message_key(row["last"]) for row in rows if row["last"] is not None])
    found = []
    for row in rows:
        message = None if row["last"] is None else loaded_message(last, row["last"])
        found.append(entry(from_row(Room, row), from_row(Member, row, "m_"), message, row["peer"]))
    return found


async def create(call: Call, request: CreateRoomRequest) -> dict[str, Any]:
    others = [user for user in dict.fromkeys(request.members) if user != call.user]
    team = await call.team()
    room = _direct(call, request, others, team) if request.type == "direct" else _id(call, request)
    asked = await guests(call, room, others, team)
    what = "talk with them" if request.type == "direct" else "make a room with them"
    # Of one who is named twice, the first place.
    where = {user: n for n, user in reversed([*enumerate(request.members)])}
    places = {user: f"/members/{where[user]}" for user in others}
    problem = await unreachable(call, places, what, team) or asked.refusal
    command = CreateRoom(
        room=room, type=request.type, slug=request.id, name=request.name or "", description=request.description,
        topic_line=request.topic_line, settings=request.settings, data=request.data, custom=request.custom,
        team=team, members=[call.user, *asked.joining], unwilling=list(asked.unwilling), invited=list(asked.invited),
        most=(await limits_for(call)).room_members,
    )  # fmt: skip
    invitations = [invitation_key(room, user) for user in others]
    with await take(call, "rooms") as taking:
        command = msgspec.structs.replace(command, full=taking.full)
        outcome = await call.submit(command, unless=problem, shows=(room_key(room), *invitations))
        taking.made(outcome, new=any(isinstance(one.data, RoomCreated) for one in outcome.records))
    waiting = [key[2] for key in invitations if _waits(outcome.state.get(key))]
    return {**changed(outcome, room), "invited": waiting}


def _waits(invitation: Entity | None) -> bool:
    return isinstance(invitation, Invitation) and invitation.state == "pending"


def _direct(call: Call, request: CreateRoomRequest, others: list[str], team: str | None) -> str:
    if len(others) != 1 or len(request.members) > 2:
        raise Problem("invalid", errors=[wrong("/members", "exactly one other", f"{len(others)}")])
    for field in ("name", "description", "topic_line", "id"):
        if getattr(request, field) is not None:
            what = "none, as a direct room is shown under the other's name"
            raise Problem("invalid", errors=[wrong(f"/{field}", what, "one")])
    if request.settings != SettingsPatch():
        raise Problem("invalid", errors=[wrong("/settings", "none, as a direct room has none", "some")])
    return direct_room(call.app, call.user, others[0], team)


def _id(call: Call, request: CreateRoomRequest) -> str:
    if request.name is None:
        raise Problem("invalid", errors=[wrong("/name", "one, unless the room is direct", "none")])
    if request.id is not None:
        check_slug(request.id)
        return named_room(call.app, request.id)
    # The stream of a repeated command must be the same, so the id comes from the key.
    return uuid7() if call.key is None else keyed_id(call, "room")


def keyed_id(call: Call, kind: str) -> str:
    """An id that is the same whenever the caller repeats a command with its key."""
    return str(uuid5(_KEYED, f"{kind}/{call.user}/{call.key}"))


def changed(outcome: Outcome, room: str) -> dict[str, Any]:
    """The room as a command left it."""
    return {"room": room_view(outcome.entity(Room, room_key(room)))}


def own_entry(outcome: Outcome, room: str, user: str) -> dict[str, Any]:
    """The entry of a room from what a command left."""
    member = outcome.state.get(member_key(room, user))
    return entry(outcome.entity(Room, room_key(room)), member if isinstance(member, Member) else None, None)


async def find(call: Call, request: FindRoomsRequest) -> dict[str, Any]:
    if request.name is not None:
        return await _search(call, request, SearchText(request.name))
    updated, id = pages.decode_latest(request.cursor)
    part = containing(request.custom)
    arguments = (call.user, updated, id, request.limit + 1)
    if request.scope == "public" and part is None:
        rows = await call.rows(queries("rooms")["public"], *arguments, call.app, await call.team())
        found = [_listed(row) for row in rows[: request.limit]]
    elif request.scope == "public":
        rows = await call.rows(queries("rooms")["public_with"], *arguments, part, call.app, await call.team())
        found = [_listed(row) for row in rows[: request.limit]]
    else:
        async with call.reading() as connection:
            rows = await connection.fetch(queries("rooms")["of_member"], *arguments, part)
            found = await entries(connection, rows[: request.limit])
    last = rows[request.limit - 1] if len(rows) > request.limit else None
    return {"rooms": found, "next": None if last is None else pages.encode(last["updated"], last["id"])}


def _listed(row: Row) -> dict[str, Any]:
    """A room that the caller may not be in: without what is said there."""
    return {"room": room_view(from_row(Room, row)), "joined": row["m_role"] is not None}


async def _search(call: Call, request: FindRoomsRequest, search: SearchText) -> dict[str, Any]:
    tier, folded, id = pages.decode(request.cursor, tuple[Rank, Text, Text], (-3, "", ""))
    rows = await call.rows(
        queries("rooms")["search"], search.grams, search.anywhere, search.first, call.user, tier, folded, id,
        request.limit + 1, search.folded, containing(request.custom), call.app, await call.team(),
    )  # fmt: skip
    found = [_listed(row) for row in rows[: request.limit]]
    last = rows[request.limit - 1] if len(rows) > request.limit else None
    more = None if last is None else pages.encode(last["tier"], last["folded"], last["id"])
    return {"rooms": found, "next": more}


async def get(call: Call, request: GetRoomRequest) -> dict[str, Any]:
    async with call.reading() as connection:
        row = await connection.fetchrow(queries("rooms")["of_member_one"], call.user, request.room)
        if row is None:
            raise gone(request.room)
        (found,) = await entries(connection, [row])
    return found


async def change(call: Call, request: ChangeRoomRequest) -> dict[str, Any]:
    problem = await barred(call, request.room, "change the room")
    command = ChangeRoom(
        room=request.room, name=request.name, description=request.description,
        topic_line=request.topic_line, settings=request.settings, data=request.data, custom=request.custom,
    )  # fmt: skip
    return await _changing(call, request.room, command, unless=problem)


async def archive(call: Call, request: GetRoomRequest) -> dict[str, Any]:
    return await _changing(call, request.room, ArchiveRoom(room=request.room))


async def unarchive(call: Call, request: GetRoomRequest) -> dict[str, Any]:
    return await _changing(call, request.room, UnarchiveRoom(room=request.room))


async def delete(call: Call, request: GetRoomRequest) -> None:
    await call.submit(DeleteRoom(room=request.room, invited=await invited(call, request.room)), shows=())


async def invited(call: Call, room: str) -> list[str]:
    """Whose answers are waited for in a room, those whom the caller asked a moment ago among them: they go with it."""
    await call.meet_own("rooms")
    return await waiting_for(call, room)


async def waiting_for(call: Call, room: str) -> list[str]:
    """Whose answers are waited for in a room, as the read models have it."""
    return [row["user"] for row in await call.rows(queries("invitations")["of_room"], room)]


async def restore(call: Call, request: GetRoomRequest) -> dict[str, Any]:
    return await _changing(call, request.room, RestoreRoom(room=request.room))


async def _changing(call: Call, room: str, command: Command, unless: Problem | None = None) -> dict[str, Any]:
    outcome = await call.submit(command, unless=unless, shows=(room_key(room),))
    return changed(outcome, room)


async def inside(call: Call, room: str) -> None:
    """Refuses a room that the caller is not in: to them it does not exist."""
    [row] = await call.rows(queries("rooms")["is_member"], room, call.user)
    if not row[0]:
        raise gone(room)


#: Events that a room's history shows only to the user who caused them.
_OWN_EVENTS = ("member.read", "member.notifications_set")
#: Events that only those two are shown between whom they passed, and who caused them.
_PERSONAL_EVENTS = ("member.invited", "invitation.declined", "invitation.withdrawn")


def _is_for(row: Row, user: str) -> bool:
    """Whether an event of a room is shown to one of its members."""
    if row["type"] in _PERSONAL_EVENTS:
        return user in (row["actor"], row["data"]["user"], row["data"].get("by"))
    return row["type"] not in _OWN_EVENTS or row["actor"] == user


def _shown(row: Row) -> dict[str, Any]:
    """An event's data as members see it: nothing of a deleted message, no emotion that its author's visual lacks."""
    data: dict[str, Any] = row["data"]
    if row["gone"] and "content" in data:
        return {**data, "content": {}, "data": {}}
    if row["type"] == "message.emotion_detected" and (row["gone"] or not data["shown"]):
        return {**data, "emotion": None, "shown": False}
    return data


async def history(call: Call, request: RoomHistoryRequest) -> dict[str, Any]:
    await inside(call, request.room)
    rows = await call.rows(queries("rooms")["changes"], request.room, request.before, request.limit)
    return shown_changes(call, rows, request.limit)


def shown_changes(call: Call, rows: list[Row], limit: int) -> dict[str, Any]:
    """A page of a room's history as the caller may see it."""
    changes = [
        {
            "id": row["id"], "type": row["type"], "stream": row["stream"], "time": row["time"],
            "actor": row["actor"], "data": _shown(row),
            "position": f"{row['topic']}/{row['partition']}/{row['offset']}",
        }
        for row in rows
        if _is_for(row, call.user)
    ]  # fmt: skip
    more = rows[-1]["offset"] if len(rows) == limit else None
    return {"changes": changes, "before": more}


OPERATIONS = [
    Operation("rooms.create", "POST", "/v1/rooms", "user", CreateRoomRequest, create,
              "Make a public or private room, or talk with one other (the same two always get the same direct room)",
              {"room": "Room", "invited": "[string]"}, 201, limit="create"),
    Operation("rooms.find", "GET", "/v1/rooms", "user", FindRoomsRequest, find,
              "The rooms you are in, with last message and unread count; public rooms; or rooms by name",
              {"rooms": "[Entry]", "next": "cursor"}),
    Operation("rooms.get", "GET", "/v1/rooms/{room}", "user", GetRoomRequest, get,
              "A room you are in",
              {"room": "Room", "member": "Member", "unread": "integer", "message": "Message", "peer": "peer"}),
    Operation("rooms.change", "PATCH", "/v1/rooms/{room}", "user", ChangeRoomRequest, change,
              "Change a room's name, description, topic line, settings, data map or custom object", {"room": "Room"}),
    Operation("rooms.archive", "PUT", "/v1/rooms/{room}/archive", "user", GetRoomRequest, archive,
              "Archive a room: it can be read and left, but not written to", {"room": "Room"}),
    Operation("rooms.unarchive", "DELETE", "/v1/rooms/{room}/archive", "user", GetRoomRequest, unarchive,
              "Unarchive a room", {"room": "Room"}),
    Operation("rooms.delete", "DELETE", "/v1/rooms/{room}", "user", GetRoomRequest, delete,
              "Delete a room: for its members it no longer exists; an operator can restore it", {}, 204),
    Operation("rooms.restore", "POST", "/v1/rooms/{room}/restoration", "operator", GetRoomRequest, restore,
              "Restore a deleted or archived room", {"room": "Room"}),
    Operation("rooms.history", "GET", "/v1/rooms/{room}/changes", "user", RoomHistoryRequest, history,
              "The events of a room you are in, the latest first", {"changes": "[Delta]", "before": "integer"}),
]  # fmt: skip
