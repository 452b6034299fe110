"""All commands, assembled by import."""

from __future__ import annotations

from typing import Any

import msgspec

from producers import (
    credentials,
    handles,
    invitations,
    members,
    messages,
    relationships,
    restore,
    rooms,
    sessions,
    users,
    visuals,
)
from producers.commands import CommandType, Order

ROWS: tuple[CommandType, ...] = (
    *users.COMMANDS,
    *sessions.COMMANDS,
    *credentials.COMMANDS,
    *relationships.COMMANDS,
    *visuals.COMMANDS,
    *handles.COMMANDS,
    *rooms.COMMANDS,
    *members.COMMANDS,
    *invitations.COMMANDS,
    *messages.COMMANDS,
    *restore.COMMANDS,
)

COMMANDS: dict[str, CommandType] = {row.name: row for row in ROWS}
_BY_STRUCT = {row.struct: row for row in ROWS}


def of(command: Any) -> CommandType:
    """The row of a command."""
    return _BY_STRUCT[type(command)]


def encode_order(order: Order) -> bytes:
    """An order as JSON, for another process."""
    return msgspec.json.encode([type(order.command).__name__, order])


def decode_order(value: bytes) -> Order:
    """The inverse. Raises msgspec.ValidationError or KeyError."""
    name, raw = msgspec.json.decode(value, type=tuple[str, dict[str, Any]])
    command = msgspec.convert(raw.pop("command"), COMMANDS[name].struct)
    return msgspec.convert({**raw, "command": command}, Order)
