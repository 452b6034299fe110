"""Who may hear of an event, and what they may see of it: the one table, event type -> audience. Pure.

An audience says in advance what it must know (``needs``, then ``follow`` for what only those entities can name), and
then tells: who hears what. Who hears is decided as of the event; a person hears of one at most once. Entities that come
along (``include``) are read when the read model has reached the event; they may be newer, and a client keeps the higher
``version``: so they come along only to who may see them now.

A payload is encoded anew from the fields that this code knows: what a newer producer added stays hidden until this
table decides otherwise. The idempotency key is in no delta: all who hear share the bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from events.invitations import Invitation, InvitationDeclined, InvitationWithdrawn, MemberInvited, invitation_key
from events.members import Member, MemberJoined, MemberLeft, MemberNotificationsSet, MemberRead, member_key
from events.messages import Message, MessageEmotionDetected, MessageRestored, message_key
from events.records import Entity, Key, Record
from events.relationships import Relationship, RelationshipSet, relationship_key
from events.rooms import Room, room_key
from events.users import User, UserProfileChanged, UserRegistered, user_key
from projectors.crowds import Crowd
from projectors.views import (
    invitation_view,
    masked,
    member_view,
    message_view,
    own_member_view,
    public_data,
    relationship_view,
    room_view,
    user_view,
)

#: Rooms above this many members do not pass on their members' profile changes; clients read those profiles.
CONTACT_ROOM = 1000
#: Rooms above this many members do not pass on how far each has read: everyone would hear it of everyone, which is
#: 2,500 deltas a message at 50 members, and 65,000 at 256.
READING_ROOM = 50


class Needs(NamedTuple):
    """What an audience must know before it can tell."""

    #: The room whose members must be known.
    roster: str | None = None
    #: Whether the contacts of the user whose stream it is must be known.
    contacts: bool = False
    #: The user whose blocks must be known.
    blocks: str | None = None
    #: Entities, as of the event or later.
    keys: tuple[Key, ...] = ()
    #: Whether all must be known that is in the log, in whatever shard.
    everywhere: bool = False


class Known(NamedTuple):
    """What is known of one event. ``roster``: the room's members just before it; ``contacts``: as of it."""

    roster: Collection[str] = frozenset()
    contacts: Collection[str] = frozenset()
    #: Whom the user of ``needs.blocks`` blocks now, and who blocks them.
    blocked: Collection[str] = frozenset()
    blockers: Collection[str] = frozenset()
    entities: Mapping[Key, Entity | None] = {}

    def user(self, user: str) -> User | None:
        entity = self.entities.get(user_key(user))
        return entity if isinstance(entity, User) and entity.state == "registered" else None


class Telling(NamedTuple):
    """One delta and those who hear it. ``data`` and ``include`` hold whatever msgspec encodes to JSON."""

    recipients: Collection[str]
    data: Any
    include: dict[str, Any] | None = None


def follows_nothing(record: Record, known: Known, joining: Collection[str]) -> Collection[Key]:
    return ()


class Audience(NamedTuple):
    """One row of the table."""

    tell: Callable[[Record, Known], list[Telling]]
    needs: Callable[[Record], Needs] = lambda record: Needs()
    #: Keys that the entities of ``needs`` name, read after them; given those who join the room in the same turn.
    follow: Callable[[Record, Known, Collection[str]], Collection[Key]] = follows_nothing


def _nothing(record: Record, known: Known) -> list[Telling]:
    return []


def _roster_needed(record: Record) -> Needs:
    return Needs(roster=record.stream)


def _to_members(record: Record, known: Known) -> list[Telling]:
    return [Telling(known.roster, record.data)]


def _emotion_to_members(record: Record, known: Known) -> list[Telling]:
    event = record.data
    assert isinstance(event, MessageEmotionDetected)
    # An emotion that the author's visual cannot show is nobody's business.
    data = {"message": event.message, "emotion": event.emotion if event.shown else None, "shown": event.shown}
    return [Telling(known.roster, data)]


def _join_needs(record: Record) -> Needs:
    event = record.data
    assert isinstance(event, MemberJoined)
    room, user = record.stream, event.user
    return Needs(roster=room, blocks=user, keys=(room_key(room), member_key(room, user), user_key(user)))


