"""Live channels (S1): which there are, users' numbers, and where each user listens. What is said in them is no event.

All channels stand in one stream (``STREAM``, topic ``rooms``), as only one writer can count them; where somebody
listens stands in the user's own stream (topic ``users``).
"""

from __future__ import annotations

from typing import ClassVar, Literal

from msgspec.structs import replace

from events.core.clock import Time
from events.core.records import Changes, Entity, Event, EventType, Key, Record, State
from events.core.revert_rules import NotRevertible

#: The stream of all channels. No room has this id, which its own rule keeps from it: it has a colon.
STREAM = "live:channels"
#: The last id and the last number that there can be: S1 has both as uint32.
LAST_NUMBER = 2**32 - 1


class Channel(Entity, frozen=True, kw_only=True):
    """A live channel (S1 Channel), also one that was deleted: its id is not used again."""

    kind: ClassVar = "channel"
    key_fields: ClassVar = ("id",)

    #: 1, 2, 3 and so on, in the order in which they were made.
    id: int
    name: str
    #: How many users may be in it at once.
    limit: int
    #: Who made it.
    owner: str
    state: Literal["created", "deleted"]
    created: Time
    deleted: Time | None
    version: int

    @property
    def key(self) -> Key:
        return channel_key(self.id)


class ChannelUser(Entity, frozen=True, kw_only=True):
    """What a user is to channels."""

    kind: ClassVar = "channel_user"
    key_fields: ClassVar = ("user",)

    user: str
    #: By which the messages in channels name the user (S1 Message.user_id), from 1; None: never listened.
    number: int | None
    #: How many channels of theirs are not deleted.
    channels: int
    version: int


class ChannelCounter(Entity, frozen=True, kw_only=True):
    """What was given out last in the stream of channels."""

    kind: ClassVar = "channel_counter"
    key_fields: ClassVar = ("stream",)

    stream: str
    #: Id of the last channel; 0: none.
    channel: int
    #: Number of the last user; 0: none.
    number: int
    version: int


class Listening(Entity, frozen=True, kw_only=True):
    """Where a user listened last: ``version`` orders it among all that the user's listens."""

    kind: ClassVar = "listening"
    key_fields: ClassVar = ("user",)

    user: str
    channel: int
    #: Id of the server that the user was sent to.
    server: str
    listened: Time
    version: int


class ChannelCreated(Event, frozen=True, kw_only=True):
    channel: int
    name: str
    limit: int
    #: User id.
    owner: str


class ChannelDeleted(Event, frozen=True, kw_only=True):
    channel: int
    #: User id of whose it was: one more may be made.
    owner: str


class ChannelUserNumbered(Event, frozen=True, kw_only=True):
    user: str
    number: int


class ChannelListened(Event, frozen=True, kw_only=True):
    channel: int
    #: Id of the server that serves it.
    server: str
    #: The user's, as in ``channel.user_numbered``.
    number: int
    #: Id of the server of the listen before; None: there was none.
    was: str | None


def channel_key(channel: int) -> Key:
    return ("channel", str(channel))


def channel_user_key(user: str) -> Key:
    return ("channel_user", user)


def listening_key(user: str) -> Key:
    return ("listening", user)


#: Key of the one counter.
COUNTER: Key = ("channel_counter", STREAM)


def loaded_channel(state: State, channel: int) -> Channel | None:
    """The channel in ``state``; None where there is none, or it was deleted. KeyError when it was not loaded."""
    entity = state[channel_key(channel)]
    return entity if isinstance(entity, Channel) and entity.state == "created" else None


def loaded_channel_user(state: State, user: str) -> ChannelUser:
    """What a user is to channels; whoever has nothing yet is nothing. KeyError when it was not loaded."""
    entity = state[channel_user_key(user)]
    return entity if isinstance(entity, ChannelUser) else ChannelUser(user=user, number=None, channels=0, version=-1)


def loaded_counter(state: State) -> ChannelCounter:
    """The counter, from 0. KeyError when it was not loaded."""
    entity = state[COUNTER]
    return entity if isinstance(entity, ChannelCounter) else ChannelCounter(
        stream=STREAM, channel=0, number=0, version=-1
    )  # fmt: skip


