"""Decisions about who is in a room, and in what role."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec

from events.core.faults import wrong
from events.core.free_json import same
from events.core.records import Event, Key, State
from events.invitations import invitation_key, pending
from events.members import (
    MemberCustomChanged,
    MemberJoined,
    MemberLeft,
    MemberNotificationsSet,
    MemberRead,
    MemberRoleChanged,
    Role,
    loaded_member,
    member_key,
)
from events.message_entity import message_key
from events.rooms import Room, loaded_room, room_key, settings_of
from producers.commands import CommandEnvelope, CommandType, Refused
from producers.invitations import invite, withdraw
from producers.limits import CustomPatch, Id, merged
from producers.plan_limits import reached
from producers.revertible import Revertible, RevertInRoom
from producers.roles import allow, missing, room_and_member
from producers.streams import RoomCommand


class AddMember(RoomCommand, frozen=True, kw_only=True):
    """Join a room, accept an invitation, or let another in.

    That the user exists, nobody blocks anybody, and whether the other may be added at once is found out before, on the
    read model.
    """

    user: Id
    #: The other is invited, as they do not let the actor add them.
    invite: bool = False
    #: Whether the other is added by their own choice; who joins is.
    willing: bool = True
    #: Members that a room may have by the plan of its application; None: as many as come.
    most: int | None = None


class RemoveMember(RoomCommand, frozen=True, kw_only=True):
    """Leave a room, put another out, or withdraw an invitation.

    When the owner leaves, ``successor`` becomes the owner: the oldest admin, else the oldest other member, as the read
    model knows it.
    """

    user: Id
    successor: Id | None = None
    #: Who is invited, as the read model knows it: an invitation to a direct room goes when the inviter leaves.
    invited: list[Id] = []


class ChangeRole(RoomCommand, frozen=True, kw_only=True):
    """Promote a member, or take the promotion back."""

    user: Id
    role: Literal["admin", "member"]


class TransferOwnership(RoomCommand, frozen=True, kw_only=True):
    """Pass the room on: the old owner becomes an admin."""

    user: Id


class MarkRead(RoomCommand, frozen=True, kw_only=True):
    #: Everything up to this message is read; lower than before marks as unread again.
    seq: Annotated[int, msgspec.Meta(ge=0)]
    #: Only forward: what is read already stays so.
    forward: bool = False


class SetNotifications(RoomCommand, frozen=True, kw_only=True):
    notifications: bool


class ChangeMember(RoomCommand, frozen=True, kw_only=True):
    """Change what apps keep of a member: one's own, or as owner or admin another's."""

    user: Id
    custom: CustomPatch


def _changed(envelope: CommandEnvelope[ChangeMember]) -> Sequence[Key]:
    return (*room_and_member(envelope), member_key(envelope.command.room, envelope.command.user))


def _about(envelope: CommandEnvelope[AddMember | RemoveMember | ChangeRole | TransferOwnership]) -> Sequence[Key]:
    """The room, who acts, whom it is about, and the message that may come of it."""
    command = envelope.command
    users = {envelope.actor: None, command.user: None}
    if isinstance(command, RemoveMember) and command.successor is not None:
        users[command.successor] = None
    return (room_key(command.room), message_key(envelope.id), *(member_key(command.room, user) for user in users))


def _invited(envelope: CommandEnvelope[AddMember | RemoveMember]) -> Sequence[Key]:
    """The same, and who of those whom it concerns is invited."""
    command = envelope.command
    others = command.invited if isinstance(command, RemoveMember) else ()
    users = dict.fromkeys((command.user, *others))
    return (*_about(envelope), *(invitation_key(command.room, user) for user in users))


def announcement(envelope: CommandEnvelope, room: Room) -> dict[str, Any]:
    """The fields of an event that make it a message of the room, where such are announced."""
    if room.type == "direct" or room.state != "active" or not settings_of(room.settings).announcements:
        return {}
    return {"message": envelope.id, "seq": room.seq + 1}


def add(envelope: CommandEnvelope[AddMember], state: State) -> list[Event]:
    command = envelope.command
    found = loaded_room(state, command.room)
    # A server adds people for somebody who need not be there.
    there = (command.user,) if envelope.via == "app" else (envelope.actor, command.user)
    if found is not None and found.state != "deleted" and _inside(state, command.room, *there):
        return []
    room, _ = allow(envelope, state, user=command.user)
    itself = command.user == envelope.actor
    if command.invite and not itself:
        return invite(state, room.id, [command.user])
    if command.most is not None and room.members >= command.most:
        raise reached("room_members", command.most, room.members)
    # The first to come back to a room that all had left owns it.
    role: Role = "owner" if room.owner is None and room.type != "direct" else "member"
    willing = itself or command.willing
    return [MemberJoined(user=command.user, role=role, willing=willing, **announcement(envelope, room))]


def _inside(state: State, room: str, *users: str) -> bool:
    return all(loaded_member(state, room, user) is not None for user in users)


def remove(envelope: CommandEnvelope[RemoveMember], state: State) -> list[Event]:
    command = envelope.command
    if command.user == envelope.actor and not _inside(state, command.room, envelope.actor):
        if state[member_key(command.room, command.user)] is not None:
            return []
        # The id of a direct room is derived from its two people: a third learns here no more than elsewhere.
        raise missing(command.room)
    waiting = pending(state, command.room, command.user)
    if waiting is not None and waiting.by == envelope.actor and _inside(state, command.room, envelope.actor):
        return withdraw(state, command.room, [command.user])
    room, _ = allow(envelope, state, user=command.user)
    if not _inside(state, command.room, command.user):
        return withdraw(state, command.room, [command.user])
    lapsed = withdraw(state, room.id, command.invited) if room.type == "direct" else []
    events: list[Event] = [*lapsed, MemberLeft(user=command.user, **announcement(envelope, room))]
    if room.owner == command.user and room.members > 1:
        successor = command.successor
        if successor is None or successor == command.user or not _inside(state, command.room, successor):
            raise Refused("no_successor", "expected a member to pass the ownership on to; try again")
        # After the leaving, so that no position of the log has two owners.
        events.append(MemberRoleChanged(user=successor, role="owner"))
    return events


def _other(envelope: CommandEnvelope[ChangeRole | TransferOwnership | ChangeMember], state: State) -> Room:
    """The room, if who acts may do it to the user, who is in it."""
    room, _ = allow(envelope, state, user=envelope.command.user)
    if not _inside(state, room.id, envelope.command.user):
        raise Refused("not_found", f"expected a member of the room, found none with id {envelope.command.user}")
    return room


def change_role(envelope: CommandEnvelope[ChangeRole], state: State) -> list[Event]:
    command = envelope.command
    room = _other(envelope, state)
    member = loaded_member(state, room.id, command.user)
    if room.owner == command.user:
        what = "owner, as the owner stays it until the room is passed on"
        raise Refused("invalid", errors=[wrong("/role", what, envelope.command.role)])
    if member is None or member.role == command.role:
        return []
    return [MemberRoleChanged(user=command.user, role=command.role, **announcement(envelope, room))]


def transfer(envelope: CommandEnvelope[TransferOwnership], state: State) -> list[Event]:
    command = envelope.command
    room = _other(envelope, state)
    if room.owner == command.user:
        return []
    # First the old one, so that no position of the log has two owners.
    return [
        MemberRoleChanged(user=envelope.actor, role="admin"),
        MemberRoleChanged(user=command.user, role="owner", **announcement(envelope, room)),
    ]


def mark_read(envelope: CommandEnvelope[MarkRead], state: State) -> list[Event]:
    command = envelope.command
    room, member = allow(envelope, state)
    if command.seq > room.seq:
        what = f"at most {room.seq}, the room's last message"
        raise Refused("invalid", errors=[wrong("/seq", what, f"{command.seq}")])
    if member is None or member.read == command.seq or (command.forward and member.read > command.seq):
        return []
    return [MemberRead(user=envelope.actor, seq=command.seq)]


def set_notifications(envelope: CommandEnvelope[SetNotifications], state: State) -> list[Event]:
    command = envelope.command
    _, member = allow(envelope, state)
    if member is None or member.notifications == command.notifications:
        return []
    return [MemberNotificationsSet(user=envelope.actor, notifications=command.notifications)]


def change(envelope: CommandEnvelope[ChangeMember], state: State) -> list[Event]:
    command = envelope.command
    member = loaded_member(state, _other(envelope, state).id, command.user)
    if member is None:
        return []
    custom = merged(member.custom, command.custom)
    return [] if same(custom, member.custom) else [MemberCustomChanged(user=command.user, custom=custom)]


def _revert(command: RevertInRoom, state: State) -> list[Event]:
    was, user = command.was, command.id
    room, member = loaded_room(state, command.room), loaded_member(state, command.room, user)
    if room is None:
        raise Refused("not_found", f"expected a room, found none with id {command.room}")
    if "state" in was and was["state"] == "left":
        if room.owner == user and room.members > 1:
            raise Refused("conflict", "expected another owner; the room is passed on first")
        return [MemberLeft(user=user)]
    if "state" in was:
        role = was.get("role", "member")
        # At most one owner, at every position of the log.
        return [MemberJoined(user=user, role="admin" if role == "owner" and room.owner is not None else role)]
    if member is None:
        raise Refused("conflict", "expected a member of the room; they have left since")
    found: list[Event] = []
    if "role" in was:
        if was["role"] == "owner" and room.owner is not None:
            raise Refused("conflict", f"role: expected a room without an owner; {room.owner} owns it")
        found.append(MemberRoleChanged(user=user, role=was["role"]))
    if "notifications" in was:
        found.append(MemberNotificationsSet(user=user, notifications=was["notifications"]))
    if "custom" in was:
        found.append(MemberCustomChanged(user=user, custom=was["custom"]))
    return found


REVERTIBLE = Revertible(
    "member",
    frozenset({"state", "role", "notifications", "custom"}),
    lambda c: (member_key(c.room, c.id), invitation_key(c.room, c.id)),
    _revert,
    absent={"state": "left", "role": "member", "notifications": True, "custom": {}},
    makes=True,
)


COMMANDS = (
    CommandType(AddMember, "rooms", lambda c: c.room, _invited, add),
    CommandType(RemoveMember, "rooms", lambda c: c.room, _invited, remove),
    CommandType(ChangeRole, "rooms", lambda c: c.room, _about, change_role),
    CommandType(TransferOwnership, "rooms", lambda c: c.room, _about, transfer),
    CommandType(MarkRead, "rooms", lambda c: c.room, room_and_member, mark_read),
    CommandType(SetNotifications, "rooms", lambda c: c.room, room_and_member, set_notifications),
    CommandType(ChangeMember, "rooms", lambda c: c.room, _changed, change),
)
