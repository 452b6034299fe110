"""Who receives an event, and what they may see of it: the one table, event type -> audience. Pure.

Recipients are decided as of the event; a person receives an event at most once. Entities that it includes
(``include``) are read when the read model has reached the event; they may be newer, and a client keeps the higher
``version``: so only those who may see them now get them.

A payload is encoded again from the fields that this code knows: what a newer producer added stays hidden until this
table decides otherwise. The idempotency key is in no delta: all recipients share the bytes. One file a domain; the
table is assembled here, by import.
"""

from projectors.audience import (
    apps,
    channels,
    handles,
    invitations,
    keys,
    log,
    members,
    messages,
    pins,
    plans,
    relationships,
    rooms,
    sessions,
    teams,
    usage,
    user_erasure,
    users,
    visuals,
)
from projectors.audience.core import (
    CONTACT_ROOM,
    CONTACTS,
    MEMBERS,
    NOBODY,
    SELF,
    AddressedDelta,
    Audience,
    EventContext,
    Lookup,
    follows_nothing,
)
from projectors.audience.members import READING_ROOM

#: By event type. Adding a domain is adding its ``AUDIENCES`` here.
AUDIENCES: dict[str, Audience] = {
    **log.AUDIENCES,
    **keys.AUDIENCES,
    **handles.AUDIENCES,
    **users.AUDIENCES,
    **user_erasure.AUDIENCES,
    **sessions.AUDIENCES,
    **relationships.AUDIENCES,
    **visuals.AUDIENCES,
    **rooms.AUDIENCES,
    **invitations.AUDIENCES,
    **members.AUDIENCES,
    **messages.AUDIENCES,
    **pins.AUDIENCES,
    **channels.AUDIENCES,
    **apps.AUDIENCES,
    **usage.AUDIENCES,
    **plans.AUDIENCES,
    **teams.AUDIENCES,
}

__all__ = [
    "AUDIENCES",
    "CONTACTS",
    "CONTACT_ROOM",
    "MEMBERS",
    "NOBODY",
    "READING_ROOM",
    "SELF",
    "AddressedDelta",
    "Audience",
    "EventContext",
    "Lookup",
    "follows_nothing",
]
