"""Decisions about who can use their account, and with which tokens: an operator, or the application's server, takes
that away."""

from __future__ import annotations

from collections.abc import Sequence

from events.core.clock import Time
from events.core.faults import wrong
from events.core.records import Event, Key, State
from events.users import UserDeactivated, UserReactivated, UserTokensRevoked, user_key
from producers.commands import CommandEnvelope, CommandType, Refused
from producers.ending import EndingCommand, closed, ending_keys, not_outrun, still_open
from producers.limits import Reason
from producers.names import check_text
from producers.streams import UserCommand
from producers.users import present, unerased


class DeactivateUser(EndingCommand, frozen=True, kw_only=True):
    """End all that a user can do, and their sessions with it."""

    reason: Reason | None = None


class ReactivateUser(UserCommand, frozen=True, kw_only=True):
    """Let a user do again what they could."""


class RevokeTokens(EndingCommand, frozen=True, kw_only=True):
    """Make a user's tokens void that were issued before a time, and end sessions opened before it."""

    #: None: before the order.
    before: Time | None = None


def _own(envelope: CommandEnvelope[ReactivateUser]) -> Sequence[Key]:
    return (user_key(envelope.command.user),)


def deactivate(envelope: CommandEnvelope[DeactivateUser], state: State) -> list[Event]:
    command = envelope.command
    user = present(state, command.user)
    if command.reason is not None:
        check_text("reason", command.reason)
    if user.deactivated is not None:
        return []
    not_outrun(command, user)
    return [UserDeactivated(reason=command.reason), *closed(still_open(command, state))]


def reactivate(envelope: CommandEnvelope[ReactivateUser], state: State) -> list[Event]:
    return [] if unerased(state, envelope.command.user).deactivated is None else [UserReactivated()]


def voided_before(given: Time | None, now: Time, was: Time | None) -> Time | None:
    """From when on tokens are good after a revocation; None: as it was. It never moves back.

    Refuses a time that has not come: a token that nobody has yet is not to be void.
    """
    before = given or now
    if before > now:
        raise Refused("invalid", errors=[wrong("/before", f"a time that has come, {now}", before)])
    return None if was is not None and before <= was else before


def revoke_tokens(envelope: CommandEnvelope[RevokeTokens], state: State) -> list[Event]:
    command = envelope.command
    user = present(state, command.user)
    before = voided_before(command.before, envelope.time, user.tokens_before)
    if before is None:
        return []
    not_outrun(command, user)
    ended = [one for one in still_open(command, state) if one.opened < before]
    return [UserTokensRevoked(before=before), *closed(ended)]


COMMANDS = (
    CommandType(DeactivateUser, "users", lambda c: c.user, ending_keys, deactivate, lambda c: True),
    CommandType(ReactivateUser, "users", lambda c: c.user, _own, reactivate, lambda c: True),
    CommandType(RevokeTokens, "users", lambda c: c.user, ending_keys, revoke_tokens, lambda c: True),
)
