"""Who is present, over all nodes: each node's part as it told it, and what follows from them for each user. Pure.

Times are seconds of a clock that never jumps, given by the caller; ``active`` is in Unix milliseconds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Literal, NamedTuple
from zlib import crc32

from push.presence.gossip import GossipMessage, Present


class PresenceState(NamedTuple):
    """A user's presence over all devices."""

    status: Literal["online", "away", "offline"]
    #: When the user last did something, as of the latest change; None when offline.
    active: int | None
    #: The room that the device shows which was used last.
    room: str | None


OFFLINE = PresenceState("offline", None, None)


class Departure(NamedTuple):
    """A user whose last device on any node has gone, and when, in Unix milliseconds."""

    user: str
    seen: int


class _Person:
    __slots__ = ("holders", "open", "parts", "rooms", "state")

    def __init__(self) -> None:
        self.parts: dict[str, Present] = {}
        #: Nodes that have had the user since the user came.
        self.holders: set[str] = set()
        self.state = OFFLINE
        self.rooms: Collection[str] = ()
        self.open: Collection[str] = ()


class _Node:
    __slots__ = ("heard", "leaves", "seq", "stale", "users", "whole")

    def __init__(self, seq: int, now: float) -> None:
        self.seq = seq
        self.heard = now
        self.users: set[str] = set()
        #: Users of whom the present telling of everything has said nothing yet.
        self.stale: set[str] | None = None
        #: Whether all that it has is known.
        self.whole = False
        #: When it stops, it counts as dead from then on.
        self.leaves: float | None = None


