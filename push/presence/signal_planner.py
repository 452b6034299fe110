"""What each device receives in one turn: at most one list of signals, however much has happened. Pure.

A signal goes to those who may receive it, and only if it changes something for them:

- presence: to those who share a small room with the user, without a block between the two;
- typing: in a small room to all who are in it, in a large one to those who show it;
- watching: to those who show the room.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime

import msgspec

from events.core.clock import from_datetime
from push.presence.devices import Device, Devices
from push.presence.presence import OFFLINE, Presence, PresenceState
from push.presence.typing_state import TypingState
from push.presence.visibility import Visibility

#: Users that one signal names: some 150 kB, so that it fits into a frame.
USERS = 1000
#: Watchers that are named; beyond that there is the count.
WATCHERS = 50
#: A room shown by more than CROWD is told of its watchers at most once in CROWD_SECONDS: each telling costs a frame
#: for each of them.
CROWD, CROWD_SECONDS = 256, 2.0

_encode = msgspec.json.Encoder().encode


class SignalPlanner:
    """Collects what has to be told, and to whom."""

    def __init__(self, devices: Devices, visibility: Visibility, presence: Presence, typing_state: TypingState) -> None:
        self._devices = devices
        self._visibility = visibility
        self._presence = presence
        self._typing_state = typing_state
        #: Devices that are to be told everything, and those that show another room.
        self._anew: set[str] = set()
        self._looking: set[str] = set()
        #: Of whom a hearer is to be told for another reason than a change of theirs, a new room in common or a block;
        #: and what was told before: a block must not show by being told of.
        self._regarded: dict[str, dict[str, PresenceState]] = {}
        self._rewatched: set[str] = set()
        self._crowd_told: dict[str, float] = {}
        #: Who was told to type in a room, and to show it, the last time: somebody from whom a block hides what is new
        #: must not get the same signal again, and learn from it that there is something to hide.
        self._typed: dict[str, list[str]] = {}
        self._watched: dict[str, list[str]] = {}
        self._entries: dict[tuple[str, bool], bytes] = {}
        self._signals: dict[Device, list[bytes]] = {}

    def anew(self, client: str) -> None:
        """A device must be told everything: it has come, or has missed a signal."""
        self._anew.add(client)

    def look(self, client: str) -> None:
        """A device shows another room."""
        self._looking.add(client)

    def regard(self, hearer: str, users: Collection[str]) -> None:
        """Which signals of some others somebody may receive is about to change."""
        if hearer in self._visibility:
            before = self._regarded.setdefault(hearer, {})
            for user in users:
                before.setdefault(user, self._visible(hearer, user))

    def turn(self, now: float) -> list[tuple[Device, list[bytes]]]:
        """The signals for each device that has some to receive."""
        self._entries.clear()
        entries: dict[str, dict[str, bytes]] = {}
        for user, (before, rooms) in self._presence.changes().items():
            self._change(user, before, rooms, entries)
        regarded, self._regarded = self._regarded, {}
        for hearer, users in regarded.items():
            for user, old in users.items():
                new = self._visible(hearer, user)
                if user != hearer and _differ(old, new):
                    entries.setdefault(hearer, {})[user] = self._entry(user, new)
        for hearer, found in entries.items():
            self._say(self._devices.of(hearer), _presence(list(found.values())))
        for room in self._typing_state.tick(now):
            self._typing(room)
        for room in self._due_watching(now):
            self._rewatch(room)
        self._single()
        signals, self._signals = self._signals, {}
        return list(signals.items())

    def _say(self, devices: Sequence[Device], signals: Sequence[bytes]) -> None:
        for device in devices:
            self._signals.setdefault(device, []).extend(signals)

    def _single(self) -> None:
        """What is for one device: everything, in place of what all devices of the user are told; or another room."""
        looking, self._looking = self._looking, set()
        for client in looking - self._anew:
            device = self._devices.get(client)
            if device is not None and device.room is not None:
                self._say([device], self._room(device.user, device.room))
        anew, self._anew = self._anew, set()
        for client in anew:
            device = self._devices.get(client)
            if device is None:
                continue
            if device.user not in self._visibility:
                # It is told as soon as it is known of whom.
                self._anew.add(client)
                continue
            self._signals.pop(device, None)
            self._say([device], self._everything(device))

    def _everything(self, device: Device) -> list[bytes]:
        user = device.user
        rooms = self._visibility.rooms(user)
        small = [room for room in rooms if self._visibility.small(room)]
        others = list({other: None for room in small for other in self._presence.inside(room) if other != user})
        if self._visibility.quarrels(user):
            others = self._others(user, others)
        # With each of them a small room is shared, and no block stands between: nothing else is left of ``_visible``.
        signals = _presence([self._entry(other, _seen(self._presence.state(other), rooms)) for other in others])
        for room in small:
            if room != device.room and (typing := self._others(user, self._typing_state.of(room))):
                signals.append(_typing(room, typing))
        return signals if device.room is None else [*signals, *self._room(user, device.room)]

    def _room(self, user: str, room: str) -> list[bytes]:
        """What is told of a room to a device that has just opened it."""
        typing = self._others(user, self._typing_state.of(room))
        return [self._watching(user, room), *([_typing(room, typing)] if typing else [])]

    # Presence.

    def _change(
        self, user: str, before: PresenceState, rooms_before: Collection[str], entries: dict[str, dict[str, bytes]]
    ) -> None:
        after = self._presence.state(user)
        small = self._visibility.small
        was = {room for room in rooms_before if small(room)}
        now = {room for room in self._presence.rooms(user) if small(room)}
        hearers = {hearer for room in was | now for hearer in self._visibility.inside(room)} - {user}
        for hearer in hearers:
            if not self._devices.of(hearer) or self._apart(hearer, user):
                continue
            rooms = self._visibility.rooms(hearer)
            old = _seen(before, rooms) if not was.isdisjoint(rooms) else OFFLINE
            new = _seen(after, rooms) if not now.isdisjoint(rooms) else OFFLINE
            if _differ(old, new):
                entries.setdefault(hearer, {})[user] = self._entry(user, new)

    def _visible(self, hearer: str, user: str) -> PresenceState:
        """A user as somebody else sees them: offline to all who may not know."""
        rooms = self._visibility.rooms(hearer)
        shared = any(room in rooms and self._visibility.small(room) for room in self._presence.rooms(user))
        return _seen(self._presence.state(user), rooms) if shared and not self._apart(hearer, user) else OFFLINE

    def _apart(self, hearer: str, user: str) -> bool:
        return self._visibility.apart(hearer, user)

    def _entry(self, user: str, state: PresenceState) -> bytes:
        """One user in a presence signal; encoded once for all who see the same."""
        if state is OFFLINE:
            return _encode(entry(user, OFFLINE))
        key = (user, state.room is not None)
        found = self._entries.get(key)
        if found is None:
            found = self._entries[key] = _encode(entry(user, state))
        return found

    # Typing and watching.

    def _typing(self, room: str) -> None:
        """Who types in a room, to all who may know: encoded once for those who see all of them."""
        before, after = self._typed.pop(room, []), list(self._typing_state.of(room))
        if after:
            self._typed[room] = after
        small = self._visibility.small(room)
        whole = _typing(room, after)
        for user in self._visibility.inside(room):
            devices = self._devices.of(user)
            devices = devices if small else [device for device in devices if device.room == room]
            if not devices:
                continue
            if user not in after and user not in before and not self._visibility.quarrels(user):
                self._say(devices, [whole])
            elif (seen := self._others(user, after)) or self._others(user, before):
                self._say(devices, [_typing(room, seen)])

    def _others(self, hearer: str, users: Collection[str]) -> list[str]:
        """Those of some users of whom somebody may know that they are there, without themselves."""
        return [user for user in users if user != hearer and not self._apart(hearer, user)]

    def _due_watching(self, now: float) -> list[str]:
        """Rooms whose watchers are told of each other now; those with many wait for their turn."""
        self._rewatched |= self._presence.rewatched()
        self._crowd_told = {room: told for room, told in self._crowd_told.items() if told > now - CROWD_SECONDS}
        due = [room for room in self._rewatched if room not in self._crowd_told]
        for room in due:
            self._rewatched.discard(room)
            if len(self._presence.watching(room)) > CROWD:
                self._crowd_told[room] = now
        return due

    def _rewatch(self, room: str) -> None:
        """Who shows a room, to all who show it."""
        before, after = self._watched.pop(room, []), list(self._presence.watching(room))
        if after:
            self._watched[room] = after
        for user in after:
            devices = [device for device in self._devices.of(user) if device.room == room]
            hidden = self._visibility.quarrels(user) and self._others(user, before) == self._others(user, after)
            if devices and not (hidden and user in before):
                self._say(devices, [self._watching(user, room)])

    def _watching(self, hearer: str, room: str) -> bytes:
        watching = self._presence.watching(room)
        users = list(watching)
        if self._visibility.quarrels(hearer):
            users = [user for user in users if not self._apart(hearer, user)]
        return _encode({"signal": "watching", "room": room, "count": len(users), "users": users[:WATCHERS]})


def entry(user: str, state: PresenceState) -> dict[str, str | None]:
    """A user's presence as clients see it."""
    active = None if state.active is None else from_datetime(datetime.fromtimestamp(state.active / 1000, UTC))
    return {"user": user, "status": state.status, "active": active, "room": state.room}


def _differ(old: PresenceState, new: PresenceState) -> bool:
    """Whether there is something to tell. Time alone is not."""
    return (old.status, old.room) != (new.status, new.room)


def _typing(room: str, users: list[str]) -> bytes:
    return _encode({"signal": "typing", "room": room, "users": users})


def _seen(state: PresenceState, rooms: Collection[str]) -> PresenceState:
    """A state without a room in which the hearer is not."""
    return state if state.room is None or state.room in rooms else state._replace(room=None)


def _presence(entries: Sequence[bytes]) -> list[bytes]:
    return [
        b'{"signal":"presence","users":[%s]}' % b",".join(entries[begin : begin + USERS])
        for begin in range(0, len(entries), USERS)
    ]
