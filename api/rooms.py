"""Rooms: making, finding, reading, changing."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID, uuid5

import msgspec

from api import pages
from api.calls import Call
from api.pages import Cursor, Limit, Query, Rank, Search, Text
from api.problems import Problem
from api.surface import Operation, Request
from api.users import reachable
from events.clock import uuid7
from events.members import Member, member_key
from events.messages import Message, message_key
from events.records import Entity, Key
from events.rooms import Room, Visibility, direct_room, room_key
from infra.postgres import queries
from infra.rows import from_row, load
from producers.commands import Outcome
from producers.limits import Data, DataPatch, Id, ShownName
from producers.rooms import INITIAL_MEMBERS, ChangeRoom, CreateRoom
from projectors.views import message_view, own_member_view, room_view

#: Namespace of ids made from idempotency keys (RFC 9562 5.5).
_KEYED = UUID("5d2bd0a4-58a5-5d0e-a2d0-0f6bb3bba6a5")


class Create(Request, frozen=True, kw_only=True):
    type: Literal["direct", "group"]
    #: The others; yourself is added. A direct room has exactly one other.
    members: Annotated[list[Id], msgspec.Meta(max_length=INITIAL_MEMBERS)] = []
    name: ShownName | None = None
    data: Data = {}
    #: Of a group: whether anyone finds it and may join, or members let others in.
    visibility: Visibility = "public"


class Find(Request, frozen=True, kw_only=True):
    #: Searches groups by name; without it: the rooms you are in.
    name: Query | None = None
    limit: Limit = 50
    cursor: Cursor | None = None


class Get(Request, frozen=True, kw_only=True):
    room: Id


class Change(Request, frozen=True, kw_only=True):
    room: Id
    name: ShownName | None = None
    data: DataPatch | None = None


class History(Request, frozen=True, kw_only=True):
    room: Id
    #: Offset below which to look; the latest without it.
    before: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] = 2**62
    limit: Limit = 50


def entry(room: Room, member: Member | None, message: Message | None, peer: str | None = None) -> dict[str, Any]:
    """A room in a list: itself, the own membership, how many messages are unread, the last one.

    ``peer`` is the other person of a direct room, under whose name it is shown.
    """
    return {
        "room": room_view(room),
        "member": None if member is None else own_member_view(member),
        "unread": 0 if member is None else max(0, room.seq - member.read),
        "message": None if message is None else message_view(message),
        "peer": peer,
    }


async def entries(connection: Any, rows: list[Any], user: str) -> list[dict[str, Any]]:
    """Entries from rows of rooms with ``m_`` columns of the own membership; the last messages in one query."""
    last = await load(connection, [message_key(row["last"]) for row in rows if row["last"] is not None])
    found = []
    for row in rows:
        room = from_row("room", row)
        member = Member(
            room=row["id"], user=user, role=row["m_role"], state=row["m_state"], since=row["m_since"],
            joined=row["m_joined"], read=row["m_read"], version=row["m_version"],
        )  # fmt: skip
        message = None if row["last"] is None else last[message_key(row["last"])]
        assert isinstance(room, Room) and isinstance(message, Message | None)
        found.append(entry(room, member, message, row["peer"]))
    return found


async def create(call: Call, request: Create) -> dict[str, Any]:
    others = [user for user in dict.fromkeys(request.members) if user != call.user]
    if request.type == "direct":
        if len(others) != 1 or len(request.members) > 2:
            raise Problem("invalid", f"members: expected exactly one other, got {len(others)}")
        if request.name is not None:
            raise Problem("invalid", "name: a direct room has none; it is shown under the other's name")
        room = direct_room("default", call.user, others[0])
    else:
        if request.name is None:
            raise Problem("invalid", "name: expected one for a group")
        room = uuid7()
    await reachable(call, others)
    command = CreateRoom(
        room=room, type=request.type, visibility=request.visibility if request.type == "group" else "private",
        name=request.name or "", data=request.data, members=[call.user, *others],
    )  # fmt: skip
    if request.type == "group" and call.key is not None:
        # The stream of a repeated command must be the same, so the id comes from the key.
        command = msgspec.structs.replace(command, room=keyed_id(call, "room"))
    return {"room": own_entry(await call.submit(command), command.room, call.user)["room"]}


def keyed_id(call: Call, kind: str) -> str:
    """An id that is the same whenever the caller repeats a command with its key."""
    return str(uuid5(_KEYED, f"{kind}/{call.user}/{call.key}"))


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
    async with call.services.pool.acquire(timeout=5) as connection:
        rows = await connection.fetch(queries("rooms")["of_member"], call.user, updated, id, request.limit + 1)
        found = await entries(connection, rows[: request.limit], call.user)
    last = rows[request.limit - 1] if len(rows) > request.limit else None
    return {"rooms": found, "next": None if last is None else pages.encode(last["updated"], last["id"])}


async def _search(call: Call, request: Find, search: Search) -> dict[str, Any]:
    rank, folded, id = pages.decode(request.cursor, tuple[Rank, Text, Text], (-1, "", ""))
    rows = await call.rows(
        queries("rooms")["search"], search.grams, search.anywhere, search.first, call.user, rank, folded, id,
        request.limit + 1,
    )  # fmt: skip
    found = []
    for row in rows[: request.limit]:
        room = from_row("room", row)
        assert isinstance(room, Room)
        found.append({"room": room_view(room), "joined": row["m_role"] is not None})
    last = rows[request.limit - 1] if len(rows) > request.limit else None
    more = None if last is None else pages.encode(last["rank"], last["folded"], last["id"])
    return {"rooms": found, "next": more}


async def get(call: Call, request: Get) -> dict[str, Any]:
    async with call.services.pool.acquire(timeout=5) as connection:
        row = await connection.fetchrow(queries("rooms")["of_member_one"], call.user, request.room)
        if row is None:
            raise Problem("not_found", f"expected a room that you are in, found none with id {request.room}")
        (found,) = await entries(connection, [row], call.user)
    return found


async def change(call: Call, request: Change) -> dict[str, Any]:
    outcome = await call.submit(ChangeRoom(room=request.room, name=request.name, data=request.data))
    return {"room": own_entry(outcome, request.room, call.user)["room"]}


async def inside(call: Call, room: str) -> None:
    """Refuses a room that the caller is not in: to them it does not exist."""
    sql = queries("rooms")["is_member"]
    if not (await call.row(sql, room, call.user))[0]:
        raise Problem("not_found", f"expected a room that you are in, found none with id {room}")


def _shown(row: Any) -> dict[str, Any]:
    """An event's data as members see it: an emotion that the author's visual cannot show is nobody's business."""
    data: dict[str, Any] = row["data"]
    hidden = row["type"] == "message.emotion_detected" and not data["shown"]
    return {**data, "emotion": None} if hidden else data


