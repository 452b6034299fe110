"""What an audience is, and those that many events have. Pure; each domain's rows stand in its own file.

An audience says in advance what it must know (``lookup``, then ``follow`` for what only those entities can name), and
then says who receives what.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Generic, NamedTuple

from events.core.records import Entity, EventT, Key, Record
from events.users import User, user_key

#: Rooms above this many members do not pass on their members' profile changes; clients read those profiles.
CONTACT_ROOM = 1000


class Lookup(NamedTuple):
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


class EventContext(NamedTuple):
    """What is known of one event. ``roster``: the room's members just before it; ``contacts``: as of it."""

    roster: Collection[str] = frozenset()
    contacts: Collection[str] = frozenset()
    #: Whom the user of ``lookup.blocks`` blocks now, and who blocks them.
    blocked: Collection[str] = frozenset()
    blockers: Collection[str] = frozenset()
    entities: Mapping[Key, Entity | None] = {}

    def user(self, user: str) -> User | None:
        entity = self.entities.get(user_key(user))
        return entity if isinstance(entity, User) and entity.state == "registered" else None


class AddressedDelta(NamedTuple):
    """One delta and its recipients. ``data`` and ``include`` hold whatever msgspec encodes to JSON."""

    recipients: Collection[str]
    data: Any
    include: dict[str, Any] | None = None


def follows_nothing(record: Record, context: EventContext, joining: Collection[str]) -> Collection[Key]:
    return ()


class Audience(NamedTuple, Generic[EventT]):
    """One row of the table."""

    #: Who receives the event, in words, for the reference.
    whom: str
    fan_out: Callable[[Record[EventT], EventContext], list[AddressedDelta]]
    lookup: Callable[[Record[EventT]], Lookup] = lambda record: Lookup()
    #: Keys that the entities of ``lookup`` name, read after them; given those who join the room in the same turn.
    follow: Callable[[Record[EventT], EventContext, Collection[str]], Collection[Key]] = follows_nothing


def _nothing(record: Record, context: EventContext) -> list[AddressedDelta]:
    return []


def roster_lookup(record: Record) -> Lookup:
    return Lookup(roster=record.stream)


def _to_members(record: Record, context: EventContext) -> list[AddressedDelta]:
    return [AddressedDelta(context.roster, record.data)]


def _to_self(record: Record, context: EventContext) -> list[AddressedDelta]:
    return [AddressedDelta((record.stream,), record.data)]


def contacts_lookup(record: Record) -> Lookup:
    return Lookup(contacts=True, everywhere=True)


def _to_contacts(record: Record, context: EventContext) -> list[AddressedDelta]:
    return [AddressedDelta((record.stream, *context.contacts), record.data)]


#: A row for events that nobody receives.
NOBODY = Audience("nobody", _nothing)
#: The members of the record's room.
MEMBERS = Audience("the room's members", _to_members, roster_lookup)
#: The user whose stream it is.
SELF = Audience("the user", _to_self)
#: The user and their contacts: friends in either direction and those who share a room of at most CONTACT_ROOM, without
#: pairs of whom one blocks the other.
CONTACTS = Audience("the user and their contacts", _to_contacts, contacts_lookup)
