"""Members of rooms: joining, leaving, adding, roles, reading positions."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from api import pages, profiles
from api.blocks import kept_out, unreachable
from api.calls import Call
from api.invitations import guests
from api.pages import Cursor, Limit, Offset, Text
from api.rooms import changed, inside, own_entry
from api.surface import Operation, Request
from events.invitations import Invitation, invitation_key
from events.members import Member, Role, member_key
from events.rooms import room_key
from events.users import User
from infra.postgres import queries
from infra.rows import from_row, table
from producers.commands import Outcome, Refused
from producers.limits import Id
from producers.members import AddMember, ChangeRole, MarkRead, RemoveMember, SetNotifications, TransferOwnership
from projectors.views import invitation_view, member_view, own_member_view

#: Times that a leaving owner's successor is looked for, when members change meanwhile.
_SUCCESSORS = 5


class Member_(Request, frozen=True, kw_only=True):
    room: Id
    #: A user id, or ``me``.
    user: Id


class SetRole(Request, frozen=True, kw_only=True):
    room: Id
    user: Id
    #: ``owner`` passes the room on; the old owner becomes an admin.
    role: Role


class Notify(Request, frozen=True, kw_only=True):
    room: Id
    notifications: bool


class List(Request, frozen=True, kw_only=True):
    room: Id
    limit: Limit = 100
    cursor: Cursor | None = None


class Read(Request, frozen=True, kw_only=True):
    room: Id
    #: Everything up to this message is read; lower than before marks as unread again. The room's `seq` clears the
    #: count, also of messages that were deleted unread.
    seq: Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
    #: true: only forward, so that a late request does not take back what another device has read. Where more is
    #: read, it changes nothing, and answers how far that is.
    forward: bool = False


async def add(call: Call, request: Member_) -> dict[str, Any]:
    user = call.user if request.user == "me" else request.user
    if user == call.user:
        problem = await kept_out(call, request.room)
        command = AddMember(room=request.room, user=user)
    else:
        asked = await guests(call, request.room, [user])
        problem = await unreachable(call, [user], "let them in") or asked.refusal
        command = AddMember(
            room=request.room, user=user, invite=user in asked.invited, willing=user not in asked.unwilling
        )
    added, asked_key = member_key(request.room, user), invitation_key(request.room, user)
    outcome = await call.submit(command, unless=problem, shows=(room_key(request.room), added, asked_key))
    invited = outcome.state[asked_key]
    if isinstance(invited, Invitation) and invited.state == "pending":
        return {**changed(outcome, request.room), "member": None, "invitation": invitation_view(invited)}
    member = outcome.state[added]
    assert isinstance(member, Member)
    # Whether somebody wants to be notified is their own affair.
    shown = own_member_view(member) if user == call.user else member_view(member)
    return {**changed(outcome, request.room), "member": shown, "invitation": None}


async def remove(call: Call, request: Member_) -> None:
    user = call.user if request.user == "me" else request.user
    invited = [row["user"] for row in await call.rows(queries("invitations")["of_room"], request.room)]
    for attempt in range(_SUCCESSORS):
        row = await call.row(queries("rooms")["successor"], request.room, user)
        try:
            successor = None if row is None else row["user"]
            command = RemoveMember(room=request.room, user=user, successor=successor, invited=invited)
            await call.submit(command, shows=())
            return
        except Refused as refusal:
            if refusal.code != "no_successor" or attempt == _SUCCESSORS - 1:
                raise
            # The read model did not know yet who else is in the room.
            await call.see_all("rooms")


async def list_(call: Call, request: List) -> dict[str, Any]:
    await inside(call, request.room)
    since, user = pages.decode(request.cursor, tuple[Offset, Text], (-1, ""))
    async with call.reading() as connection:
        rows = await connection.fetch(queries("rooms")["members"], request.room, since, user, request.limit + 1)
        users = await profiles.of_users(connection, call.user, [_profile(row) for row in rows[: request.limit]])
    found = [{"member": _member(row), "user": user} for row, user in zip(rows, users, strict=False)]
    last = rows[request.limit - 1] if len(rows) > request.limit else None
    return {"members": found, "next": None if last is None else pages.encode(last["since"], last["user"])}


def _member(row: Any) -> dict[str, Any]:
    member = from_row("member", row)
    assert isinstance(member, Member)
    return member_view(member)


def _profile(row: Any) -> User:
    # None of these is shown to others.
    own = {"credential": None, "email": None, "email_settled": 0, "seen": None, "added_by": None}
    hidden = {"id": row["user"], "state": "registered", **own}
    return User(**{name: hidden[name] if name in hidden else row[f"u_{name}"] for name in table("user").fields})


async def set_role(call: Call, request: SetRole) -> dict[str, Any]:
    user = call.user if request.user == "me" else request.user
    shows = (member_key(request.room, user),)
    if request.role == "owner":
        outcome = await call.submit(TransferOwnership(room=request.room, user=user), shows=shows)
    else:
        outcome = await call.submit(ChangeRole(room=request.room, user=user, role=request.role), shows=shows)
    member = outcome.state[member_key(request.room, user)]
    assert isinstance(member, Member)
    return {"member": member_view(member)}


async def set_notifications(call: Call, request: Notify) -> dict[str, Any]:
    command = SetNotifications(room=request.room, notifications=request.notifications)
    outcome = await call.submit(command, shows=(member_key(request.room, call.user),))
    member = outcome.state[member_key(request.room, call.user)]
    assert isinstance(member, Member)
    return {"member": own_member_view(member)}


async def mark_read(call: Call, request: Read) -> dict[str, Any]:
    outcome: Outcome = await call.submit(MarkRead(room=request.room, seq=request.seq, forward=request.forward))
    answer = own_entry(outcome, request.room, call.user)
    return {"member": answer["member"], "unread": answer["unread"]}


OPERATIONS = [
    Operation("members.list", "GET", "/v1/rooms/{room}/members", "user", List, list_,
              "Who is in a room, with profiles", {"members": "[MemberWithUser]", "next": "cursor"}),
    Operation("members.add", "PUT", "/v1/rooms/{room}/members/{user}", "user", Member_, add,
              "Join a room or accept an invitation (`me`), or let another in: who does not let you add them is invited",
              {"room": "Room", "member": "Member", "invitation": "Invitation"}, limit="relate"),
    Operation("members.remove", "DELETE", "/v1/rooms/{room}/members/{user}", "user", Member_, remove,
              "Leave a room (`me`), put another out, or withdraw an invitation", {}, 204, limit="relate"),
    Operation("members.set_role", "PUT", "/v1/rooms/{room}/members/{user}/role", "user", SetRole, set_role,
              "Promote a member, take it back, or pass the room on to a new owner", {"member": "RoomMember"}),
    Operation("members.set_notifications", "PUT", "/v1/rooms/{room}/notifications", "user", Notify, set_notifications,
              "Choose whether you want to be notified of a room's messages", {"member": "Member"}),
    Operation("members.read", "PUT", "/v1/rooms/{room}/read", "user", Read, mark_read,
              "Mark everything up to a message as read, and nothing after it; or only forward",
              {"member": "Member", "unread": "integer"}),
]  # fmt: skip
