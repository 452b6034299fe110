"""Events of messages: the members of the room receive them."""

from __future__ import annotations

from collections.abc import Collection

from events.core.records import Key, Record
from events.members import Member
from events.messages import Message, MessageEmotionDetected, MessageRestored, message_key
from events.rooms import Room, room_key
from projectors.audience.core import MEMBERS, AddressedDelta, Audience, EventContext, Lookup, roster_lookup
from projectors.audience.recipients import Recipients
from projectors.audience.rooms import each_member, told_apart
from projectors.views import message_view


def _emotion_to_members(record: Record[MessageEmotionDetected], context: EventContext) -> list[AddressedDelta]:
    event = record.data
    # An emotion that the author's visual cannot show is nobody's business.
    data = {"message": event.message, "emotion": event.emotion if event.shown else None, "shown": event.shown}
    return [AddressedDelta(context.roster, data)]


def _restore_lookup(record: Record[MessageRestored]) -> Lookup:
    event = record.data
    return Lookup(roster=record.stream, keys=(room_key(record.stream), message_key(event.message)))


def _restore_follow(record: Record, context: EventContext, joining: Collection[str]) -> Collection[Key]:
    return each_member(record, context)


def _restored(record: Record[MessageRestored], context: EventContext) -> list[AddressedDelta]:
    event = record.data
    room, message = context.entities.get(room_key(record.stream)), context.entities.get(message_key(event.message))
    # A client that received the deletion has nothing left of the message's content.
    if not isinstance(room, Room) or room.state == "deleted" or not isinstance(message, Message):
        return [AddressedDelta(context.roster, event)]
    include = {"restored": message_view(message)}
    if message.version == record.offset:
        return [AddressedDelta(context.roster, event, include)]
    # It has changed since, which those who have left since must not see. Those who stayed get the event without it.
    if isinstance(context.roster, Recipients) and context.roster.named:
        return [AddressedDelta(context.roster, event)]
    members = [context.entities.get(key) for key in each_member(record, context)]
    here = {one.user for one in members if isinstance(one, Member) and one.state == "joined"}
    return told_apart(record, context, [user for user in context.roster if user not in here], include)


AUDIENCES: dict[str, Audience] = {
    "message.posted": MEMBERS,
    "message.edited": MEMBERS,
    "message.deleted": MEMBERS,
    "message.restored": Audience(
        "the room's members; what the message holds comes along as `restored`",
        _restored,
        _restore_lookup,
        _restore_follow,
    ),
    "message.emotion_detected": Audience(
        "the room's members, without the emotion where it is not shown", _emotion_to_members, roster_lookup
    ),
}
