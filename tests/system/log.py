"""What the topics themselves say, read and folded with no server in between."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from api.rooms import entry
from events.core.log import TermFilter
from events.core.records import Entity, Key, Record
from events.invitations import Invitation, InvitationDeclined, InvitationWithdrawn, MemberInvited
from events.members import Member, MemberJoined, MemberLeft, MemberNotificationsSet
from events.messages import Message, message_key
from events.registry import REGISTRY
from events.relationships import Relationship, RelationshipSet, relationship_key
from events.rooms import Room, room_key
from events.user_erasure import without_person
from events.users import User, user_key
from infra.base import kafka
from infra.base.settings import Settings
from producers.engine.log import read_tail
from projectors.views import invitation_view, masked, relationship_view, self_view, user_view


class Entities(Mapping[Key, Entity | None]):
    """The state for a fold that begins with nothing: what is not there is None."""

    def __init__(self) -> None:
        self._found: dict[Key, Entity | None] = {}
        #: Who blocked whom at which offset -> what they were then.
        self.still: dict[tuple[str, str, int], User] = {}

    def __getitem__(self, key: Key) -> Entity | None:
        return self._found.get(key)

    def __iter__(self) -> Iterator[Key]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def apply(self, record: Record) -> None:
        self._found.update(REGISTRY.fold(record, self))
        if isinstance(record.data, RelationshipSet) and record.data.type == "block":
            user = self._found[user_key(record.stream)]
            assert isinstance(user, User)
            self.still[record.stream, record.data.other, record.offset] = user

    def of(self, kind: type[Any]) -> list[Any]:
        return [one for one in self._found.values() if isinstance(one, kind)]


async def records(settings: Settings) -> tuple[list[Record], dict[str, int]]:
    """All valid events of users and rooms, shard by shard, and the shards' ends."""
    found: list[Record] = []
    ends: dict[str, int] = {}
    for topic in kafka.EVENT_TOPICS:
        name = settings.topic(topic)
        for partition, end in (await kafka.end_offsets(settings, name, settings.partitions)).items():
            ends[f"{topic}/{partition}"] = end
            rule = TermFilter()
            async for raw in read_tail(settings, name, partition, 0, end - 1):
                for one in raw:
                    if rule.admits(one.offset, one.headers):
                        found.append(REGISTRY.decode(one.value, topic, partition, one.offset))
    return found, ends


def folded(found: list[Record]) -> Entities:
    entities = Entities()
    for record in found:
        entities.apply(record)
    return entities


def snapshot(entities: Entities, user: str) -> dict[str, Any]:
    """``GET /v1/sync`` of a user, from the entities: without cursor, epoch and vector."""
    me = entities[user_key(user)]
    assert isinstance(me, User)
    relationships: list[Relationship] = entities.of(Relationship)
    outgoing = [one for one in relationships if one.user == user and one.type is not None]
    blocked = {one.other for one in outgoing if one.type == "block"}
    incoming = [one for one in relationships if one.other == user and one.type == "friend" and one.user not in blocked]
    mine = [one for one in entities.of(Member) if one.user == user and one.state == "joined"]
    return {
        "me": self_view(me),
        "relationships": {one.other: relationship_view(one) for one in outgoing},
        "friend_of": {one.user: relationship_view(one) for one in incoming},
        "invitations": {
            one.room: invitation_view(one)
            for one in entities.of(Invitation)
            if one.user == user and one.state == "pending"
        },
        "rooms": {member.room: _entry(entities, member) for member in mine},
        "users": {one: profile(entities, entities, user, one) for one in _people(entities, user, mine)},
    }


def _entry(entities: Entities, member: Member) -> dict[str, Any]:
    room = entities[room_key(member.room)]
    assert isinstance(room, Room)
    message = None if room.last is None else entities[message_key(room.last)]
    assert message is None or isinstance(message, Message)
    named = [*entities.of(Member), *entities.of(Invitation)]
    others = (one.user for one in named if one.room == room.id and one.user != member.user)
    return entry(room, member, message, next(others, None) if room.type == "direct" else None)


def profile(then: Entities, now: Entities, viewer: str, user: str) -> dict[str, Any]:
    """A user as they were, as a viewer sees them: masked to who blocks them, at rest for whom they block."""
    past = then[user_key(user)]
    assert isinstance(past, User)
    found = unless_erased(past, now)
    blocks = [_block(state, *pair) for state in (then, now) for pair in ((viewer, user), (user, viewer))]
    cut = min((one.version for one in blocks if one is not None and one.user == user), default=None)
    if any(one is not None and one.user == viewer for one in blocks):
        return masked(user_view(found))
    return user_view(found if cut is None or found.version < cut else unless_erased(now.still[user, viewer, cut], now))


def unless_erased(past: User, now: Entities) -> User:
    """The user as they were; of who is erased now nothing that they called themselves."""
    present = now[user_key(past.id)]
    return without_person(past) if isinstance(present, User) and present.erased else past


def _block(state: Entities, user: str, other: str) -> Relationship | None:
    found = state[relationship_key(user, other)]
    return found if isinstance(found, Relationship) and found.type == "block" else None


def _people(entities: Entities, user: str, mine: list[Member]) -> set[str]:
    """To whom they are something, and the other people of direct rooms; not who holds them for a friend."""
    relationships: list[Relationship] = entities.of(Relationship)
    own = {one.other for one in relationships if one.user == user and one.type is not None}
    direct = {member.room for member in mine if getattr(entities[room_key(member.room)], "type", "") == "direct"}
    peers = {one.user for one in entities.of(Member) if one.room in direct and one.user != user}
    return own | peers


def heard_in_rooms(found: list[Record]) -> dict[str, dict[str, list[str]]]:
    """User -> shard -> ids of the rooms' events that the user receives: while a member, and the own coming and going.

    Whether somebody wants to be notified only they receive; how far they have read all do, these rooms being small.
    """
    rosters: dict[str, set[str]] = defaultdict(set)
    heard: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for record in found:
        if record.topic != "rooms" or record.type in ("log.opened", "key.used"):
            continue
        roster, event = rosters[record.stream], record.data
        hears = {event.user} if isinstance(event, MemberNotificationsSet) else set(roster)
        if isinstance(event, MemberInvited):
            hears = {event.user, record.actor}
        elif isinstance(event, InvitationDeclined | InvitationWithdrawn):
            hears = {event.user, event.by}
        if isinstance(event, MemberJoined):
            hears.add(event.user)
            roster.add(event.user)
        elif isinstance(event, MemberLeft):
            roster.discard(event.user)
        for user in hears:
            heard[user][f"rooms/{record.partition}"].append(record.id)
    return heard
