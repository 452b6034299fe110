"""What devices are told of live channels: who is in those that they watch, once a turn, and only what is new to them.
Pure.

Everybody may see who is in a channel, without those with whom a block stands between.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import msgspec

from push.presence.channel_members import ChannelMembers
from push.presence.devices import Device, Devices
from push.presence.gossip import MemberNote
from push.presence.visibility import Visibility

#: Channels that one device watches.
WATCHED = 100

_encode = msgspec.json.Encoder().encode


class _Watch:
    __slots__ = ("channels", "device")

    def __init__(self, device: Device) -> None:
        self.device = device
        #: Each watched channel with what the device was told of it last; None: nothing yet.
        self.channels: dict[int, tuple[str, ...] | None] = {}


class ChannelSignals:
    """Who watches what, and what each is to be told."""

    def __init__(self, devices: Devices, visibility: Visibility, members: ChannelMembers) -> None:
        self._devices = devices
        self._visibility = visibility
        self._members = members
        #: By client, and the clients by channel.
        self._watches: dict[str, _Watch] = {}
        self._watchers: dict[int, set[str]] = {}
        #: Clients that may have to be told of all that they watch.
        self._due: set[str] = set()

    def watch(self, client: str, channels: Collection[int]) -> bool:
        """A device watches these channels and no others. Returns whether it is known."""
        device = self._devices.get(client)
        if device is None:
            return False
        watch = self._watches.setdefault(client, _Watch(device))
        for channel in watch.channels.keys() - set(channels):
            self._leave(client, channel)
            del watch.channels[channel]
        for channel in channels:
            watch.channels.setdefault(channel, None)
            self._watchers.setdefault(channel, set()).add(client)
        self._due.add(client)
        if not watch.channels:
            del self._watches[client]
        return True

    def leave(self, client: str) -> None:
        """A device has gone; no change when it watched nothing."""
        watch = self._watches.pop(client, None)
        for channel in watch.channels if watch is not None else ():
            self._leave(client, channel)

    def anew(self, client: str) -> None:
        """A device has missed something: it is told everything."""
        watch = self._watches.get(client)
        if watch is not None:
            watch.channels = dict.fromkeys(watch.channels)
            self._due.add(client)

    def regard(self, user: str) -> None:
        """Whom somebody may see has changed."""
        self._due.update(device.hearer.client for device in self._devices.of(user))

    def turn(self) -> list[tuple[Device, list[bytes]]]:
        """The signals for each device that has some to receive."""
        found: dict[Device, list[bytes]] = {}
        whole: dict[int, bytes] = {}
        for channel in self._members.changes():
            for client in self._watchers.get(channel, ()):
                self._tell(self._watches[client], [channel], found, whole)
        due, self._due = self._due, set()
        for client in due:
            watch = self._watches.get(client)
            if watch is not None:
                self._tell(watch, watch.channels, found, whole)
        return list(found.items())

    def _tell(
        self, watch: _Watch, channels: Iterable[int], found: dict[Device, list[bytes]], whole: dict[int, bytes]
    ) -> None:
        user = watch.device.user
        if user not in self._visibility:
            # It is told as soon as it is known of whom.
            self._due.add(watch.device.hearer.client)
            return
        quarrels = self._visibility.quarrels(user)
        for channel in channels:
            users = [
                one for one in self._members.of(channel) if not (quarrels and self._visibility.apart(user, one.user))
            ]
            told = tuple(one.user for one in users)
            if watch.channels[channel] == told:
                continue
            watch.channels[channel] = told
            if quarrels or channel not in whole:
                signal = _signal(channel, users)
                if not quarrels:
                    # Encoded once for all who see all of them.
                    whole[channel] = signal
            else:
                signal = whole[channel]
            found.setdefault(watch.device, []).append(signal)

    def _leave(self, client: str, channel: int) -> None:
        watchers = self._watchers[channel]
        watchers.discard(client)
        if not watchers:
            del self._watchers[channel]


def _signal(channel: int, users: Collection[MemberNote]) -> bytes:
    entries = [{"id": one.username, "user": one.user, "number": one.number} for one in users]
    return _encode({"signal": "channel", "channel": channel, "users": entries})
