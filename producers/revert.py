"""Decisions about taking back: fields of an entity set to what they were, unless somebody has changed them since.

For operators: these commands ask for no role in the room. What they make are ordinary events beside those that are
taken back; nothing is announced. What can be set back of an entity, its domain says (``REVERTIBLE``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from events.core.free_json import same
from events.core.records import Entity, Event, Key, State
from events.users import user_key
from producers import invitations, members, messages, pins, relationships, rooms, users, visuals
from producers.commands import CommandEnvelope, CommandType, Refused
from producers.revertible import Revert, Revertible, RevertInRoom, RevertOfUser
from producers.roles import room_and_member

#: By kind of entity.
REVERTIBLE: dict[str, Revertible] = {
    row.kind: row
    for row in (
        rooms.REVERTIBLE,
        members.REVERTIBLE,
        invitations.REVERTIBLE,
        messages.REVERTIBLE,
        pins.REVERTIBLE,
        users.REVERTIBLE,
        relationships.REVERTIBLE,
        visuals.REVERTIBLE,
    )
}


def key_of(command: Revert) -> Key:
    """The entity that is set back."""
    return REVERTIBLE[command.kind].keys(command)[0]


def fields_of(entity: Entity | None, kind: str) -> dict[str, Any]:
    """What can be set back of an entity, as commands say it."""
    return REVERTIBLE[kind].of(entity)


def revert(envelope: CommandEnvelope[Revert], state: State) -> list[Event]:
    """The events that set the fields back. Refuses with ``conflict`` where they are no longer what they became."""
    command = envelope.command
    row = REVERTIBLE[command.kind]
    unknown = (command.was.keys() | command.became.keys()) - row.fields
    if unknown or command.was.keys() != command.became.keys():
        raise Refused(
            "invalid", f"was, became: expected the same fields, of {sorted(row.fields)}; got {sorted(unknown)}"
        )
    present = state[key_of(command)]
    now = row.of(present)
    if present is None and not row.makes:
        raise Refused("not_found", f"expected a {command.kind}, found none with id {command.id}")
    if all(same(now[name], value) for name, value in command.was.items()):
        return []
    for name, value in command.became.items():
        if not same(now[name], value):
            raise Refused("conflict", f"{name}: expected what it was changed to; somebody has changed it since")
    return row.revert(command, state)


def _in_room(envelope: CommandEnvelope[RevertInRoom]) -> Sequence[Key]:
    return tuple(dict.fromkeys((*room_and_member(envelope), *REVERTIBLE[envelope.command.kind].keys(envelope.command))))


def _of_user(envelope: CommandEnvelope[RevertOfUser]) -> Sequence[Key]:
    command = envelope.command
    return tuple(dict.fromkeys((user_key(command.user), *REVERTIBLE[command.kind].keys(command))))


COMMANDS = (
    CommandType(RevertInRoom, "rooms", lambda c: c.room, _in_room, revert),
    CommandType(RevertOfUser, "users", lambda c: c.user, _of_user, revert),
)
