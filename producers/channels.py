"""Decisions about live channels: making and deleting them, users' numbers, and where somebody listens (S1).

Who may is asked here, and of no role in a room: everybody makes channels, of which they are the owner; the owner and
operators delete one; everybody listens, and has themselves a number given.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta

from events.channels import (
    COUNTER,
    LAST_NUMBER,
    STREAM,
    ChannelCreated,
    ChannelDeleted,
    ChannelListened,
    ChannelUserNumbered,
    channel_key,
    channel_user_key,
    listening_key,
    loaded_channel,
    loaded_channel_user,
    loaded_counter,
    loaded_listening,
)
from events.core.clock import to_datetime
from events.core.records import Event, Key, State
from events.users import user_key
from producers.commands import Command, CommandEnvelope, CommandType, Refused
from producers.limits import Id, whole
from producers.names import check_name
from producers.streams import UserCommand
from producers.users import present

#: Characters of a channel's name (S1: VARCHAR(64)).
CHANNEL_NAME_CHARS = 64
#: Users of a channel at most (S1: limit <= 25).
CHANNEL_USERS = 25
#: Channels of one owner that are not deleted: all of them are one answer's worth of rows.
CHANNELS = 100
#: Seconds that lie between two listens of a user at least, so that the token of the earlier one is not used beside it.
LISTEN_SECONDS = 2.0
#: The actor of what an operator does.
OPERATOR = "operator"

#: A channel's name: one line that people see. ``names.check_name`` asks for the rest of the rule.
ChannelName = Annotated[str, whole(
    r"[^\x00-\x1f\x7f]*", f"a string of 1 to {CHANNEL_NAME_CHARS} characters, none of them a control character",
    min_length=1, max_length=CHANNEL_NAME_CHARS,
)]  # fmt: skip
ChannelLimit = Annotated[int, Meta(ge=1, le=CHANNEL_USERS)]
#: Id of a channel, or number of a user: uint32.
Uint32 = Annotated[int, Meta(ge=1, le=LAST_NUMBER)]
#: Id of a server of channels: of a service account, or of one of our processes.
ServerId = Annotated[str, whole(
    r"[A-Za-z0-9_.:@\[\]-]{1,100}", "a string of 1 to 100 of the characters A-Z a-z 0-9 _ . : @ [ ] -",
    min_length=1, max_length=100,
)]  # fmt: skip


class CreateChannel(Command, frozen=True, kw_only=True):
    """Make a live channel, owned by the actor."""

    name: ChannelName
    limit: ChannelLimit


class DeleteChannel(Command, frozen=True, kw_only=True):
    """Delete a live channel. ``owner``: whose it is, which never changes and which the caller has read."""

    channel: Uint32
    owner: Id


class NumberUser(Command, frozen=True, kw_only=True):
    """Give a user the number by which channels name them; one that has one keeps it."""

    user: Id


class ListenChannel(UserCommand, frozen=True, kw_only=True):
    """Send the user to the server of a channel. That there is one, and room in it, is checked before."""

    channel: Uint32
    server: ServerId
    #: The user's.
    number: Uint32


def _created(envelope: CommandEnvelope[CreateChannel]) -> Sequence[Key]:
    return (channel_user_key(envelope.actor), COUNTER)


def _deleted(envelope: CommandEnvelope[DeleteChannel]) -> Sequence[Key]:
    return (channel_key(envelope.command.channel), channel_user_key(envelope.command.owner))


def _numbered(envelope: CommandEnvelope[NumberUser]) -> Sequence[Key]:
    return (channel_user_key(envelope.command.user), COUNTER)


def _listened(envelope: CommandEnvelope[ListenChannel]) -> Sequence[Key]:
    return (user_key(envelope.command.user), listening_key(envelope.command.user))


def missing_channel(channel: int) -> Refused:
    """What everybody is told of a channel that is not there."""
    return Refused("not_found", f"expected a channel, found none with id {channel}")


def create(envelope: CommandEnvelope[CreateChannel], state: State) -> list[Event]:
    command, owner = envelope.command, envelope.actor
    check_name("name", command.name)
    if loaded_channel_user(state, owner).channels >= CHANNELS:
        raise Refused("too_many", f"expected at most {CHANNELS} channels of one owner, there are as many; delete one")
    channel = _next(loaded_counter(state).channel, "channels")
    return [ChannelCreated(channel=channel, name=command.name, limit=command.limit, owner=owner)]


def _next(last: int, what: str) -> int:
    """The number after the last one. Raises Refused where there is none."""
    if last >= LAST_NUMBER:
        raise Refused("too_many", f"expected at most {LAST_NUMBER} {what} of an installation ever, there were as many")
    return last + 1


def delete(envelope: CommandEnvelope[DeleteChannel], state: State) -> list[Event]:
    command = envelope.command
    channel = loaded_channel(state, command.channel)
    if channel is None or channel.owner != command.owner:
        raise missing_channel(command.channel)
    if envelope.actor not in (channel.owner, OPERATOR):
        raise Refused("forbidden", "expected the channel's owner or an operator; you are neither")
    return [ChannelDeleted(channel=channel.id, owner=channel.owner)]


def number(envelope: CommandEnvelope[NumberUser], state: State) -> list[Event]:
    user = envelope.command.user
    if envelope.actor != user:
        raise Refused("forbidden", "expected the user themselves to ask for their number; you are another")
    if loaded_channel_user(state, user).number is not None:
        return []
    return [ChannelUserNumbered(user=user, number=_next(loaded_counter(state).number, "users of channels"))]


def listen(envelope: CommandEnvelope[ListenChannel], state: State) -> list[Event]:
    command = envelope.command
    present(state, command.user)
    if envelope.actor != command.user:
        raise Refused("forbidden", "expected the user themselves to listen; you are another")
    last = loaded_listening(state, command.user)
    if last is not None:
        # Whichever is first: the clocks of two processes differ, and one that is ahead locks nobody out.
        distance = abs((to_datetime(envelope.time) - to_datetime(last.listened)).total_seconds())
        if distance < LISTEN_SECONDS:
            wait = round(LISTEN_SECONDS - distance, 3)
            text = f"expected {LISTEN_SECONDS:g} s between two listens of a user, got {distance:g} s; wait {wait:g} s"
            raise Refused("rate_limited", text, retry_after=wait)
    was = None if last is None else last.server
    return [ChannelListened(channel=command.channel, server=command.server, number=command.number, was=was)]


COMMANDS = (
    CommandType(CreateChannel, "rooms", lambda c: STREAM, _created, create),
    CommandType(DeleteChannel, "rooms", lambda c: STREAM, _deleted, delete),
    CommandType(NumberUser, "rooms", lambda c: STREAM, _numbered, number),
    CommandType(ListenChannel, "users", lambda c: c.user, _listened, listen),
)
