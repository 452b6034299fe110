"""Who is there, on this node and on the others, and what each is told of it: what happens comes in, notes and signals
go out. No I/O; ``signals.py`` moves the bytes.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple
from uuid import uuid4

from events.core.feed import NAMED_ROOM
from push.presence.channel_members import ChannelMembers
from push.presence.channel_signals import ChannelSignals
from push.presence.devices import Device, Devices, Hearer
from push.presence.gossip import ROOMS, GossipMessage, Present, Typed
from push.presence.gossip_outbox import GossipOutbox
from push.presence.presence import Departure, Presence, PresenceState
from push.presence.signal_planner import SignalPlanner
from push.presence.typing_state import TypingState
from push.presence.visibility import Visibility

#: Signals that one connection (over HTTP: one user) may give in a second.
RATE = 20


class Surroundings(NamedTuple):
    """What must be known of a user who listens here."""

    #: How many are in each of the user's rooms; None: not known.
    sizes: Mapping[str, int | None]
    #: Whom the user blocks, and who blocks the user.
    blocks: Collection[str]
    blocked_by: Collection[str]
    #: Those of the rooms in which the user is not by their own choice.
    unwilling: Collection[str] = frozenset()


class PresenceTick(NamedTuple):
    """What comes of one turn."""

    gossip: list[GossipMessage]
    #: Signals by device; each that is not sent must be reported by ``missed``.
    signals: list[tuple[Device, list[bytes]]]
    #: Users of whom this node is to note when they were seen last.
    departed: list[Departure]


class PresenceHub:
    """All of it, for one process. Methods are called from one event loop."""

    def __init__(
        self, *, part: bool = True, ttl: float = 30.0, away: float = 300.0, channel_ttl: float = 15.0,
        clock: Callable[[], float] = time.monotonic, wall: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        """``part``: whether users connect to this process.

        ``ttl``: seconds of silence after which another node is dead, ``channel_ttl``: after which a server of live
        channels is; ``away``: seconds without use until a user is away. ``clock`` never jumps; ``wall`` is Unix
        seconds.
        """
        self.node = uuid4().hex
        self._ttl = ttl
        self._clock = clock
        self._wall = wall
        self._grace = ttl / 10
        self._devices = Devices(away=away, grace=self._grace)
        self._visibility = Visibility()
        self._presence = Presence(self.node if part else "", ttl=ttl, grace=self._grace)
        self._typing_state = TypingState()
        self._planner = SignalPlanner(self._devices, self._visibility, self._presence, self._typing_state)
        self._channel_members = ChannelMembers(ttl=channel_ttl)
        self._channel_signals = ChannelSignals(self._devices, self._visibility, self._channel_members)
        #: What was told of each user here last.
        self._announced: dict[str, Present] = {}
        self._beat = ttl / 3
        self._outbox = GossipOutbox(self.node, part, self._beat)
        #: When the own notes were last read back; without them silence says nothing of others.
        self._echo = clock()
        self._blind = True
        self._rate: Counter[str] = Counter()
        self._rate_since = 0.0

    # What the hub reports.

    def learned(self, user: str, about: Surroundings) -> None:
        """A user listens here, and this is what it takes to know which signals they may receive."""
        self._visibility.learned(
            user, about.sizes, about.blocks, about.blocked_by, self._clock(), unwilling=about.unwilling
        )
        self._renew(user)

    def forgot(self, user: str) -> None:
        """A user listens here no more."""
        self._visibility.forgot(user)

    def moved(
        self, user: str, room: str, inside: bool, members: int | None = None, willing: bool = True
    ) -> None:  # fmt: skip
        """Somebody who listens here is in a room (of this many members, if that is known), or is no more."""
        if inside and not willing:
            self._visibility.put(user, room, members)
            return
        if members <= NAMED_ROOM if inside and members is not None else self._visibility.small(room):
            self._planner.regard(user, self._presence.inside(room))
        if not self._visibility.moved(user, room, inside, members):
            return
        if not inside:
            self._devices.close(user, room)
            self._typing_state.end(user, room)
        self._renew(user)

    def counted(self, room: str, joined: bool, at: int) -> None:
        """Somebody joined or left a room, at an offset of the log."""
        self._visibility.counted(room, joined, at)

    def related(self, user: str, other: str, blocked: bool) -> None:
        """A user blocks another, or does not."""
        self._planner.regard(user, [other])
        self._planner.regard(other, [user])
        self._visibility.related(user, other, blocked, self._clock())
        self._channel_signals.regard(user)
        self._channel_signals.regard(other)

    def posted(self, user: str, room: str) -> None:
        """A user's message has come: that ends the typing of it."""
        self._typing_state.posted(user, room, self._clock())

    def acted_in(self, user: str, room: str) -> None:
        """Somebody has read or spoken in a room: from then on they are there by their own choice."""
        size = self._visibility.unwilling(user, room)
        if size is not None:
            self.moved(user, room, True, size)

    def shut(self, room: str, shut: bool) -> None:
        """A room was deleted, or brought back."""
        inside = self._visibility.inside(room)
        if self._visibility.named(room):
            for user in inside:
                self._planner.regard(user, self._presence.inside(room))
        self._visibility.shut(room, shut)
        for user in inside if shut else ():
            self._devices.close(user, room)

    # What connections report.

    def join(self, user: str, hearer: Hearer) -> None:
        """A connection of a user receives signals from now on."""
        self._devices.join(user, hearer, self._clock())
        self._planner.anew(hearer.client)

    def leave(self, client: str) -> None:
        """A connection receives no more signals; no change when it did not."""
        self._devices.leave(client, self._clock())
        self._channel_signals.leave(client)

    def missed(self, device: Device) -> None:
        """A device did not take its signals: it is told everything as soon as it takes some."""
        self._planner.anew(device.hearer.client)
        self._channel_signals.anew(device.hearer.client)

    # What clients say.

    def admits(self, key: str) -> bool:
        """Whether a connection may give another signal in this second."""
        now = self._clock()
        if now >= self._rate_since + 1:
            self._rate.clear()
            self._rate_since = now
        self._rate[key] += 1
        return self._rate[key] <= RATE

    def acted(self, client: str) -> None:
        """Somebody did something on a connection."""
        device = self._devices.get(client)
        if device is None:
            return
        self._devices.use(client, self._clock())
        told = self._announced.get(device.user)
        if told is not None and told.active < self._presence.elsewhere(device.user):
            # A device at another node counts as the one used last, which it is no longer.
            self._devices.dirty.add(device.user)

    def show(self, client: str, room: str | None, away: bool) -> bool:
        """A connection shows a room, and says whether nobody is there. Returns whether it receives any."""
        self._planner.look(client)
        return self._devices.show(client, room, away, self._clock())

    def watch(self, client: str, channels: Collection[int]) -> bool:
        """A connection watches some live channels and no others. Returns whether it receives any signals."""
        return self._channel_signals.watch(client, channels)

    def type(self, user: str, room: str, typing: bool) -> None:
        """A user types in a room, or has stopped."""
        now = self._clock()
        if self._typing_state.passes(user, room, typing, now):
            self._typing_state.note(user, room, typing, now)
            self._outbox.type(Typed(user, room, typing))

    # What is known.

    def __len__(self) -> int:
        return len(self._presence)

    def state(self, user: str) -> PresenceState:
        """A user's presence; as the user, not as anybody in particular may see it."""
        return self._presence.state(user)

    def inside(self, room: str) -> Collection[str]:
        """Members of a room who are present."""
        return self._presence.inside(room)

    def watching(self, room: str) -> Collection[str]:
        """Users who have a room open."""
        return self._presence.watching(room)

    def is_in(self, user: str, room: str) -> bool:
        """Whether it is known here that a user is in a room; if not, the read models know."""
        return self._visibility.is_in(user, room)

    # Other nodes, and time.

    def take(self, message: GossipMessage) -> None:
        """A note was read."""
        now = self._clock()
        if message.node == self.node:
            self._echo = now
            return
        self._channel_members.take(message, now)
        if self._presence.take(message, now, int(self._wall() * 1000)):
            self._outbox.ask(message.node)
        for typed in message.typed:
            self._typing_state.note(typed.user, typed.room, typed.typing, now)
        self._outbox.asked(message.ask)

    def lost(self) -> None:
        """Notes were missed, nobody knows which."""
        self._outbox.ask("*")

    def turn(self) -> PresenceTick:
        """Time has passed: what is to be written, told and noted now."""
        now = self._clock()
        self._announce(now)
        self._judge(now)
        signals = dict(self._planner.turn(now))
        for device, more in self._channel_signals.turn():
            signals.setdefault(device, []).extend(more)
        messages = self._outbox.messages(now, self._announced)
        return PresenceTick(messages, list(signals.items()), self._presence.departures())

    def close(self) -> None:
        """The clients are sent to other nodes: nobody is told that they have gone before this one has."""
        self._devices.closing = True

    def bye(self) -> GossipMessage:
        """The last note: this node stops."""
        return self._outbox.bye()

    # Parts of the above.

    def _renew(self, user: str) -> None:
        if user in self._devices:
            self._devices.dirty.add(user)

    def _announce(self, now: float) -> None:
        """Takes over what has changed of the devices here."""
        for user in self._devices.tick(now):
            if self._announced.pop(user, None) is not None:
                self._presence.drop(self.node, user, int((self._wall() - self._grace) * 1000))
                self._outbox.gone(user)
        dirty, self._devices.dirty = self._devices.dirty, set()
        for user in dirty:
            known = self._announced.get(user)
            if user in self._visibility:
                rooms = sorted(self._visibility.rooms(user))[:ROOMS]
            elif known is not None and known.rooms is not None:
                rooms = known.rooms
            else:
                # Nobody is announced before it is known to whom.
                continue
            present = self._announced[user] = self._present(user, rooms, now)
            self._presence.put(self.node, present)
            self._outbox.change(user, rooms=known is None or known.rooms != rooms)

    def _present(self, user: str, rooms: list[str], now: float) -> Present:
        devices = self._devices
        active = int((self._wall() - (now - devices.active(user))) * 1000)
        return Present(user, devices.status(user), active, devices.room(user), devices.open(user), rooms)

    def _judge(self, now: float) -> None:
        """Nodes that are silent are dead, unless it is this one that cannot read.

        What was written last by another node is at most a beat older than the own note that was read back last: so
        no silence is longer than the time to live for want of reading alone.
        """
        self._channel_members.tick(self._echo)
        if now - self._echo > self._ttl - self._beat:
            self._blind = True
        elif self._blind:
            self._blind = False
            self._presence.spare(now)
        else:
            self._presence.tick(now, int(self._wall() * 1000))
