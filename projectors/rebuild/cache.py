"""The entities of one shard while it is folded: bounded, without I/O. What was let go is loaded again by its key."""

from __future__ import annotations

from collections.abc import Iterable

from events.records import Entity, Key

#: Bytes of entities, as text in a table, after which the older half may go. In Python they take about four times as
#: much, and there are two halves.
CACHE_BYTES = 8 * 1024 * 1024


class NotLoaded(KeyError):
    """The fold asked for an entity that is neither here nor known not to exist."""


class Cache(dict[Key, "Entity | None"]):
    """Entities by key, as a fold's state.

    ``whole``: it has every entity of its shard, so what is not here does not exist. Once one has been let go, a key
    that is not here raises NotLoaded.
    """

    def __init__(self, whole: bool) -> None:
        super().__init__()
        self.whole = whole
        self._older: dict[Key, Entity | None] = {}
        self._bytes = 0

    def __missing__(self, key: Key) -> Entity | None:
        if key in self._older:
            entity = self[key] = self._older[key]
            return entity
        if self.whole:
            return None
        raise NotLoaded(key)

    def has(self, key: Key) -> bool:
        """Whether it is known what the key names, if anything."""
        return self.whole or key in self or key in self._older

    def absent(self, key: Key) -> bool:
        """Whether no entity of this key is known."""
        found = self.get(key)
        return found is None and (key in self or self._older.get(key) is None)

    def add(self, loaded: Iterable[tuple[Key, Entity | None]]) -> None:
        """Takes what was loaded."""
        for key, entity in loaded:
            self[key] = entity
            self._bytes += 400

    def grown(self, size: int) -> None:
        """Notes that so many bytes of rows were stored; beyond the limit, lets those go that were not used for long."""
        self._bytes += size
        if self._bytes <= CACHE_BYTES:
            return
        if self._older:
            self.whole = False
        self._older = dict(self)
        self.clear()
        self._bytes = 0

    def forget(self) -> None:
        """Lets all go: what is here may not be what is stored."""
        self.whole = False
        self._older = {}
        self.clear()
        self._bytes = 0
