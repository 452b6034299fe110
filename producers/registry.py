"""All commands, assembled by import."""

from __future__ import annotations

from typing import Any

import msgspec

from producers import (
    apps,
    channels,
    credentials,
    deactivation,
    handles,
    invitations,
    members,
    messages,
    pins,
    plans,
    relationships,
    revert,
    rooms,
    sessions,
    teams,
    usage,
    user_erasure,
    users,
    visuals,
)
from producers.commands import Command, CommandEnvelope, CommandType

COMMAND_TYPES: tuple[CommandType, ...] = (
    *users.COMMANDS,
    *sessions.COMMANDS,
    *credentials.COMMANDS,
    *deactivation.COMMANDS,
    *user_erasure.COMMANDS,
    *relationships.COMMANDS,
    *visuals.COMMANDS,
    *handles.COMMANDS,
    *rooms.COMMANDS,
    *members.COMMANDS,
    *invitations.COMMANDS,
    *messages.COMMANDS,
    *pins.COMMANDS,
    *channels.COMMANDS,
    *apps.COMMANDS,
    *usage.COMMANDS,
    *plans.COMMANDS,
    *teams.COMMANDS,
    *revert.COMMANDS,
)

COMMANDS_BY_NAME: dict[str, CommandType] = {row.name: row for row in COMMAND_TYPES}
_BY_STRUCT = {row.struct: row for row in COMMAND_TYPES}


def _decoder(command: type[Command]) -> msgspec.json.Decoder[CommandEnvelope]:
    # The type checker knows only parameters that stand in the code.
    envelope: Any = CommandEnvelope
    return msgspec.json.Decoder(envelope[command])


_DECODERS = {row.name: _decoder(row.struct) for row in COMMAND_TYPES}


def of(command: Command) -> CommandType:
    """The row of a command."""
    return _BY_STRUCT[type(command)]


def encode_envelope(envelope: CommandEnvelope) -> bytes:
    """An order as JSON, for another process."""
    return msgspec.json.encode([type(envelope.command).__name__, envelope])


def decode_envelope(value: bytes) -> CommandEnvelope:
    """The inverse. Raises msgspec.ValidationError or KeyError."""
    name, envelope = msgspec.json.decode(value, type=tuple[str, msgspec.Raw])
    return _DECODERS[name].decode(envelope)
