"""Who types where. Pure: times are seconds of a clock that never jumps, given by the caller."""

from __future__ import annotations

from collections.abc import Collection

#: Seconds without a signal after which somebody counts as having stopped (S2).
TYPING_SECONDS = 5.0
#: Seconds after which a room is told again that the same people type: a signal may have been lost.
REPEAT_SECONDS = 4.0
#: Seconds between two records that somebody types in a room; what an app says more often is taken in here.
RATE_SECONDS = 1.0
#: Seconds after somebody's message in which a record that they type there is taken for an old one that came late.
LATE_SECONDS = 0.5


class TypingState:
    """All rooms in which somebody types."""

    def __init__(self) -> None:
        self._until: dict[str, dict[str, float]] = {}
        self._told: dict[str, float] = {}
        self._sent: dict[tuple[str, str], float] = {}
        self._posted: dict[tuple[str, str], float] = {}
        self._dirty: set[str] = set()

    def of(self, room: str) -> Collection[str]:
        """Who types in a room, the first to begin first."""
        return self._until.get(room, {}).keys()

    def passes(self, user: str, room: str, typing: bool, now: float) -> bool:
        """Whether what an app says goes on to the other nodes: at most one record a user, room and second."""
        if not typing:
            return self._sent.pop((user, room), None) is not None
        if self._sent.get((user, room), float("-inf")) > now - RATE_SECONDS:
            return False
        self._sent[user, room] = now
        return True

    def note(self, user: str, room: str, typing: bool, now: float) -> None:
        """Somebody types, or has stopped."""
        if not typing:
            self.end(user, room)
            return
        if self._posted.get((user, room), float("-inf")) > now - LATE_SECONDS:
            return
        users = self._until.setdefault(room, {})
        if user not in users:
            self._dirty.add(room)
        users[user] = now + TYPING_SECONDS

    def posted(self, user: str, room: str, now: float) -> None:
        """What somebody typed has come: that ends it."""
        if self._until.get(room) or (user, room) in self._sent:
            self._posted[user, room] = now
            self._sent.pop((user, room), None)
            self.end(user, room)

    def end(self, user: str, room: str) -> None:
        """Somebody types there no more; no change when they did not."""
        users = self._until.get(room)
        if users is not None and users.pop(user, None) is not None:
            self._dirty.add(room)
            if not users:
                del self._until[room]

    def tick(self, now: float) -> set[str]:
        """Time has passed. Returns the rooms that are to be told who types there, maybe nobody."""
        for room, users in tuple(self._until.items()):
            for user in [user for user, until in users.items() if until <= now]:
                self.end(user, room)
        self._sent = {key: sent for key, sent in self._sent.items() if sent > now - TYPING_SECONDS}
        self._posted = {key: posted for key, posted in self._posted.items() if posted > now - LATE_SECONDS}
        due, self._dirty = self._dirty, set()
        due |= {room for room in self._until if self._told.get(room, now) <= now - REPEAT_SECONDS}
        for room in due:
            if room in self._until:
                self._told[room] = now
            else:
                self._told.pop(room, None)
        return due
