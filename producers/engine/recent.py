"""Whose events the shards of this process have appended lately: what a user's next read must show. Pure.

Times are seconds of a clock that never jumps, given by the caller.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

from events.core.positions import Shard, Vector, reached

#: Seconds for which a position is kept although the read models have it here: another process is told of it later.
KEPT_SECONDS = 10.0
#: Users who are known one by one.
USERS = 100_000


class _RecentVector:
    __slots__ = ("at", "vector")

    def __init__(self) -> None:
        self.at = 0.0
        self.vector: Vector = {}

    def add(self, shard: Shard, after: int, now: float) -> None:
        self.at = now
        self.vector[shard] = max(after, self.vector.get(shard, 0))


class Recent:
    """Next offsets by user, from the append until the read models have them, and for a while longer."""

    def __init__(self, users: int = USERS) -> None:
        """``users``: of how many each is known; what is known of more of them is taken to be everybody's."""
        self._users = users
        #: The one who was noted longest ago first.
        self._entries: OrderedDict[str, _RecentVector] = OrderedDict()
        self._everybody = _RecentVector()
        #: The shards of which all is known that users have in them.
        self.shards: set[Shard] = set()

    def __len__(self) -> int:
        return len(self._entries)

    def note(self, user: str, shard: Shard, after: int, now: float) -> None:
        """An event of the user stands in the shard, below the offset ``after``."""
        entry = self._entries.get(user)
        if entry is None:
            entry = self._entries[user] = _RecentVector()
        else:
            self._entries.move_to_end(user)
        entry.add(shard, after, now)
        if len(self._entries) > self._users:
            _, oldest = self._entries.popitem(last=False)
            for place, offset in oldest.vector.items():
                self._everybody.add(place, offset, now)

    def begin(self, shard: Shard) -> None:
        """The shard is decided on here from now on, and whose events the read models lack of it has been noted."""
        self.shards.add(shard)

    def end(self, shard: Shard) -> None:
        """Another process may append to the shard."""
        self.shards.discard(shard)

    def of(self, user: str) -> Vector:
        """What a read of the user must have reached; empty when nothing was appended lately."""
        entry = self._entries.get(user)
        if entry is None:
            return dict(self._everybody.vector)
        if not self._everybody.vector:
            return dict(entry.vector)
        both = dict(self._everybody.vector)
        for shard, after in entry.vector.items():
            both[shard] = max(after, both.get(shard, 0))
        return both

    def reached(self, vector: Mapping[Shard, int], now: float) -> None:
        """The read models have come so far; what they have had for long is dropped."""
        late = now - KEPT_SECONDS
        while self._entries:
            user, entry = next(iter(self._entries.items()))
            if entry.at > late or not reached(vector, entry.vector):
                break
            del self._entries[user]
        if self._everybody.vector and self._everybody.at <= late and reached(vector, self._everybody.vector):
            self._everybody = _RecentVector()
