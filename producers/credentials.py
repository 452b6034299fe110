"""Decisions about passwords. The hashes are the API's, in its vault; here are their ids."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec

from events.core.records import Event, Key, State
from events.sessions import SessionClosed, loaded_open, session_key
from events.users import UserPasswordChanged, user_key
from producers.commands import CommandEnvelope, CommandType, Refused
from producers.limits import Id
from producers.streams import UserCommand
from producers.users import present

#: Sessions that end together with a password: their events are one batch (BATCH_BYTES), of some 500 bytes each.
SESSIONS = 1000


class ChangePassword(UserCommand, frozen=True, kw_only=True):
    """Give a user another password, and end sessions that were opened with the old one."""

    #: The credential whose password has been verified, or which is known to be the present one; None: there is none.
    was: Id | None
    credential: Id
    #: The user's version when ``close`` was read: a log-in since then makes another, and is not to be missed.
    since: int
    close: Annotated[list[Id], msgspec.Meta(max_length=SESSIONS)]


def _keys(envelope: CommandEnvelope[ChangePassword]) -> Sequence[Key]:
    user = envelope.command.user
    return (user_key(user), *(session_key(user, session) for session in envelope.command.close))


def change(envelope: CommandEnvelope[ChangePassword], state: State) -> list[Event]:
    command = envelope.command
    user = present(state, command.user)
    if user.role != "person":
        raise Refused("forbidden", f"expected a person, got a {user.role} account, which has no password")
    if user.credential != command.was:
        raise Refused("forbidden", "expected the account's current password, got another")
    if user.version != command.since:
        raise Refused("outrun", "expected no log-in or other change of the user since this one began; there was one")
    ended = [session for session in command.close if loaded_open(state, user.id, session) is not None]
    return [
        UserPasswordChanged(credential=command.credential, was=command.was),
        *(SessionClosed(session=session) for session in ended),
    ]


COMMANDS = (CommandType(ChangePassword, "users", lambda c: c.user, _keys, change, lambda c: True),)