class Presence:
    """The table. ``node`` is this process's own part, or "" when it has none."""

    def __init__(self, node: str, *, ttl: float, grace: float) -> None:
        """``ttl``: seconds of silence after which a node is dead (S2: 30). ``grace``: how long a stopping node's
        users have to come back elsewhere."""
        self._own = node
        self._ttl = ttl
        self._grace = grace
        self._people: dict[str, _Person] = {}
        self._nodes: dict[str, _Node] = {}
        #: Who is present in each room, and who shows it.
        self._inside: dict[str, dict[str, None]] = {}
        self._watching: dict[str, dict[str, None]] = {}
        #: What was the case before, of each user who has changed since ``changes``, and rooms with other watchers.
        self._changed: dict[str, tuple[PresenceState, Collection[str]]] = {}
        self._rewatched: set[str] = set()
        self._departed: list[Departure] = []

    # What is known.

    def __len__(self) -> int:
        return len(self._people)

    def state(self, user: str) -> PresenceState:
        person = self._people.get(user)
        return person.state if person is not None else OFFLINE

    def rooms(self, user: str) -> Collection[str]:
        """The rooms of a user who is present."""
        person = self._people.get(user)
        return person.rooms if person is not None else ()

    def inside(self, room: str) -> Collection[str]:
        """Members of a room who are present."""
        return self._inside.get(room, {}).keys()

    def watching(self, room: str) -> Collection[str]:
        """Users who have a room open, the first to come first."""
        return self._watching.get(room, {}).keys()

    def elsewhere(self, user: str) -> int:
        """When the user was last active as other nodes told it, in Unix milliseconds; 0 when no other has the user."""
        person = self._people.get(user)
        parts = person.parts.items() if person is not None else ()
        return max((part.active for node, part in parts if node != self._own), default=0)

    def changes(self) -> dict[str, tuple[PresenceState, Collection[str]]]:
        """Users of whom something has changed since the last call, each with the state and the rooms before."""
        found, self._changed = self._changed, {}
        return found

    def rewatched(self) -> set[str]:
        """Rooms that others have open than at the last call."""
        found, self._rewatched = self._rewatched, set()
        return found

    def departures(self) -> list[Departure]:
        """Users who have gone since the last call, as far as it is for this node to say so."""
        found, self._departed = self._departed, []
        return found

    # What is told.

    def put(self, node: str, present: Present) -> None:
        """A node has a user, or something about it has changed."""
        person = self._people.get(present.user)
        if person is None:
            person = self._people[present.user] = _Person()
        known = person.parts.get(node)
        if present.rooms is None:
            rooms = known.rooms if known is not None else []
            present = Present(present.user, present.status, present.active, present.room, present.open, rooms)
        person.parts[node] = present
        person.holders.add(node)
        self._refresh(present.user, person)

    def drop(self, node: str, user: str, seen: int) -> None:
        """A node has a user no more, since ``seen`` (Unix milliseconds); no change when it had not."""
        person = self._people.get(user)
        if person is None or person.parts.pop(node, None) is None:
            return
        self._refresh(user, person)
        if not person.parts:
            del self._people[user]
            if self._responsible(user, person.holders):
                self._departed.append(Departure(user, seen))

    def take(self, message: GossipMessage, now: float, wall: int) -> bool:
        """Takes another node's message; ``wall`` is now in Unix milliseconds. Returns whether the node must be asked
        for all that it has, because something is missing."""
        if message.node == self._own or not message.seq:
            return False
        node = self._nodes.get(message.node)
        if node is None:
            node = self._nodes[message.node] = _Node(message.seq, now)
        elif message.seq != node.seq + 1:
            node.whole, node.stale = False, None
        node.seq, node.heard, node.leaves = message.seq, now, now + self._grace if message.bye else None
        if message.whole is not None and message.whole[0] == 0:
            node.stale = set(node.users)
        for one in message.present:
            self._put_other(message.node, node, one, wall)
        seen = wall - int(self._grace * 1000)
        for user in message.gone:
            self._drop_other(message.node, node, user, seen)
        if message.whole is not None and message.whole[0] == message.whole[1] - 1 and node.stale is not None:
            stale, node.stale, node.whole = node.stale, None, True
            for user in stale:
                self._drop_other(message.node, node, user, seen)
        return not (node.whole or node.stale is not None or message.bye)

    def spare(self, now: float) -> None:
        """This process could not read for a while, so that silence says nothing: every node gets its time again."""
        for node in self._nodes.values():
            node.heard = now

    def tick(self, now: float, wall: int) -> None:
        """Time has passed: whom only nodes had that are dead now has gone. ``wall``: as of ``take``."""
        dead = [
            name
            for name, node in self._nodes.items()
            if now >= node.heard + self._ttl or (node.leaves is not None and now >= node.leaves)
        ]
        # First all of them: none of the dead is to deal with the departures.
        for name, node in [(name, self._nodes.pop(name)) for name in dead]:
            for user in tuple(node.users):
                self.drop(name, user, wall - int((now - node.heard) * 1000))

    # Parts of the above.

    def _put_other(self, name: str, node: _Node, present: Present, wall: int) -> None:
        if present.active > wall:
            # S2: an activity is never in the future, whatever another machine's clock says.
            present = Present(present.user, present.status, wall, present.room, present.open, present.rooms)
        node.users.add(present.user)
        if node.stale is not None:
            node.stale.discard(present.user)
        self.put(name, present)

    def _drop_other(self, name: str, node: _Node, user: str, seen: int) -> None:
        node.users.discard(user)
        if node.stale is not None:
            node.stale.discard(user)
        self.drop(name, user, seen)

    def _responsible(self, user: str, holders: Collection[str]) -> bool:
        """Whether of all living nodes this one is to deal with a departure: each decides alike, and they agree."""
        alive = {*self._nodes, self._own} - {""}
        candidates: Iterable[str] = alive.intersection(holders) or alive
        chosen = min(candidates, key=lambda name: crc32(f"{name} {user}".encode()), default="")
        return chosen == self._own and bool(self._own)

    def _refresh(self, user: str, person: _Person) -> None:
        """What the parts come to: the best status, and the room of the device that was used last."""
        parts = list(person.parts.values())
        state, rooms, shown = OFFLINE, set[str](), list[str]()
        if parts:
            latest = max(parts, key=lambda part: part.active)
            online = any(part.status == "online" for part in parts)
            state = PresenceState("online" if online else "away", latest.active, latest.room)
            rooms.update(*(part.rooms or () for part in parts))
            shown = [room for part in parts for room in part.open]
        if state != person.state or rooms != person.rooms:
            self._changed.setdefault(user, (person.state, person.rooms))
        _move(self._inside, user, person.rooms, rooms)
        self._rewatched |= _move(self._watching, user, person.open, shown)
        person.state, person.rooms, person.open = state, rooms, shown


def _move(index: dict[str, dict[str, None]], user: str, before: Collection[str], after: Collection[str]) -> set[str]:
    """Puts a user under other rooms; the rooms for which that makes a difference."""
    come, go = set(after).difference(before), set(before).difference(after)
    for room in come:
        index.setdefault(room, {})[user] = None
    for room in go:
        index[room].pop(user, None)
        if not index[room]:
            del index[room]
    return come | go
