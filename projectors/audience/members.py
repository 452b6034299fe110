"""Events of members: who comes in receives the room, and the others the profile of who came."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from events.core.records import Key, Record
from events.members import (
    Member,
    MemberCustomChanged,
    MemberJoined,
    MemberLeft,
    MemberNotificationsSet,
    MemberRead,
    member_key,
)
from events.messages import Message, message_key
from events.rooms import Room, room_key
from events.users import User, user_key
from projectors.audience.core import MEMBERS, AddressedDelta, Audience, EventContext, Lookup, roster_lookup
from projectors.audience.recipients import Recipients
from projectors.views import masked, member_view, message_view, own_member_view, room_view, user_view

#: Rooms above this many members do not pass on how far each has read: everyone would receive it of everyone, which is
#: 2,500 deltas a message at 50 members, and 65,000 at 256.
READING_ROOM = 50


def _join_lookup(record: Record[MemberJoined]) -> Lookup:
    event = record.data
    room, user = record.stream, event.user
    return Lookup(roster=room, blocks=user, keys=(room_key(room), member_key(room, user), user_key(user)))


def _join_follow(record: Record, context: EventContext, joining: Collection[str]) -> Collection[Key]:
    room = context.entities.get(room_key(record.stream))
    if not isinstance(room, Room):
        return ()
    peers = [user_key(user) for user in {*context.roster, *joining}] if room.type == "direct" else []
    return peers if room.last is None else [message_key(room.last), *peers]


def _joined(record: Record[MemberJoined], context: EventContext) -> list[AddressedDelta]:
    event = record.data
    user = context.user(event.user)
    others = (
        context.roster if event.user not in context.roster else [one for one in context.roster if one != event.user]
    )
    member = context.entities.get(member_key(record.stream, event.user))
    shown: dict[str, Any] = {} if user is None else {"user": user_view(user)}
    if isinstance(member, Member) and member.state == "joined":
        # Who comes back has read no more than before, which the event does not tell.
        shown["joined"] = member_view(member)
    own = AddressedDelta((event.user,), event, _join_include(record, event, context))
    # Who has a block with them is not given the profile: what they may see of it, they read.
    apart = [one for one in {*context.blocked, *context.blockers} if one in context.roster and one != event.user]
    if not apart or user is None:
        return [AddressedDelta(others, event, shown or None), own]
    less = {name: view for name, view in shown.items() if name != "user"} or None
    if isinstance(others, Recipients) and others.named:
        return [AddressedDelta(others, event, less), own]
    near = [one for one in others if one not in apart]
    return [AddressedDelta(near, event, shown), AddressedDelta(apart, event, less), own]


def _join_include(record: Record, event: MemberJoined, context: EventContext) -> dict[str, Any] | None:
    room = context.entities.get(room_key(record.stream))
    member = context.entities.get(member_key(record.stream, event.user))
    # Who has left since then must not see the room as it is now.
    if not isinstance(room, Room) or not isinstance(member, Member) or member.state != "joined":
        return None
    shown = room.last is not None and room.state != "deleted"
    last = context.entities.get(message_key(room.last or "")) if shown else None
    include: dict[str, Any] = {
        "room": room_view(room),
        "member": own_member_view(member),
        "message": message_view(last) if isinstance(last, Message) else None,
    }
    if room.type == "direct":
        # Of who blocks the user nothing: what they may see of it, they read.
        ids = [user for user in context.roster if user != event.user and user not in context.blockers]
        peers = [peer for user in ids if (peer := context.user(user)) is not None]
        include["users"] = [_seen(peer, peer.id in context.blocked) for peer in peers]
        include["peer"] = next((user for user in context.roster if user != event.user), None)
    return include


def _seen(user: User, blocked: bool) -> dict[str, Any]:
    """A profile for somebody who may block the user."""
    return masked(user_view(user)) if blocked else user_view(user)


def _left(record: Record[MemberLeft], context: EventContext) -> list[AddressedDelta]:
    event = record.data
    # The roster is that before the event: the leaver is in it, and receives this last.
    return [AddressedDelta(context.roster, event)]


def _read(record: Record[MemberRead], context: EventContext) -> list[AddressedDelta]:
    event = record.data
    return [AddressedDelta(context.roster if len(context.roster) <= READING_ROOM else (event.user,), event)]


def _notifications(record: Record[MemberNotificationsSet], context: EventContext) -> list[AddressedDelta]:
    event = record.data
    return [AddressedDelta((event.user,), event)]


def _custom_lookup(record: Record[MemberCustomChanged]) -> Lookup:
    return Lookup(roster=record.stream, keys=(member_key(record.stream, record.data.user),))


def _custom(record: Record[MemberCustomChanged], context: EventContext) -> list[AddressedDelta]:
    """To the member with their own view: of a room that is deleted since, what they hear of others is left out, what
    is theirs is not. In a large room all receive the same."""
    event, roster = record.data, context.roster
    member = context.entities.get(member_key(record.stream, event.user))
    large = isinstance(roster, Recipients) and roster.named
    if large or event.user not in roster or not isinstance(member, Member) or member.state != "joined":
        return [AddressedDelta(roster, event)]
    others = [one for one in roster if one != event.user]
    return [AddressedDelta(others, event), AddressedDelta((event.user,), event, {"member": own_member_view(member)})]


AUDIENCES: dict[str, Audience] = {
    "member.joined": Audience(
        "the room's members, the new one with the room itself", _joined, _join_lookup, _join_follow
    ),
    "member.left": Audience("the room's members, the one who left included", _left, roster_lookup),
    "member.role_changed": MEMBERS,
    "member.read": Audience(
        f"the room's members; in a room of more than {READING_ROOM} the reader only", _read, roster_lookup
    ),
    "member.notifications_set": Audience("the member", _notifications),
    "member.custom_changed": Audience("the room's members", _custom, _custom_lookup),
}
