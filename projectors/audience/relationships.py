"""Friends and blocks: a friendship is told to both, a block only to who made it."""

from __future__ import annotations

from typing import Any

from events.core.records import Record
from events.relationships import Relationship, RelationshipSet, relationship_key
from events.users import user_key
from projectors.audience.core import AddressedDelta, Audience, EventContext, Lookup
from projectors.views import masked, relationship_view, user_view


def _relationship_lookup(record: Record[RelationshipSet]) -> Lookup:
    event = record.data
    reverse = relationship_key(event.other, record.stream)
    # The end of a block brings what happened meanwhile, wherever that stands in the log.
    return Lookup(keys=(user_key(record.stream), user_key(event.other), reverse), everywhere=True)


def _relationship(record: Record[RelationshipSet], context: EventContext) -> list[AddressedDelta]:
    event = record.data
    user, other = context.user(record.stream), context.user(event.other)
    friends = event.type == "friend"
    reverse = context.entities.get(relationship_key(event.other, record.stream))
    # Somebody who blocks the user receives nothing of them, and the user nothing that shows who blocks them.
    blocked = isinstance(reverse, Relationship) and reverse.type == "block"
    include: dict[str, Any] = {}
    if other and event.type == "block":
        include = {"user": masked(user_view(other))}
    elif other and not blocked and (friends or event.was == "block"):
        include = {"user": user_view(other)}
    if event.was == "block" and isinstance(reverse, Relationship) and reverse.type == "friend":
        # Who is no longer blocked comes up again among those who hold the user for a friend.
        include["friend_of"] = relationship_view(reverse)
    deltas = [AddressedDelta((record.stream,), event, include or None)]
    if event.other != record.stream and not blocked and (friends or event.was == "friend"):
        # To the other a block looks like nothing, before as well as now.
        shown = {
            "other": event.other,
            "type": "friend" if friends else None,
            "was": "friend" if event.was == "friend" else None,
        }
        deltas.append(AddressedDelta((event.other,), shown, {"user": user_view(user)} if friends and user else None))
    return deltas


AUDIENCES: dict[str, Audience] = {
    "relationship.set": Audience(
        "the user; the other too, of friendship only: a block looks like nothing", _relationship, _relationship_lookup
    ),
}