def _join_follow(record: Record, known: Known, joining: Collection[str]) -> Collection[Key]:
    room = known.entities.get(room_key(record.stream))
    if not isinstance(room, Room):
        return ()
    peers = [user_key(user) for user in {*known.roster, *joining}] if room.type == "direct" else []
    return peers if room.last is None else [message_key(room.last), *peers]


def _joined(record: Record, known: Known) -> list[Telling]:
    event = record.data
    assert isinstance(event, MemberJoined)
    user = known.user(event.user)
    others = known.roster if event.user not in known.roster else [one for one in known.roster if one != event.user]
    member = known.entities.get(member_key(record.stream, event.user))
    shown: dict[str, Any] = {} if user is None else {"user": user_view(user)}
    if isinstance(member, Member) and member.state == "joined":
        # Who comes back has read no more than before, which the event does not tell.
        shown["joined"] = member_view(member)
    own = Telling((event.user,), event, _join_include(record, event, known))
    # Who has a block with them is not given the profile: what they may see of it, they read.
    apart = [one for one in {*known.blocked, *known.blockers} if one in known.roster and one != event.user]
    if not apart or user is None:
        return [Telling(others, event, shown or None), own]
    less = {name: view for name, view in shown.items() if name != "user"} or None
    if isinstance(others, Crowd) and others.named:
        return [Telling(others, event, less), own]
    near = [one for one in others if one not in apart]
    return [Telling(near, event, shown), Telling(apart, event, less), own]


def _join_include(record: Record, event: MemberJoined, known: Known) -> dict[str, Any] | None:
    room = known.entities.get(room_key(record.stream))
    member = known.entities.get(member_key(record.stream, event.user))
    # Who has left since then must not see the room as it is now.
    if not isinstance(room, Room) or not isinstance(member, Member) or member.state != "joined":
        return None
    shown = room.last is not None and room.state != "deleted"
    last = known.entities.get(message_key(room.last or "")) if shown else None
    include: dict[str, Any] = {
        "room": room_view(room),
        "member": own_member_view(member),
        "message": message_view(last) if isinstance(last, Message) else None,
    }
    if room.type == "direct":
        # Of who blocks the user nothing: what they may see of it, they read.
        ids = [user for user in known.roster if user != event.user and user not in known.blockers]
        peers = [peer for user in ids if (peer := known.user(user)) is not None]
        include["users"] = [_seen(peer, peer.id in known.blocked) for peer in peers]
        include["peer"] = next((user for user in known.roster if user != event.user), None)
    return include


def _seen(user: User, blocked: bool) -> dict[str, Any]:
    """A profile for somebody who may block the user."""
    return masked(user_view(user)) if blocked else user_view(user)


def _left(record: Record, known: Known) -> list[Telling]:
    event = record.data
    assert isinstance(event, MemberLeft)
    # The roster is that before the event: the leaver is in it, and hears this last.
    return [Telling(known.roster, event)]


def _invited_needs(record: Record) -> Needs:
    event = record.data
    assert isinstance(event, MemberInvited)
    return Needs(keys=(invitation_key(record.stream, event.user), user_key(record.actor)))


def _invited(record: Record, known: Known) -> list[Telling]:
    event = record.data
    assert isinstance(event, MemberInvited)
    invitation = known.entities.get(invitation_key(record.stream, event.user))
    by = known.user(record.actor)
    include: dict[str, Any] = {}
    # One that was answered since, the next delta ends.
    if isinstance(invitation, Invitation) and invitation.state == "pending":
        include["invitation"] = invitation_view(invitation)
        if by is not None:
            include["user"] = user_view(by)
    return [Telling((record.actor,), event), Telling((event.user,), event, include or None)]


def _uninvited(record: Record, known: Known) -> list[Telling]:
    event = record.data
    assert isinstance(event, InvitationDeclined | InvitationWithdrawn)
    return [Telling((event.user, event.by), event)]


def _read(record: Record, known: Known) -> list[Telling]:
    event = record.data
    assert isinstance(event, MemberRead)
    return [Telling(known.roster if len(known.roster) <= READING_ROOM else (event.user,), event)]


