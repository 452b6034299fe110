"""Decisions about what one user is to another."""

from __future__ import annotations

from collections.abc import Sequence

from events.core.faults import wrong
from events.core.records import Event, Key, State
from events.relationships import Relation, Relationship, RelationshipSet, relationship_key
from events.users import user_key
from producers.commands import CommandEnvelope, CommandType, Refused
from producers.limits import Id
from producers.revertible import Revertible, RevertOfUser
from producers.streams import UserCommand
from producers.users import present


class SetRelationship(UserCommand, frozen=True, kw_only=True):
    """Befriend or block ``other``, or (null) neither. That ``other`` exists is checked before, on the read model."""

    other: Id
    type: Relation | None


def _keys(envelope: CommandEnvelope[SetRelationship]) -> Sequence[Key]:
    return (user_key(envelope.command.user), relationship_key(envelope.command.user, envelope.command.other))


def set_(envelope: CommandEnvelope[SetRelationship], state: State) -> list[Event]:
    command = envelope.command
    present(state, command.user)
    if command.user == command.other:
        raise Refused("invalid", errors=[wrong("/user", "another user", "yourself")])
    before = state[relationship_key(command.user, command.other)]
    was = before.type if isinstance(before, Relationship) else None
    return [] if was == command.type else [RelationshipSet(other=command.other, type=command.type, was=was)]


def _blocks(command: SetRelationship) -> bool:
    return command.type == "block"


def _revert(command: RevertOfUser, state: State) -> list[Event]:
    return [RelationshipSet(other=command.id, type=command.was["type"], was=command.became["type"])]


REVERTIBLE = Revertible(
    "relationship",
    frozenset({"type"}),
    lambda c: (relationship_key(c.user, c.id),),
    _revert,
    absent={"type": None},
    makes=True,
)


COMMANDS = (CommandType(SetRelationship, "users", lambda c: c.user, _keys, set_, _blocks),)
