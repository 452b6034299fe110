"""Decisions about what one user is to another."""

from __future__ import annotations

from collections.abc import Sequence

from events.records import Event, Key, State
from events.relationships import Relation, Relationship, RelationshipSet, relationship_key
from events.users import user_key
from producers.commands import Command, CommandType, Order, Refused
from producers.limits import Id
from producers.users import present


class SetRelationship(Command, frozen=True, kw_only=True):
    """Befriend or block ``other``, or (null) neither. That ``other`` exists is checked before, on the read model."""

    user: Id
    other: Id
    type: Relation | None


def _names(order: Order) -> Sequence[Key]:
    return (user_key(order.command.user), relationship_key(order.command.user, order.command.other))


def set_(order: Order, state: State) -> list[Event]:
    command: SetRelationship = order.command
    present(state, command.user)
    if command.user == command.other:
        raise Refused("invalid", "expected another user, got yourself")
    before = state[relationship_key(command.user, command.other)]
    was = before.type if isinstance(before, Relationship) else None
    return [] if was == command.type else [RelationshipSet(other=command.other, type=command.type, was=was)]


COMMANDS = (CommandType(SetRelationship, "users", lambda c: c.user, _names, set_),)
