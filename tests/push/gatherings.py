"""Several nodes' gatherings under one clock, whose notes reach each other, or not."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Sequence
from typing import Any

from push.presence import gossip
from push.presence.presence import Departure
from push.presence.presence_hub import PresenceHub, Surroundings

TTL, AWAY = 30.0, 300.0
#: Seconds between turns.
TICK = 0.25


class Ear:
    """A connection that keeps what it receives; ``deaf``: its socket takes nothing."""

    _numbers = itertools.count()

    def __init__(self) -> None:
        self.client = f"c{next(self._numbers)}"
        self.frames: list[list[dict[str, Any]]] = []
        self.deaf = False

    def signal(self, signals: Sequence[bytes]) -> bool:
        if not self.deaf:
            self.frames.append([json.loads(signal) for signal in signals])
        return not self.deaf

    @property
    def heard(self) -> list[dict[str, Any]]:
        return [signal for frame in self.frames for signal in frame]

    def status(self, user: str) -> tuple[str, str | None]:
        """Status and room of a user, as the presence signals leave them."""
        for signal in reversed(self.heard):
            for one in signal["users"] if signal["signal"] == "presence" else ():
                if one["user"] == user:
                    return one["status"], one["room"]
        return "offline", None

    def last(self, kind: str, room: str) -> Any:
        """The latest typing or watching signal of a room, without the words that all have."""
        found = [one for one in self.heard if one["signal"] == kind and one.get("room") == room]
        return {name: value for name, value in found[-1].items() if name not in ("signal", "room")} if found else None


class Nodes:
    """The nodes, and the time."""

    def __init__(self, count: int = 2) -> None:
        self.now = 1000.0
        self.all = [self._new() for _ in range(count)]
        self.dead: set[str] = set()
        self.departed: list[tuple[str, Departure]] = []
        #: Whether a note on its way to a node is lost.
        self.loses: Callable[[gossip.GossipMessage, PresenceHub], bool] = lambda note, to: False
        #: Rooms of each user, and blocks.
        self.rooms: dict[str, set[str]] = {}
        self.blocks: set[tuple[str, str]] = set()
        #: Users and rooms into which they were put.
        self.unwilling: set[tuple[str, str]] = set()
        self.sizes: dict[str, int] = {}
        self.records = 0

    def _new(self) -> PresenceHub:
        return PresenceHub(ttl=TTL, away=AWAY, clock=lambda: self.now, wall=lambda: self.now)

    def add(self) -> PresenceHub:
        """Another node starts."""
        self.all.append(self._new())
        return self.all[-1]

    def lives(self, user: str, *rooms: str) -> None:
        """A user is in these rooms."""
        self.rooms[user] = set(rooms)

    def connect(self, node: PresenceHub, user: str, ear: Ear | None = None) -> Ear:
        """A connection of a user to a node, who is known there at once."""
        ear = ear or Ear()
        node.join(user, ear)
        members = {room: sum(room in rooms for rooms in self.rooms.values()) for room in self.rooms[user]}
        sizes = {room: self.sizes.get(room, size) for room, size in members.items()}
        mine = [other for one, other in self.blocks if one == user]
        theirs = [one for one, other in self.blocks if other == user]
        unwilling = {room for room in sizes if (user, room) in self.unwilling}
        node.learned(user, Surroundings(sizes, mine, theirs, unwilling))
        return ear

    def turn(self) -> None:
        """One turn of each node, and its notes to all."""
        self.now += TICK
        for node in self.all:
            if node.node in self.dead:
                continue
            turn = node.turn()
            for device, signals in turn.signals:
                if not device.hearer.signal(signals):
                    node.missed(device)
            self.departed += [(node.node, one) for one in turn.departed]
            for note in turn.gossip:
                self.send(note)

    def send(self, note: gossip.GossipMessage) -> None:
        self.records += 1
        for other in self.all:
            if other.node not in self.dead and not self.loses(note, other):
                other.take(gossip.decode(gossip.encode(note)))

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / TICK)):
            self.turn()
