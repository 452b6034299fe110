"""Decisions about passwords. The hashes are the API's, in its vault; here are their ids."""

from __future__ import annotations

from events.core.records import Event, State
from events.users import UserPasswordChanged
from producers.commands import CommandEnvelope, CommandType, Refused
from producers.ending import EndingCommand, closed, ending_keys, not_outrun, still_open
from producers.limits import Id
from producers.users import unerased


class ChangePassword(EndingCommand, frozen=True, kw_only=True):
    """Give a user another password, and end sessions that were opened with the old one."""

    #: The credential whose password has been verified, or which is known to be the present one; None: there is none.
    was: Id | None
    credential: Id


def change(envelope: CommandEnvelope[ChangePassword], state: State) -> list[Event]:
    command = envelope.command
    user = unerased(state, command.user)
    if user.role != "person":
        raise Refused("forbidden", f"expected a person, got a {user.role} account, which has no password")
    if user.credential != command.was:
        raise Refused("forbidden", "expected the account's current password, got another")
    not_outrun(command, user)
    changed = UserPasswordChanged(credential=command.credential, was=command.was)
    return [changed, *closed(still_open(command, state))]


COMMANDS = (CommandType(ChangePassword, "users", lambda c: c.user, ending_keys, change, lambda c: True),)