def _notifications(record: Record, known: Known) -> list[Telling]:
    event = record.data
    assert isinstance(event, MemberNotificationsSet)
    return [Telling((event.user,), event)]


def _restore_needs(record: Record) -> Needs:
    return Needs(roster=record.stream, keys=(room_key(record.stream),))


def _restore_follow(record: Record, known: Known, joining: Collection[str]) -> Collection[Key]:
    room = known.entities.get(room_key(record.stream))
    if not isinstance(room, Room):
        return ()
    last = [] if room.last is None or room.state == "deleted" else [message_key(room.last)]
    return [*last, *_each(record, known)]


def _each(record: Record, known: Known) -> list[Key]:
    """The members of whom it can be told apart who has left since: all, or of a large room none."""
    named = isinstance(known.roster, Crowd) and known.roster.named
    return [] if named else [member_key(record.stream, user) for user in known.roster]


def _apart(record: Record, known: Known, gone: Collection[str], include: dict[str, Any]) -> list[Telling]:
    """To who is still in the room with what comes along, to who has left without."""
    here = [user for user in known.roster if user not in gone]
    return [Telling(here, record.data, include), Telling(gone, record.data)]


def _restored(record: Record, known: Known) -> list[Telling]:
    """While the room was deleted its members saw nothing of it: all comes along, but not to who has left since."""
    room = known.entities.get(room_key(record.stream))
    if not isinstance(room, Room):
        return [Telling(known.roster, record.data)]
    include: dict[str, Any] = {"room": room_view(room)}
    last = known.entities.get(message_key(room.last)) if room.last is not None and room.state != "deleted" else None
    if isinstance(last, Message):
        include["message"] = message_view(last)
    members = [known.entities.get(key) for key in _each(record, known)]
    gone = [one.user for one in members if isinstance(one, Member) and one.state != "joined"]
    return _apart(record, known, gone, include) if gone else [Telling(known.roster, record.data, include)]


def _message_restore_needs(record: Record) -> Needs:
    event = record.data
    assert isinstance(event, MessageRestored)
    return Needs(roster=record.stream, keys=(room_key(record.stream), message_key(event.message)))


def _message_restore_follow(record: Record, known: Known, joining: Collection[str]) -> Collection[Key]:
    return _each(record, known)


def _message_restored(record: Record, known: Known) -> list[Telling]:
    event = record.data
    assert isinstance(event, MessageRestored)
    room, message = known.entities.get(room_key(record.stream)), known.entities.get(message_key(event.message))
    # Who heard of the deletion has nothing left of what the message held.
    if not isinstance(room, Room) or room.state == "deleted" or not isinstance(message, Message):
        return [Telling(known.roster, event)]
    include = {"restored": message_view(message)}
    if message.version == record.offset:
        return [Telling(known.roster, event, include)]
    # It has changed since, which who has left since must not see. Who stayed hears of that too, but not what it was.
    if isinstance(known.roster, Crowd) and known.roster.named:
        return [Telling(known.roster, event)]
    members = [known.entities.get(key) for key in _each(record, known)]
    here = {one.user for one in members if isinstance(one, Member) and one.state == "joined"}
    return _apart(record, known, [user for user in known.roster if user not in here], include)


def _to_self(record: Record, known: Known) -> list[Telling]:
    return [Telling((record.stream,), record.data)]


def _registered(record: Record, known: Known) -> list[Telling]:
    event = record.data
    assert isinstance(event, UserRegistered)
    names = {"username": event.username, "name": event.name, "role": event.role}
    data = {**names, "data": event.data, "email": event.email}
    return [Telling((record.stream,), data)]


def _password_changed(record: Record, known: Known) -> list[Telling]:
    # That it has changed, and not what it is called in the vault.
    return [Telling((record.stream,), {})]


def _contacts_needed(record: Record) -> Needs:
    return Needs(contacts=True, everywhere=True)


def _to_contacts(record: Record, known: Known) -> list[Telling]:
    return [Telling((record.stream, *known.contacts), record.data)]


def _profile_changed(record: Record, known: Known) -> list[Telling]:
    event = record.data
    assert isinstance(event, UserProfileChanged)
    shown = {"name": event.name, "data": None if event.data is None else public_data(event.data)}
    return [Telling((record.stream,), event), Telling(known.contacts, shown)]


