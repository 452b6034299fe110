"""Decisions about the end of accounts: for good, and what of it has been done since."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec

from events.core.records import Event, Key, State
from events.user_erasure import UserErased, UserErasureNoted, erasure_of
from events.users import user_key
from producers.commands import CommandEnvelope, CommandType, Refused
from producers.ending import EndingCommand, closed, ending_keys, not_outrun, still_open
from producers.streams import UserCommand
from producers.users import present

Count = Annotated[int, msgspec.Meta(ge=0)]


class EraseUser(EndingCommand, frozen=True, kw_only=True):
    """Erase an account for good; all sessions end."""

    messages: Literal["keep", "hide"]


class NoteErasure(UserCommand, frozen=True, kw_only=True):
    """Note how far an erasure has come. Given by the system."""

    rooms: Count
    hidden: Count
    done: bool


def _own(envelope: CommandEnvelope[NoteErasure]) -> Sequence[Key]:
    return (user_key(envelope.command.user),)


def erase(envelope: CommandEnvelope[EraseUser], state: State) -> list[Event]:
    command = envelope.command
    user = present(state, command.user)
    before = erasure_of(user)
    if before is not None and (before.messages == "hide" or command.messages == "keep"):
        return []
    if before is not None:
        # What was kept at first may go later.
        return [UserErased(messages="hide")]
    not_outrun(command, user)
    return [UserErased(messages=command.messages), *closed(still_open(command, state))]


def note(envelope: CommandEnvelope[NoteErasure], state: State) -> list[Event]:
    command = envelope.command
    before = erasure_of(present(state, command.user))
    if before is None:
        raise Refused("not_found", f"expected an erased account, {command.user} is none")
    if before.done is not None:
        return []
    found = UserErasureNoted(rooms=command.rooms, hidden=command.hidden, done=command.done)
    # One that begins again after a crash counts anew: what it has not met yet is told already.
    counted = (command.rooms, command.hidden) > (before.rooms, before.hidden)
    return [found] if command.done or counted else []


COMMANDS = (
    CommandType(EraseUser, "users", lambda c: c.user, ending_keys, erase, lambda c: True),
    CommandType(NoteErasure, "users", lambda c: c.user, _own, note, lambda c: True),
)
