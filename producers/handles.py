"""Decisions about unique names: a claim, then its confirmation once the claimant is registered."""

from __future__ import annotations

from collections.abc import Sequence

from events.handles import Handle, HandleClaimed, HandleConfirmed, handle_key
from events.records import Event, Key, State
from producers.commands import Command, CommandType, Order, Refused
from producers.limits import Id


class ClaimHandle(Command, frozen=True, kw_only=True):
    """Claim a name for a user who is about to register.

    A claim that was never confirmed may be taken over from ``instead_of``, once that registration is abandoned.
    """

    handle: str
    user: Id
    instead_of: Id | None = None


class ConfirmHandle(Command, frozen=True, kw_only=True):
    handle: str
    user: Id


def _names(order: Order) -> Sequence[Key]:
    return (handle_key(order.command.handle),)


def claim(order: Order, state: State) -> list[Event]:
    command: ClaimHandle = order.command
    handle = state[handle_key(command.handle)]
    if isinstance(handle, Handle) and handle.user != command.user:
        if handle.state == "claimed" and handle.user == command.instead_of:
            return [HandleClaimed(user=command.user)]
        raise Refused(
            "taken", f"expected a free name, {command.handle.partition(':')[2]} is taken",
            holder=handle.user, state=handle.state, claimed=handle.claimed,
        )  # fmt: skip
    return [] if isinstance(handle, Handle) else [HandleClaimed(user=command.user)]


def confirm(order: Order, state: State) -> list[Event]:
    command: ConfirmHandle = order.command
    handle = state[handle_key(command.handle)]
    if not isinstance(handle, Handle) or handle.user != command.user:
        raise Refused("taken", f"expected {command.handle} to be claimed for {command.user}, it is not")
    return [] if handle.state == "confirmed" else [HandleConfirmed(user=command.user)]


COMMANDS = (
    CommandType(ClaimHandle, "handles", lambda c: c.handle, _names, claim),
    CommandType(ConfirmHandle, "handles", lambda c: c.handle, _names, confirm),
)
