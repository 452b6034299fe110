"""Which users of this node share a room, and which block each other: whose signals each may receive. Pure.

Only rooms count that somebody is in by their own choice: a user who was merely added to a room receives signals of
nobody there, and nobody there receives theirs.

It is learnt when a user's first connection comes, and kept up by the feed, which a node reads whole.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping

from events.core.feed import NAMED_ROOM

#: Seconds for which a change of a relationship is remembered: longer than learning a user's takes.
_REMEMBER = 60.0
#: The size of a room of which it is not known.
_LARGE = NAMED_ROOM + 1


class _VisibleTo:
    __slots__ = ("blocked_by", "blocks", "rooms", "unwilling")

    def __init__(self, rooms: Collection[str], blocks: Collection[str], blocked_by: Collection[str]) -> None:
        self.rooms = set(rooms)
        #: Rooms into which the user was put, with their sizes.
        self.unwilling: dict[str, int] = {}
        self.blocks = set(blocks)
        self.blocked_by = set(blocked_by)


class Visibility:
    """All who listen here."""

    def __init__(self) -> None:
        self._known: dict[str, _VisibleTo] = {}
        self._inside: dict[str, set[str]] = {}
        self._sizes: dict[str, int] = {}
        #: The offset of the latest joining or leaving that is in each room's size.
        self._counted: dict[str, int] = {}
        self._shut: set[str] = set()
        self._recent: deque[tuple[float, str, str, bool]] = deque()

    def __contains__(self, user: str) -> bool:
        return user in self._known

    def rooms(self, user: str) -> Collection[str]:
        """The rooms in which somebody who listens here is by their own choice."""
        known = self._known.get(user)
        return known.rooms if known is not None else ()

    def inside(self, room: str) -> Collection[str]:
        """Who of a room listens here, and is there by their own choice."""
        return self._inside.get(room, ())

    def small(self, room: str) -> bool:
        """Whether all who are in a room are told of each other: it is in use, and not large.

        A size may be off by those who came and went while it was being learnt; the bound is no promise. A room of
        unknown size counts as large.
        """
        return self.named(room) and room not in self._shut

    def named(self, room: str) -> bool:
        """The same, also of a room that was deleted."""
        return self._sizes.get(room, _LARGE) <= NAMED_ROOM

    def is_in(self, user: str, room: str) -> bool:
        """Whether somebody who listens here is in a room that was not deleted."""
        return room in self.rooms(user) and room not in self._shut

    def apart(self, one: str, other: str) -> bool:
        """Whether a block stands between somebody who listens here and somebody else."""
        known = self._known.get(one)
        return known is not None and (other in known.blocks or other in known.blocked_by)

    def quarrels(self, user: str) -> bool:
        """Whether a block stands between a user and anybody."""
        known = self._known.get(user)
        return known is not None and bool(known.blocks or known.blocked_by)

    def learned(
        self,
        user: str,
        sizes: Mapping[str, int | None],
        blocks: Collection[str],
        blocked_by: Collection[str],
        now: float,
        *,
        unwilling: Collection[str] = frozenset(),
    ) -> None:
        """A user listens from here on. ``sizes``: how many are in each of the user's rooms; ``unwilling`` are those in
        which they are not by their own choice."""
        self.forgot(user)
        known = self._known[user] = _VisibleTo([room for room in sizes if room not in unwilling], blocks, blocked_by)
        for room, size in sizes.items():
            if room in unwilling:
                known.unwilling[room] = _LARGE if size is None else size
                continue
            self._inside.setdefault(room, set()).add(user)
            self._sizes[room] = _LARGE if size is None else size
        # What was set while this was being learnt: it may be newer.
        for moment, who, other, blocked in tuple(self._recent):
            if moment >= now - _REMEMBER and user in (who, other):
                self._relate(who, other, blocked)

    def forgot(self, user: str) -> None:
        """A user listens no more; no change when they did not."""
        known = self._known.pop(user, None)
        for room in known.rooms if known is not None else ():
            self._leave(user, room)

    def moved(self, user: str, room: str, inside: bool, members: int | None = None) -> bool:
        """Somebody is in a room of so many (None: not known), or is not. Returns whether that is news here."""
        known = self._known.get(user)
        if known is not None:
            known.unwilling.pop(room, None)
        if known is None or (room in known.rooms) == inside:
            return False
        if inside:
            known.rooms.add(room)
            if members is not None or room not in self._sizes:
                self._sizes[room] = _LARGE if members is None else members
            self._inside.setdefault(room, set()).add(user)
        else:
            known.rooms.discard(room)
            self._leave(user, room)
        return True

    def put(self, user: str, room: str, members: int | None) -> None:
        """Somebody was added to a room of so many, not by their own choice."""
        known = self._known.get(user)
        if known is not None and room not in known.rooms:
            known.unwilling[room] = _LARGE if members is None else members

    def unwilling(self, user: str, room: str) -> int | None:
        """The size of a room into which somebody who listens here was put; None: they were not."""
        known = self._known.get(user)
        return None if known is None else known.unwilling.get(room)

    def counted(self, room: str, joined: bool, at: int) -> None:
        """Somebody joined or left a room at an offset of the log; each delta of it may come several times."""
        if room in self._sizes and at > self._counted.get(room, -1):
            self._counted[room] = at
            self._sizes[room] += 1 if joined else -1

    def related(self, user: str, other: str, blocked: bool, now: float) -> None:
        """A user blocks another, or does not."""
        while self._recent and self._recent[0][0] < now - _REMEMBER:
            self._recent.popleft()
        self._recent.append((now, user, other, blocked))
        self._relate(user, other, blocked)

    def shut(self, room: str, shut: bool) -> None:
        """A room was deleted, or brought back."""
        (self._shut.add if shut else self._shut.discard)(room)

    def _relate(self, user: str, other: str, blocked: bool) -> None:
        for known, name in ((self._known.get(user), other), (self._known.get(other), user)):
            if known is None:
                continue
            names = known.blocks if name == other else known.blocked_by
            (names.add if blocked else names.discard)(name)

    def _leave(self, user: str, room: str) -> None:
        inside = self._inside[room]
        inside.discard(user)
        if not inside:
            del self._inside[room]
            self._sizes.pop(room, None)
            self._counted.pop(room, None)
            self._shut.discard(room)
