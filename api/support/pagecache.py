"""Pages of history and who may read them, kept in memory until the projector says that they have changed.

What is kept is what a query would give now, or gave a moment ago: the read models are told of in the order in which
they change, and before their positions, so who waits for a position does not get what was before it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Hashable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from api.support import metrics
from infra.base.progress import Invalidation, Progress

#: Bytes of an entry besides its value.
_OVERHEAD = 500

_Key = tuple[str, Hashable]


class _CachedPage(NamedTuple):
    value: Any
    size: int
    #: Whether it changes when something is said in the room.
    end: bool
    users: Collection[str]


class Ticket:
    """The reading of one room's pages: what is changed meanwhile is not kept."""

    def __init__(self, cache: PageCache, room: str, fresh: bool) -> None:
        self._cache = cache
        self._room = room
        self._fresh = fresh
        self._appended = False
        self._users: set[str] = set()

    def hear(self, touched: Invalidation) -> None:
        """Something has changed while the ticket is out."""
        self._fresh = self._fresh and not touched.all and self._room not in touched.changed
        self._appended = self._appended or self._room in touched.appended
        self._users.update(touched.users)

    def get(self, key: Hashable) -> Any:
        """What is kept of the room under a key; None when nothing is."""
        return self._cache.get((self._room, key))

    def put(self, key: Hashable, value: Any, size: int = 0, *, end: bool = False, users: Collection[str] = ()) -> None:
        """Keeps what was read under this ticket. ``size``: its bytes; ``end``: it changes when something is said."""
        if self._fresh and not (end and self._appended) and self._users.isdisjoint(users):
            self._cache.put((self._room, key), _CachedPage(value, size + _OVERHEAD, end, users))


class PageCache:
    """At most ``limit`` bytes of pages, those used last; empty, and unused, while news of changes do not come."""

    def __init__(self, progress: Progress, limit: int) -> None:
        self._progress = progress
        self._limit = limit
        self._entries: OrderedDict[_Key, _CachedPage] = OrderedDict()
        self._of_room: dict[str, set[_Key]] = {}
        self._of_user: dict[str, set[_Key]] = {}
        self._tickets: set[Ticket] = set()
        self.size = 0
        progress.on_touch(self._touched)

    def __len__(self) -> int:
        return len(self._entries)

    @contextmanager
    def reading(self, room: str) -> Iterator[Ticket]:
        """A ticket to look for a room's pages, and to keep what is read instead."""
        ticket = Ticket(self, room, self._progress.fresh)
        self._tickets.add(ticket)
        try:
            yield ticket
        finally:
            self._tickets.discard(ticket)

    def get(self, key: _Key) -> Any:
        """What is kept under a room and a key; None when nothing is."""
        if not self._progress.fresh or (entry := self._entries.get(key)) is None:
            return None
        self._entries.move_to_end(key)
        return entry.value

    def put(self, key: _Key, entry: _CachedPage) -> None:
        """Keeps an entry, and drops those used longest ago."""
        self._drop(key)
        if not self._progress.fresh or entry.size > self._limit:
            return
        self._entries[key] = entry
        self._of_room.setdefault(key[0], set()).add(key)
        for user in entry.users:
            self._of_user.setdefault(user, set()).add(key)
        self.size += entry.size
        while self.size > self._limit:
            self._drop(next(iter(self._entries)))
        metrics.PAGES_BYTES.set(self.size)

    def _touched(self, touched: Invalidation) -> None:
        for ticket in self._tickets:
            ticket.hear(touched)
        if touched.all:
            self._entries.clear()
            self._of_room.clear()
            self._of_user.clear()
            self.size = 0
        for room in touched.appended:
            for key in [key for key in self._of_room.get(room, ()) if self._entries[key].end]:
                self._drop(key)
        gone = {key for room in touched.changed for key in self._of_room.get(room, ())}
        gone |= {key for user in touched.users for key in self._of_user.get(user, ())}
        for key in gone:
            self._drop(key)
        metrics.PAGES_BYTES.set(self.size)

    def _drop(self, key: _Key) -> None:
        entry = self._entries.pop(key, None)
        if entry is None:
            return
        self.size -= entry.size
        _forget(self._of_room, key[0], key)
        for user in entry.users:
            _forget(self._of_user, user, key)


def _forget(index: dict[str, set[_Key]], name: str, key: _Key) -> None:
    keys = index[name]
    keys.discard(key)
    if not keys:
        del index[name]
