"""Decisions about unique names: a claim, its confirmation once the claimant has the name, and its end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from events.core.faults import wrong
from events.core.records import Event, Key, State
from events.handles import Handle, HandleClaimed, HandleConfirmed, HandleReleased, handle_key, handle_parts
from producers.commands import Command, CommandEnvelope, CommandType, Refused
from producers.limits import Id
from producers.names import check_username


class ClaimHandle(Command, frozen=True, kw_only=True):
    """Claim a name for a user who is about to take it.

    A claim may be taken over from ``instead_of`` once that user's stream has given the name up, as it was when it had
    that ``version``.
    """

    handle: str
    user: Id
    instead_of: Id | None = None
    version: int | None = None
    #: Claim it again although it is one's own: whoever wants to release or take over the earlier claim is too late.
    anew: bool = False


class ConfirmHandle(Command, frozen=True, kw_only=True):
    handle: str
    user: Id


class ReleaseHandle(Command, frozen=True, kw_only=True):
    """Give a name back, as it was claimed when it had that ``version``; one claimed again since stays."""

    handle: str
    user: Id
    version: int


#: Kinds of handles as people call them.
_KINDS = {"email": "e-mail address"}


def _keys(envelope: CommandEnvelope[ClaimHandle | ConfirmHandle | ReleaseHandle]) -> Sequence[Key]:
    return (handle_key(envelope.command.handle),)


def claim(envelope: CommandEnvelope[ClaimHandle], state: State) -> list[Event]:
    command = envelope.command
    handle = state[handle_key(command.handle)]
    claimed = HandleClaimed(user=command.user)
    if isinstance(handle, Handle) and handle.user == command.user:
        return [claimed] if command.anew else []
    _, kind, name = handle_parts(command.handle)
    if kind == "username":
        # Before any registration: of a name that nobody may have there is no claim to release.
        check_username(name, by_operator=True)
    if not isinstance(handle, Handle):
        return [claimed]
    if (handle.user, handle.version) == (command.instead_of, command.version):
        return [claimed]
    holder = {"holder": handle.user, "state": handle.state, "claimed": handle.claimed, "version": handle.version}
    raise taken(kind, name, **holder)


def taken(kind: str, name: str, **more: Any) -> Refused:
    """The refusal of a name that somebody has."""
    what = _KINDS.get(kind, kind)
    errors = [wrong(f"/{kind}", f"a free {what}", f"{name}, which is taken")]
    return Refused("taken", f"expected a free {what}, {name} is taken", errors=errors, **more)


def confirm(envelope: CommandEnvelope[ConfirmHandle], state: State) -> list[Event]:
    command = envelope.command
    handle = state[handle_key(command.handle)]
    if not isinstance(handle, Handle) or handle.user != command.user:
        raise Refused("taken", f"expected {command.handle} to be claimed for {command.user}, it is not")
    return [] if handle.state == "confirmed" else [HandleConfirmed(user=command.user)]


def release(envelope: CommandEnvelope[ReleaseHandle], state: State) -> list[Event]:
    command = envelope.command
    handle = state[handle_key(command.handle)]
    if not isinstance(handle, Handle) or (handle.user, handle.version) != (command.user, command.version):
        return []
    return [HandleReleased(user=command.user)]


COMMANDS = (
    CommandType(ClaimHandle, "handles", lambda c: c.handle, _keys, claim),
    CommandType(ConfirmHandle, "handles", lambda c: c.handle, _keys, confirm),
    CommandType(ReleaseHandle, "handles", lambda c: c.handle, _keys, release),
)
