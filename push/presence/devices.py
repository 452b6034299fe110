"""The devices that are connected to this node: what they show, when they were last used, which users are away.

Pure: times are seconds of a clock that never jumps, given by the caller.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Protocol

from push.presence.gossip import Status


class Hearer(Protocol):
    """A connection, as far as signals go. Its id, and whatever else is known of it, never leave this node."""

    client: str

    def signal(self, signals: Sequence[bytes]) -> bool:
        """Send signals (JSON objects) now, or not at all. Returns whether they were sent."""
        ...


class Device:
    """One connection of a user."""

    __slots__ = ("away", "hearer", "room", "stale", "used", "user")

    def __init__(self, user: str, hearer: Hearer, now: float) -> None:
        self.user = user
        self.hearer = hearer
        self.used = now
        #: It said that nobody is there; until it is used again.
        self.away = False
        #: The room that it shows.
        self.room: str | None = None
        #: It must be told everything again: it has just come, or could not take a signal.
        self.stale = True


class _User:
    """A user with devices here, or who had one until a moment ago."""

    __slots__ = ("active", "devices", "due", "online")

    def __init__(self) -> None:
        self.devices: list[Device] = []
        #: When a device was last used, also one that has gone.
        self.active = 0.0
        self.online = False
        #: Without a device: when the user counts as gone.
        self.due = 0.0

    @property
    def latest(self) -> Device:
        return max(self.devices, key=lambda device: device.used)


class Devices:
    """All of them. A user whose last device has gone stays for a while: a page that is loaded again is no event."""

    def __init__(self, *, away: float, grace: float) -> None:
        """``away``: seconds without use until a user counts as away. ``grace``: seconds until a lost user has gone."""
        self._away = away
        self._grace = grace
        self._by_client: dict[str, Device] = {}
        self._users: dict[str, _User] = {}
        #: Users who are online, the one who was active longest ago first.
        self._online: OrderedDict[str, _User] = OrderedDict()
        self._leaving: dict[str, _User] = {}
        #: Nobody counts as gone: the node sends its clients to others, and they have time to come up there.
        self.closing = False
        #: Users of whom others must be told again.
        self.dirty: set[str] = set()

    def __contains__(self, user: str) -> bool:
        return user in self._users

    def of(self, user: str) -> Sequence[Device]:
        """A user's devices."""
        found = self._users.get(user)
        return found.devices if found is not None else ()

    def get(self, client: str) -> Device | None:
        """The device of a connection."""
        return self._by_client.get(client)

    def join(self, user: str, hearer: Hearer, now: float) -> None:
        """A connection has begun; no change when it is known."""
        if hearer.client in self._by_client:
            return
        device = self._by_client[hearer.client] = Device(user, hearer, now)
        found = self._users.setdefault(user, _User())
        found.devices.append(device)
        self._leaving.pop(user, None)
        self._use(device, found, now)
        self.dirty.add(user)

    def leave(self, client: str, now: float) -> None:
        """A connection has ended; no change when it is not known."""
        device = self._by_client.pop(client, None)
        if device is None:
            return
        found = self._users[device.user]
        found.devices.remove(device)
        self.dirty.add(device.user)
        if not found.devices:
            found.due = now + self._grace
            self._leaving[device.user] = found
        self._settle(device.user, found)

    def use(self, client: str, now: float) -> None:
        """Somebody did something on a connection."""
        device = self._by_client.get(client)
        if device is not None:
            self._use(device, self._users[device.user], now)

    def show(self, client: str, room: str | None, away: bool, now: float) -> bool:
        """A device shows a room (None: none), and says whether nobody is there. Returns whether it is known."""
        device = self._by_client.get(client)
        if device is None:
            return False
        if room != device.room:
            device.room = room
            self.dirty.add(device.user)
        found = self._users[device.user]
        if away:
            device.away = True
            self._settle(device.user, found)
        else:
            self._use(device, found, now)
        return True

    def close(self, user: str, room: str) -> None:
        """A user has left a room: no device of theirs shows it any more."""
        for device in self.of(user):
            if device.room == room:
                device.room = None
                self.dirty.add(user)

    def tick(self, now: float) -> list[str]:
        """Time has passed. Returns users who have gone."""
        while self._online:
            user, found = next(iter(self._online.items()))
            if found.active + self._away > now:
                break
            self._set(user, found, online=False)
        gone = [user for user, found in self._leaving.items() if found.due <= now and not self.closing]
        for user in gone:
            self._leaving.pop(user)
            self._users.pop(user)
            self._online.pop(user, None)
            self.dirty.discard(user)
        return gone

    def status(self, user: str) -> Status:
        """online: a device was used lately. Who has no device any more is as before until the grace is over."""
        return "online" if self._users[user].online else "away"

    def active(self, user: str) -> float:
        """When a user's devices were last used."""
        return self._users[user].active

    def room(self, user: str) -> str | None:
        """The room that the device shows which was used last."""
        found = self._users[user]
        return found.latest.room if found.devices else None

    def open(self, user: str) -> list[str]:
        """All rooms that a user's devices show."""
        return list(dict.fromkeys(device.room for device in self.of(user) if device.room is not None))

    def _use(self, device: Device, found: _User, now: float) -> None:
        if found.latest is not device:
            # Another device's room is now the current one.
            self.dirty.add(device.user)
        device.used = found.active = now
        device.away = False
        self._set(device.user, found, online=True)
        self._online.move_to_end(device.user)

    def _settle(self, user: str, found: _User) -> None:
        """With devices that all say that nobody is there, the user is away."""
        if found.devices and all(device.away for device in found.devices):
            self._set(user, found, online=False)

    def _set(self, user: str, found: _User, *, online: bool) -> None:
        if found.online != online:
            found.online = online
            self.dirty.add(user)
        if online:
            self._online[user] = found
        else:
            self._online.pop(user, None)
