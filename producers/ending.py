"""What ends sessions of a user in one batch with what they end for: another password, deactivation and the like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec

from events.core.records import Key, State
from events.sessions import Session, SessionClosed, loaded_open, session_key
from events.users import User, user_key
from producers.commands import CommandEnvelope, Refused
from producers.limits import Id
from producers.streams import UserCommand

#: Sessions that end together with something: their events are one batch (BATCH_BYTES), of some 500 bytes each.
SESSIONS = 1000


class EndingCommand(UserCommand, frozen=True, kw_only=True):
    """A command that ends sessions of its user."""

    #: The user's version when ``close`` was read: a log-in since then makes another, and is not to be missed.
    since: int
    close: Annotated[list[Id], msgspec.Meta(max_length=SESSIONS)]


def ending_keys(envelope: CommandEnvelope[EndingCommand]) -> Sequence[Key]:
    user = envelope.command.user
    return (user_key(user), *(session_key(user, session) for session in envelope.command.close))


def not_outrun(command: EndingCommand, user: User) -> None:
    """Refuses with ``outrun`` what may have missed a log-in."""
    if user.version != command.since:
        raise Refused("outrun", "expected no log-in or other change of the user since this one began; there was one")


def still_open(command: EndingCommand, state: State) -> list[Session]:
    """Those of the command's sessions that have not been closed since."""
    found = (loaded_open(state, command.user, session) for session in command.close)
    return [one for one in found if one is not None]


def closed(sessions: Sequence[Session]) -> list[SessionClosed]:
    return [SessionClosed(session=one.id) for one in sessions]