def _relationship_needs(record: Record) -> Needs:
    event = record.data
    assert isinstance(event, RelationshipSet)
    reverse = relationship_key(event.other, record.stream)
    # The end of a block brings what happened meanwhile, wherever that stands in the log.
    return Needs(keys=(user_key(record.stream), user_key(event.other), reverse), everywhere=True)


def _relationship(record: Record, known: Known) -> list[Telling]:
    event = record.data
    assert isinstance(event, RelationshipSet)
    user, other = known.user(record.stream), known.user(event.other)
    friends = event.type == "friend"
    reverse = known.entities.get(relationship_key(event.other, record.stream))
    # Who blocks the user hears nothing of them, and the user nothing of who blocks them, whom nothing tells of it.
    blocked = isinstance(reverse, Relationship) and reverse.type == "block"
    include: dict[str, Any] = {}
    if other and event.type == "block":
        include = {"user": masked(user_view(other))}
    elif other and not blocked and (friends or event.was == "block"):
        include = {"user": user_view(other)}
    if event.was == "block" and isinstance(reverse, Relationship) and reverse.type == "friend":
        # Who is no longer blocked comes up again among those who hold the user for a friend.
        include["friend_of"] = relationship_view(reverse)
    tellings = [Telling((record.stream,), event, include or None)]
    if event.other != record.stream and not blocked and (friends or event.was == "friend"):
        # To the other a block looks like nothing, before as well as now.
        shown = {
            "other": event.other,
            "type": "friend" if friends else None,
            "was": "friend" if event.was == "friend" else None,
        }
        tellings.append(Telling((event.other,), shown, {"user": user_view(user)} if friends and user else None))
    return tellings


#: A row for events that nobody hears of.
NOBODY = Audience(_nothing)
#: The members of the record's room.
MEMBERS = Audience(_to_members, _roster_needed)
#: The user whose stream it is.
SELF = Audience(_to_self)
#: The user and their contacts: friends in either direction and those who share a room of at most CONTACT_ROOM, without
#: pairs of whom one blocks the other.
CONTACTS = Audience(_to_contacts, _contacts_needed)

AUDIENCES: dict[str, Audience] = {
    "log.opened": NOBODY,
    "key.used": NOBODY,
    "handle.claimed": NOBODY,
    "handle.confirmed": NOBODY,
    "handle.released": NOBODY,
    "user.registered": Audience(_registered),
    "user.registration_abandoned": NOBODY,
    "user.profile_changed": Audience(_profile_changed, _contacts_needed),
    "user.email_changed": SELF,
    "user.email_abandoned": SELF,
    "user.password_changed": Audience(_password_changed),
    "user.seen": SELF,
    "user.visual_chosen": CONTACTS,
    "user.added_by_chosen": SELF,
    "session.opened": SELF,
    "session.renewed": SELF,
    "session.closed": SELF,
    "relationship.set": Audience(_relationship, _relationship_needs),
    "visual.created": CONTACTS,
    "visual.changed": CONTACTS,
    "room.created": MEMBERS,
    "room.renamed": MEMBERS,
    "room.described": MEMBERS,
    "room.settings_changed": MEMBERS,
    "room.data_changed": MEMBERS,
    "room.archived": MEMBERS,
    "room.unarchived": MEMBERS,
    "room.deleted": MEMBERS,
    "room.restored": Audience(_restored, _restore_needs, _restore_follow),
    "member.invited": Audience(_invited, _invited_needs),
    "invitation.declined": Audience(_uninvited),
    "invitation.withdrawn": Audience(_uninvited),
    "member.joined": Audience(_joined, _join_needs, _join_follow),
    "member.left": Audience(_left, _roster_needed),
    "member.role_changed": MEMBERS,
    "member.read": Audience(_read, _roster_needed),
    "member.notifications_set": Audience(_notifications),
    "message.posted": MEMBERS,
    "message.edited": MEMBERS,
    "message.deleted": MEMBERS,
    "message.restored": Audience(_message_restored, _message_restore_needs, _message_restore_follow),
    "message.emotion_detected": Audience(_emotion_to_members, _roster_needed),
}
