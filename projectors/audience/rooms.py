"""Events of rooms, and how a restored one reaches all members without showing it to those who have left since."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from events.core.records import Key, Record
from events.members import Member, member_key
from events.messages import Message, message_key
from events.rooms import SETTERS, Room, room_key
from projectors.audience.core import MEMBERS, AddressedDelta, Audience, EventContext, Lookup
from projectors.audience.recipients import Recipients
from projectors.views import message_view, room_view


def each_member(record: Record, context: EventContext) -> list[Key]:
    """Keys of the members, to see who has left since; none of a large room, where all receive the same."""
    named = isinstance(context.roster, Recipients) and context.roster.named
    return [] if named else [member_key(record.stream, user) for user in context.roster]


def told_apart(
    record: Record, context: EventContext, gone: Collection[str], include: dict[str, Any]
) -> list[AddressedDelta]:
    """With what it includes to those who are still in the room, without it to those who have left."""
    here = [user for user in context.roster if user not in gone]
    return [AddressedDelta(here, record.data, include), AddressedDelta(gone, record.data)]


def _restore_lookup(record: Record) -> Lookup:
    return Lookup(roster=record.stream, keys=(room_key(record.stream),))


def _restore_follow(record: Record, context: EventContext, joining: Collection[str]) -> Collection[Key]:
    room = context.entities.get(room_key(record.stream))
    if not isinstance(room, Room):
        return ()
    last = [] if room.last is None or room.state == "deleted" else [message_key(room.last)]
    return [*last, *each_member(record, context)]


def _restored(record: Record, context: EventContext) -> list[AddressedDelta]:
    """While the room was deleted its members saw nothing of it: all is included, but not for those who have left."""
    room = context.entities.get(room_key(record.stream))
    if not isinstance(room, Room):
        return [AddressedDelta(context.roster, record.data)]
    include: dict[str, Any] = {"room": room_view(room)}
    last = context.entities.get(message_key(room.last)) if room.last is not None and room.state != "deleted" else None
    if isinstance(last, Message):
        include["message"] = message_view(last)
    members = [context.entities.get(key) for key in each_member(record, context)]
    gone = [one.user for one in members if isinstance(one, Member) and one.state != "joined"]
    return (
        told_apart(record, context, gone, include) if gone else [AddressedDelta(context.roster, record.data, include)]
    )


AUDIENCES: dict[str, Audience] = {
    "room.created": MEMBERS,
    # Who sees a room sees what is set of it.
    **{row.name: MEMBERS for row in SETTERS},
    "room.archived": MEMBERS,
    "room.unarchived": MEMBERS,
    "room.deleted": MEMBERS,
    "room.restored": Audience(
        "the room's members, with the room and its last message", _restored, _restore_lookup, _restore_follow
    ),
}
