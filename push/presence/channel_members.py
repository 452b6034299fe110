"""Who is in live channels, by what their servers note. Pure: times are seconds of a clock that never jumps."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from push.presence.gossip import GossipMessage, MemberNote


class _Claim(NamedTuple):
    """Where a server says that somebody is."""

    server: str
    channel: int


class _Notes:
    __slots__ = ("channels", "heard")

    def __init__(self) -> None:
        #: The users of each channel in which there are some.
        self.channels: dict[int, list[MemberNote]] = {}
        self.heard = 0.0


class ChannelMembers:
    """All servers that live. Of several places of a user the one of the latest listen counts, until another is left."""

    def __init__(self, *, ttl: float) -> None:
        """``ttl``: seconds of silence after which a server is dead."""
        self._ttl = ttl
        self._servers: dict[str, _Notes] = {}
        #: By user: the versions of all their places.
        self._places: dict[str, dict[_Claim, int]] = {}
        #: Channels, in the order of their changes.
        self._changed: dict[int, None] = {}

    def take(self, message: GossipMessage, now: float) -> None:
        """A server's note; no change for one of something else."""
        if message.bye:
            self._forget(message.node)
        if not message.inside and message.channels is None:
            return
        if message.node not in self._servers:
            # A relay that starts has a new id at the same address, and whoever was in the one before is not any more.
            _, at, address = message.node.partition("@")
            for other in [one for one in self._servers if at and one.partition("@")[2] == address]:
                self._forget(other)
        server = self._servers.setdefault(message.node, _Notes())
        server.heard = now
        for one in message.inside:
            self._put(_Claim(message.node, one.channel), one.users)
        if message.channels is not None:
            for channel in server.channels.keys() - set(message.channels):
                self._put(_Claim(message.node, channel), [])

    def of(self, channel: int) -> Collection[MemberNote]:
        """Who is in a channel, each once."""
        return [
            user
            for name, server in self._servers.items()
            for user in server.channels.get(channel, ())
            if self._place(user.user) == (name, channel)
        ]

    def tick(self, until: float) -> None:
        """All that was noted until this moment was read: servers that were silent for too long before it are dead."""
        for name in [name for name, server in self._servers.items() if server.heard <= until - self._ttl]:
            self._forget(name)

    def changes(self) -> Collection[int]:
        """The channels in which somebody came or went since the last time."""
        changed, self._changed = self._changed, {}
        return changed.keys()

    def _put(self, place: _Claim, users: list[MemberNote]) -> None:
        channels = self._servers[place.server].channels
        before = channels.get(place.channel, [])
        if before == users:
            return
        self._changed[place.channel] = None
        for gone in {user.user for user in before} - {user.user for user in users}:
            self._leave(gone, place)
        for user in users:
            self._enter(user, place)
        if users:
            channels[place.channel] = users
        else:
            del channels[place.channel]

    def _enter(self, user: MemberNote, place: _Claim) -> None:
        old = self._place(user.user)
        places = self._places.setdefault(user.user, {})
        if places.get(place) != user.version:
            # Of two with one version the one noted last counts.
            places.pop(place, None)
            places[place] = user.version
        if old is not None and old != self._place(user.user):
            self._changed[old.channel] = None

    def _leave(self, user: str, place: _Claim) -> None:
        places = self._places[user]
        del places[place]
        if not places:
            del self._places[user]
        elif (now := self._place(user)) is not None:
            self._changed[now.channel] = None

    def _place(self, user: str) -> _Claim | None:
        places = self._places.get(user)
        return None if not places else max(reversed(places), key=places.__getitem__)

    def _forget(self, name: str) -> None:
        server = self._servers.get(name)
        for channel in list(server.channels) if server is not None else ():
            self._put(_Claim(name, channel), [])
        self._servers.pop(name, None)
