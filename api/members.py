"""Members of rooms: joining, leaving, adding, roles, reading positions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import msgspec

from api import profiles
from api.blocks import barred, gone, kept_out, team_of_room, unreachable
from api.core.calls import Call
from api.core.operation import Operation, Request
from api.core.plan_limits import limits_for
from api.invitations import guests
from api.rooms import changed, inside, invited, own_entry
from api.support import pages
from api.support.containing import Containing, containing
from api.support.pages import Cursor, Limit, Offset, Text
from events.invitations import Invitation, invitation_key
from events.members import Member, Role, member_key
from events.rooms import room_key
from events.users import User
from infra.base.postgres import queries
from infra.base.rows import from_row
from producers.commands import Outcome, Refused
from producers.limits import CustomPatch, Id
from producers.members import (
    AddMember,
    ChangeMember,
    ChangeRole,
    MarkRead,
    RemoveMember,
    SetNotifications,
    TransferOwnership,
)
from projectors.views import invitation_view, member_view, own_member_view

#: Times that a leaving owner's successor is looked for, when members change meanwhile.
_SUCCESSORS = 5


class MemberRequest(Request, frozen=True, kw_only=True):
    room: Id
    #: A user id, or ``me``.
    user: Id


class SetRoleRequest(Request, frozen=True, kw_only=True):
    room: Id
    user: Id
    #: ``owner`` passes the room on; the old owner becomes an admin.
    role: Role


class ChangeMemberRequest(Request, frozen=True, kw_only=True):
    room: Id
    #: A user id, or ``me``.
    user: Id
    #: A JSON merge patch (RFC 7396) of the member's object, of at most 5 KiB, that all in the room see: null removes a
    #: name, an object is merged, all else takes its place.
    custom: CustomPatch


class Notify(Request, frozen=True, kw_only=True):
    room: Id
    #: Whether you want to be notified of the room's messages.
    notifications: bool


class ListMembersRequest(Request, frozen=True, kw_only=True):
    room: Id
    #: Of these, members whose `custom` contains this JSON object (`{"seat":{"row":4}}`), as in `rooms.find`.
    custom: Containing | None = None
    limit: Limit = 100
    cursor: Cursor | None = None


class MarkReadRequest(Request, frozen=True, kw_only=True):
    room: Id
    #: Everything up to this message is read; lower than before marks as unread again. The room's `seq` clears the
    #: count, also of messages that were deleted unread.
    seq: Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
    #: true: only forward, so that a late request does not take back what another device has read. Where more is
    #: read, it changes nothing, and answers how far that is.
    forward: bool = False


async def add(call: Call, request: MemberRequest) -> dict[str, Any]:
    user = call.user if request.user == "me" else request.user
    most, team = (await limits_for(call)).room_members, await team_of_room(call, request.room)
    if user == call.user:
        # A server that reaches the room lets nobody of another team into it, either.
        strange = call.via == "app" and team != await call.team()
        problem = gone(request.room) if strange else await kept_out(call, request.room)
        command = AddMember(room=request.room, user=user, most=most)
    else:
        asked = await guests(call, request.room, [user], team)
        problem = await unreachable(call, {user: "/user"}, "let them in", team) or asked.refusal
        command = AddMember(
            room=request.room, user=user, invite=user in asked.invited, willing=user not in asked.unwilling, most=most
        )
    added, asked_key = member_key(request.room, user), invitation_key(request.room, user)
    outcome = await call.submit(command, unless=problem, shows=(room_key(request.room), added, asked_key))
    invited = outcome.state[asked_key]
    if isinstance(invited, Invitation) and invited.state == "pending":
        return {**changed(outcome, request.room), "member": None, "invitation": invitation_view(invited)}
    member = outcome.entity(Member, added)
    # Whether somebody wants to be notified is their own affair.
    shown = own_member_view(member) if user == call.user else member_view(member)
    return {**changed(outcome, request.room), "member": shown, "invitation": None}


async def remove(call: Call, request: MemberRequest) -> None:
    user = call.user if request.user == "me" else request.user
    waiting = await invited(call, request.room)
    await put_out(call, request.room, user, waiting, lambda command: call.submit(command, shows=()))


async def put_out(
    call: Call, room: str, user: str, waiting: list[str], submit: Callable[[RemoveMember], Awaitable[Outcome]]
) -> None:
    """Puts somebody out of a room, whose next owner is found out before. Raises Refused, Unavailable.

    ``waiting``: who is asked into it, as the read models know it.
    """
    for attempt in range(_SUCCESSORS):
        row = await call.row(queries("rooms")["successor"], room, user)
        try:
            successor = None if row is None else row["user"]
            await submit(RemoveMember(room=room, user=user, successor=successor, invited=waiting))
            return
        except Refused as refusal:
            if refusal.code != "no_successor" or attempt == _SUCCESSORS - 1:
                raise
            # The read model did not know yet who else is in the room.
            await call.see_all("rooms")


async def list_(call: Call, request: ListMembersRequest) -> dict[str, Any]:
    await inside(call, request.room)
    since, user = pages.decode(request.cursor, tuple[Offset, Text], (-1, ""))
    arguments = (request.room, since, user, request.limit + 1, containing(request.custom))
    async with call.reading() as connection:
        rows = await connection.fetch(queries("rooms")["members"], *arguments)
        page = rows[: request.limit]
        users = await profiles.of_users(connection, call.user, [from_row(User, row, "u_") for row in page])
    members = [member_view(from_row(Member, row)) for row in page]
    found = [{"member": member, "user": user} for member, user in zip(members, users, strict=True)]
    last = rows[request.limit - 1] if len(rows) > request.limit else None
    return {"members": found, "next": None if last is None else pages.encode(last["since"], last["user"])}


async def set_role(call: Call, request: SetRoleRequest) -> dict[str, Any]:
    user = call.user if request.user == "me" else request.user
    shows = (member_key(request.room, user),)
    if request.role == "owner":
        outcome = await call.submit(TransferOwnership(room=request.room, user=user), shows=shows)
    else:
        outcome = await call.submit(ChangeRole(room=request.room, user=user, role=request.role), shows=shows)
    return {"member": member_view(outcome.entity(Member, member_key(request.room, user)))}


async def change(call: Call, request: ChangeMemberRequest) -> dict[str, Any]:
    user = call.user if request.user == "me" else request.user
    problem = await barred(call, request.room, "change the membership")
    command = ChangeMember(room=request.room, user=user, custom=request.custom)
    outcome = await call.submit(command, unless=problem, shows=(member_key(request.room, user),))
    return {"member": member_view(outcome.entity(Member, member_key(request.room, user)))}


async def set_notifications(call: Call, request: Notify) -> dict[str, Any]:
    command = SetNotifications(room=request.room, notifications=request.notifications)
    outcome = await call.submit(command, shows=(member_key(request.room, call.user),))
    return {"member": own_member_view(outcome.entity(Member, member_key(request.room, call.user)))}


async def mark_read(call: Call, request: MarkReadRequest) -> dict[str, Any]:
    outcome: Outcome = await call.submit(MarkRead(room=request.room, seq=request.seq, forward=request.forward))
    answer = own_entry(outcome, request.room, call.user)
    return {"member": answer["member"], "unread": answer["unread"]}


OPERATIONS = [
    Operation("members.list", "GET", "/v1/rooms/{room}/members", "user", ListMembersRequest, list_,
              "The members of a room, with profiles", {"members": "[MemberWithUser]", "next": "cursor"}),
    Operation("members.add", "PUT", "/v1/rooms/{room}/members/{user}", "user", MemberRequest, add,
              "Join a room or accept an invitation (`me`), or add others: those who do not allow it are invited",
              {"room": "Room", "member": "Member", "invitation": "Invitation"}, limit="relate"),
    Operation("members.remove", "DELETE", "/v1/rooms/{room}/members/{user}", "user", MemberRequest, remove,
              "Leave a room (`me`), remove somebody, or withdraw an invitation", {}, 204, limit="relate"),
    Operation("members.set_role", "PUT", "/v1/rooms/{room}/members/{user}/role", "user", SetRoleRequest, set_role,
              "Promote or demote a member, or pass the room on to a new owner", {"member": "RoomMember"}),
    Operation("members.change", "PATCH", "/v1/rooms/{room}/members/{user}", "user", ChangeMemberRequest, change,
              "Change the custom object of a member: your own (`me`), or another's as owner or admin",
              {"member": "RoomMember"}),
    Operation("members.set_notifications", "PUT", "/v1/rooms/{room}/notifications", "user", Notify, set_notifications,
              "Choose whether you want to be notified of a room's messages", {"member": "Member"}),
    Operation("members.read", "PUT", "/v1/rooms/{room}/read", "user", MarkReadRequest, mark_read,
              "Mark everything up to a message as read, and nothing after it; or only forward",
              {"member": "Member", "unread": "integer"}, unattended=True),
]  # fmt: skip