async def history(call: Call, request: History) -> dict[str, Any]:
    await inside(call, request.room)
    rows = await call.rows(queries("rooms")["changes"], request.room, request.before, request.limit)
    changes = [
        {
            "id": row["id"], "type": row["type"], "stream": row["stream"], "time": row["time"],
            "actor": row["actor"], "data": _shown(row),
            "position": f"{row['topic']}/{row['partition']}/{row['offset']}",
        }
        for row in rows
        if row["type"] != "member.read" or row["actor"] == call.user
    ]  # fmt: skip
    more = rows[-1]["offset"] if len(rows) == request.limit else None
    return {"changes": changes, "before": more}


OPERATIONS = [
    Operation("rooms.create", "POST", "/v1/rooms", "user", Create, create,
              "Start a private chat (the same two always get the same room) or a group", {"room": "Room"}, 201),
    Operation("rooms.find", "GET", "/v1/rooms", "user", Find, find,
              "The rooms you are in, with last message and unread count; or groups by name",
              {"rooms": "[Entry]", "next": "cursor"}),
    Operation("rooms.get", "GET", "/v1/rooms/{room}", "user", Get, get,
              "A room you are in",
              {"room": "Room", "member": "Member", "unread": "integer", "message": "Message", "peer": "peer"}),
    Operation("rooms.change", "PATCH", "/v1/rooms/{room}", "user", Change, change,
              "Change a room's name or data map", {"room": "Room"}),
    Operation("rooms.history", "GET", "/v1/rooms/{room}/changes", "user", History, history,
              "The events of a room you are in, the latest first", {"changes": "[Delta]", "before": "integer"}),
]  # fmt: skip
