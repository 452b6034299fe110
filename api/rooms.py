"""Rooms: making, finding, reading, changing, archiving, deleting."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID, uuid5

import msgspec

from api import pages
from api.blocks import barred, gone, unreachable
from api.calls import Call
from api.invitations import guests
from api.pages import Cursor, Limit, Query, Rank, Search, Text
from api.problems import Problem
from api.surface import Operation, Request
from events.clock import uuid7
from events.invitations import Invitation, invitation_key
from events.members import Member, member_key
from events.messages import Message, message_key
from events.records import Entity, Key
from events.rooms import Room, RoomType, direct_room, room_key
from infra.postgres import queries
from infra.rows import from_row, load
from producers.commands import Command, Outcome
from producers.limits import Data, DataPatch, Description, Id, ReadName, ShownName, Slug
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


class Create(Request, frozen=True, kw_only=True):
    #: ``public``: anyone finds it and may join. ``private``: members let others in. ``direct``: with one other.
    type: RoomType
    #: A slug of your choice, unique for ever; without it the server makes an id. `irc-...` is an import's to choose.
    id: Slug | None = None
    #: The others; yourself is added. A direct room has exactly one other. Who does not let you add them is invited.
    members: Annotated[list[Id], msgspec.Meta(max_length=INITIAL_MEMBERS)] = []
    #: Letters, digits, spaces and - _ . ' & #, in any script. Not of a direct room.
    name: ShownName | None = None
    #: A text that shows something.
    description: Description | None = None
    settings: SettingsPatch = SettingsPatch()
    data: Data = {}


class Find(Request, frozen=True, kw_only=True):
    #: Searches rooms by name: those you are in, and public ones.
    name: Query | None = None
    #: Without a name: the rooms you are in, or all public ones; the latest activity first.
    scope: Literal["mine", "public"] = "mine"
    limit: Limit = 50
    cursor: Cursor | None = None


class Get(Request, frozen=True, kw_only=True):
    room: Id


class Change(Request, frozen=True, kw_only=True):
    room: Id
    #: Of a direct room empty, as it is read: it has none.
    name: ReadName | None = None
    #: null: none from here on.
    description: Description | msgspec.UnsetType | None = msgspec.UNSET
    #: What is not named stays.
    settings: SettingsPatch | None = None
    data: DataPatch | None = None


class History(Request, frozen=True, kw_only=True):
    room: Id
    #: Offset below which to look; the latest without it.
    before: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] = 2**62
    limit: Limit = 50


_MEMBER_FIELDS = tuple(name for name in Member.__struct_fields__ if name not in ("room", "user"))


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


async def entries(connection: Any, rows: list[Any], user: str) -> list[dict[str, Any]]:
    """Entries from rows of rooms with ``m_`` columns of the own membership; the last messages in one query."""
    last = await load(connection, [message_key(row["last"]) for row in rows if row["last"] is not None])
    found = []
    for row in rows:
        room = from_row("room", row)
        member = Member(room=row["id"], user=user, **{name: row[f"m_{name}"] for name in _MEMBER_FIELDS})
        message = None if row["last"] is None else last[message_key(row["last"])]
        assert isinstance(room, Room) and isinstance(message, Message | None)
        found.append(entry(room, member, message, row["peer"]))
    return found


async def create(call: Call, request: Create) -> dict[str, Any]:
    others = [user for user in dict.fromkeys(request.members) if user != call.user]
    room = _direct(call, request, others) if request.type == "direct" else _id(call, request)
    asked = await guests(call, room, others)
    what = "talk with them" if request.type == "direct" else "make a room with them"
    problem = await unreachable(call, others, what) or asked.refusal
    command = CreateRoom(
        room=room, type=request.type, name=request.name or "", description=request.description,
        settings=request.settings, data=request.data, members=[call.user, *asked.joining],
        unwilling=list(asked.unwilling), invited=list(asked.invited),
    )  # fmt: skip
    invitations = [invitation_key(room, user) for user in others]
    outcome = await call.submit(command, unless=problem, shows=(room_key(room), *invitations))
    waiting = [key[2] for key in invitations if _waits(outcome.state.get(key))]
    return {**changed(outcome, room), "invited": waiting}


def _waits(invitation: Entity | None) -> bool:
    return isinstance(invitation, Invitation) and invitation.state == "pending"


def _direct(call: Call, request: Create, others: list[str]) -> str:
    if len(others) != 1 or len(request.members) > 2:
        raise Problem("invalid", f"members: expected exactly one other, got {len(others)}")
    for field in ("name", "description", "id"):
        if getattr(request, field) is not None:
            raise Problem("invalid", f"{field}: a direct room has none; it is shown under the other's name")
    if request.settings != SettingsPatch():
        raise Problem("invalid", "settings: a direct room has none; expected no settings")
    return direct_room("default", call.user, others[0])


def _id(call: Call, request: Create) -> str:
    if request.name is None:
        raise Problem("invalid", "name: expected one, unless the room is direct")
    if request.id is not None:
        check_slug(request.id)
        return request.id
    # The stream of a repeated command must be the same, so the id comes from the key.
    return uuid7() if call.key is None else keyed_id(call, "room")


def keyed_id(call: Call, kind: str) -> str:
    """An id that is the same whenever the caller repeats a command with its key."""
    return str(uuid5(_KEYED, f"{kind}/{call.user}/{call.key}"))


def changed(outcome: Outcome, room: str) -> dict[str, Any]:
    """The room as a command left it."""
    found = outcome.state[room_key(room)]
    assert isinstance(found, Room)
    return {"room": room_view(found)}


def own_entry(outcome: Outcome, room: str, user: str) -> dict[str, Any]:
    """The entry of a room from what a command left."""
    state: dict[Key, Entity | None] = outcome.state
    found, member = state.get(room_key(room)), state.get(member_key(room, user))
    assert isinstance(found, Room) and isinstance(member, Member | None)
    return entry(found, member, None)


async def find(call: Call, request: Find) -> dict[str, Any]:
    if request.name is not None:
        return await _search(call, request, Search(request.name))
    updated, id = pages.decode_latest(request.cursor)
    if request.scope == "public":
        rows = await call.rows(queries("rooms")["public"], call.user, updated, id, request.limit + 1)
        found = [_listed(row) for row in rows[: request.limit]]
    else:
        async with call.reading() as connection:
            rows = await connection.fetch(queries("rooms")["of_member"], call.user, updated, id, request.limit + 1)
            found = await entries(connection, rows[: request.limit], call.user)
    last = rows[request.limit - 1] if len(rows) > request.limit else None
    return {"rooms": found, "next": None if last is None else pages.encode(last["updated"], last["id"])}


def _listed(row: Any) -> dict[str, Any]:
    """A room that the caller may not be in: without what is said there."""
    room = from_row("room", row)
    assert isinstance(room, Room)
    return {"room": room_view(room), "joined": row["m_role"] is not None}


async def _search(call: Call, request: Find, search: Search) -> dict[str, Any]:
    tier, folded, id = pages.decode(request.cursor, tuple[Rank, Text, Text], (-3, "", ""))
    rows = await call.rows(
        queries("rooms")["search"], search.grams, search.anywhere, search.first, call.user, tier, folded, id,
        request.limit + 1, search.folded,
    )  # fmt: skip
    found = [_listed(row) for row in rows[: request.limit]]
    last = rows[request.limit - 1] if len(rows) > request.limit else None
    more = None if last is None else pages.encode(last["tier"], last["folded"], last["id"])
    return {"rooms": found, "next": more}


async def get(call: Call, request: Get) -> dict[str, Any]:
    async with call.reading() as connection:
        row = await connection.fetchrow(queries("rooms")["of_member_one"], call.user, request.room)
        if row is None:
            raise gone(request.room)
        (found,) = await entries(connection, [row], call.user)
    return found


async def change(call: Call, request: Change) -> dict[str, Any]:
    problem = await barred(call, request.room, "change the room")
    command = ChangeRoom(
        room=request.room, name=request.name, description=request.description, settings=request.settings,
        data=request.data,
    )  # fmt: skip
    return await _changing(call, request.room, command, unless=problem)


async def archive(call: Call, request: Get) -> dict[str, Any]:
    return await _changing(call, request.room, ArchiveRoom(room=request.room))


async def unarchive(call: Call, request: Get) -> dict[str, Any]:
    return await _changing(call, request.room, UnarchiveRoom(room=request.room))


async def delete(call: Call, request: Get) -> None:
    rows = await call.rows(queries("invitations")["of_room"], request.room)
    await call.submit(DeleteRoom(room=request.room, invited=[row["user"] for row in rows]), shows=())


async def restore(call: Call, request: Get) -> dict[str, Any]:
    return await _changing(call, request.room, RestoreRoom(room=request.room))


async def _changing(call: Call, room: str, command: Command, unless: Problem | None = None) -> dict[str, Any]:
    outcome = await call.submit(command, unless=unless, shows=(room_key(room),))
    return changed(outcome, room)


async def inside(call: Call, room: str) -> None:
    """Refuses a room that the caller is not in: to them it does not exist."""
    if not (await call.row(queries("rooms")["is_member"], room, call.user))[0]:
        raise gone(room)


#: Events that only who caused them is shown in a room's history.
_OWN_EVENTS = ("member.read", "member.notifications_set")
#: Events that only those two are shown between whom they passed, and who caused them.
_PERSONAL_EVENTS = ("member.invited", "invitation.declined", "invitation.withdrawn")


def _is_for(row: Any, user: str) -> bool:
    """Whether an event of a room is shown to one of its members."""
    if row["type"] in _PERSONAL_EVENTS:
        return user in (row["actor"], row["data"]["user"], row["data"].get("by"))
    return row["type"] not in _OWN_EVENTS or row["actor"] == user


def _shown(row: Any) -> dict[str, Any]:
    """An event's data as members see it: nothing of a deleted message, no emotion that its author's visual lacks."""
    data: dict[str, Any] = row["data"]
    if row["gone"] and "content" in data:
        return {**data, "content": {}, "data": {}}
    if row["type"] == "message.emotion_detected" and (row["gone"] or not data["shown"]):
        return {**data, "emotion": None, "shown": False}
    return data


async def history(call: Call, request: History) -> dict[str, Any]:
    await inside(call, request.room)
    rows = await call.rows(queries("rooms")["changes"], request.room, request.before, request.limit)
    return shown_changes(call, rows, request.limit)


def shown_changes(call: Call, rows: list[Any], limit: int) -> dict[str, Any]:
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
    Operation("rooms.create", "POST", "/v1/rooms", "user", Create, create,
              "Make a public or private room, or talk with one other (the same two always get the same direct room)",
              {"room": "Room", "invited": "[string]"}, 201, limit="create"),
    Operation("rooms.find", "GET", "/v1/rooms", "user", Find, find,
              "The rooms you are in, with last message and unread count; public rooms; or rooms by name",
              {"rooms": "[Entry]", "next": "cursor"}),
    Operation("rooms.get", "GET", "/v1/rooms/{room}", "user", Get, get,
              "A room you are in",
              {"room": "Room", "member": "Member", "unread": "integer", "message": "Message", "peer": "peer"}),
    Operation("rooms.change", "PATCH", "/v1/rooms/{room}", "user", Change, change,
              "Change a room's name, description, settings or data map", {"room": "Room"}),
    Operation("rooms.archive", "PUT", "/v1/rooms/{room}/archive", "user", Get, archive,
              "Archive a room: it can be read and left, but not written to", {"room": "Room"}),
    Operation("rooms.unarchive", "DELETE", "/v1/rooms/{room}/archive", "user", Get, unarchive,
              "Take an archived room into use again", {"room": "Room"}),
    Operation("rooms.delete", "DELETE", "/v1/rooms/{room}", "user", Get, delete,
              "Delete a room: to its members it no longer exists; an operator can bring it back", {}, 204),
    Operation("rooms.restore", "POST", "/v1/rooms/{room}/restoration", "operator", Get, restore,
              "Bring a deleted or archived room back", {"room": "Room"}),
    Operation("rooms.history", "GET", "/v1/rooms/{room}/changes", "user", History, history,
              "The events of a room you are in, the latest first", {"changes": "[Delta]", "before": "integer"}),
]  # fmt: skip
