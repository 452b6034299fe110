"""Relationships: what one user is to another, one way. Part of the first user's stream (topic ``users``)."""

from __future__ import annotations

from typing import ClassVar, Literal

from events.core.clock import Time
from events.core.records import Changes, Entity, Event, EventType, Key, Record, State
from events.core.revert_rules import RevertRule

Relation = Literal["friend", "block"]


class Relationship(Entity, frozen=True, kw_only=True):
    """``user`` holds ``other`` for a friend, blocks them, or neither any more (S0 User relationship)."""

    kind: ClassVar = "relationship"
    key_fields: ClassVar = ("user", "other")

    user: str
    other: str
    type: Relation | None
    created: Time
    updated: Time
    version: int


def relationship_key(user: str, other: str) -> Key:
    return ("relationship", user, other)


class RelationshipSet(Event, frozen=True, kw_only=True):
    other: str
    type: Relation | None
    #: What it was before: decides who receives the change (a block is not shown to the blocked).
    was: Relation | None


def keys(record: Record[RelationshipSet]) -> tuple[Key, ...]:
    return (relationship_key(record.stream, record.data.other),)


def set_(record: Record[RelationshipSet], state: State) -> Changes:
    event = record.data
    key = relationship_key(record.stream, event.other)
    before = state[key]
    relationship = Relationship(
        user=record.stream, other=event.other, type=event.type,
        created=before.created if isinstance(before, Relationship) else record.time,
        updated=record.time, version=record.offset,
    )  # fmt: skip
    return {key: relationship}


ROWS = (
    EventType(
        name="relationship.set", struct=RelationshipSet, topics=("users",), keys=keys, fold=set_,
        about="A user befriended or blocked another, or took that back.",
        sample=RelationshipSet(other="7d9f3c1e-2f7b-4a62-9c5e-0d3b1a2c4e5f", type="friend", was=None),
        revert=RevertRule("relationship", ("type",), "other"),
    ),
)  # fmt: skip