def loaded_listening(state: State, user: str) -> Listening | None:
    """Where the user listened last. KeyError when it was not loaded."""
    entity = state[listening_key(user)]
    assert entity is None or isinstance(entity, Listening)
    return entity


def created_keys(record: Record[ChannelCreated]) -> tuple[Key, ...]:
    # Not the channel: it is made without a look at what was there, and whoever makes it does not know its id yet.
    return (channel_user_key(record.data.owner), COUNTER)


def as_created(record: Record[ChannelCreated]) -> Channel:
    """The channel as it was made, from its event alone."""
    event = record.data
    return Channel(
        id=event.channel, name=event.name, limit=event.limit, owner=event.owner, state="created", created=record.time,
        deleted=None, version=record.offset,
    )  # fmt: skip


def created(record: Record[ChannelCreated], state: State) -> Changes:
    channel, owner = as_created(record), loaded_channel_user(state, record.data.owner)
    return {
        channel.key: channel,
        owner.key: replace(owner, channels=owner.channels + 1, version=record.offset),
        COUNTER: replace(loaded_counter(state), channel=channel.id, version=record.offset),
    }


def deleted_keys(record: Record[ChannelDeleted]) -> tuple[Key, ...]:
    return (channel_key(record.data.channel), channel_user_key(record.data.owner))


def deleted(record: Record[ChannelDeleted], state: State) -> Changes:
    channel = loaded_channel(state, record.data.channel)
    if channel is None:
        return {}
    owner = loaded_channel_user(state, record.data.owner)
    return {
        channel.key: replace(channel, state="deleted", deleted=record.time, version=record.offset),
        owner.key: replace(owner, channels=owner.channels - 1, version=record.offset),
    }


def numbered_keys(record: Record[ChannelUserNumbered]) -> tuple[Key, ...]:
    return (channel_user_key(record.data.user), COUNTER)


def numbered(record: Record[ChannelUserNumbered], state: State) -> Changes:
    event = record.data
    user = loaded_channel_user(state, event.user)
    return {
        user.key: replace(user, number=event.number, version=record.offset),
        COUNTER: replace(loaded_counter(state), number=event.number, version=record.offset),
    }


def listened_keys(record: Record[ChannelListened]) -> tuple[Key, ...]:
    return (listening_key(record.stream),)


def listened(record: Record[ChannelListened], state: State) -> Changes:
    event = record.data
    listening = Listening(
        user=record.stream, channel=event.channel, server=event.server, listened=record.time, version=record.offset
    )  # fmt: skip
    return {listening.key: listening}


_USER = "7d9f3c1e-2f7b-4a62-9c5e-0d3b1a2c4e5f"

ROWS = (
    EventType(
        name="channel.created", struct=ChannelCreated, topics=("rooms",), keys=created_keys, fold=created,
        makes=("channel",), about="A live channel was made; the actor is its owner.",
        sample=ChannelCreated(channel=1, name="Raid", limit=25, owner=_USER),
        revert=NotRevertible("its owner or an operator deletes the channel, and its id is never used again"),
    ),
    EventType(
        name="channel.deleted", struct=ChannelDeleted, topics=("rooms",), keys=deleted_keys, fold=deleted,
        about="A live channel was deleted, by its owner or an operator.",
        sample=ChannelDeleted(channel=1, owner=_USER),
        revert=NotRevertible("who was in it was cut off; a new channel is made instead"),
    ),
    EventType(
        name="channel.user_numbered", struct=ChannelUserNumbered, topics=("rooms",), keys=numbered_keys, fold=numbered,
        about="A user got the number by which live channels name them, for good.",
        sample=ChannelUserNumbered(user=_USER, number=1),
        revert=NotRevertible("a number names one user for ever"),
    ),
    EventType(
        name="channel.listened", struct=ChannelListened, topics=("users",), keys=listened_keys, fold=listened,
        makes=("listening",),
        about="A user was sent to the server of a live channel; an earlier token of theirs is good no more.",
        sample=ChannelListened(channel=1, server="relay-1", number=1, was=None),
        revert=NotRevertible("it says where somebody was sent, and lasts for seconds"),
    ),
)  # fmt: skip
