"""The entities of one shard while it is folded: bounded, without I/O. What was let go is loaded again by its key."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping

from events import REGISTRY
from events.records import Entity, Key

#: Bytes of entities, as rows of a table, after which the older half of the passing ones may go, and half of all. In
#: Python they take about four times as much; of the passing ones there are two halves.
CACHE_BYTES = 8 * 1024 * 1024
#: Kinds of which a shard has as many as events: most are never asked for again.
PASSING = frozenset({"message", "revision"})
_ALL = frozenset(REGISTRY.entities)


class NotLoaded(KeyError):
    """The fold asked for an entity that is neither here nor known not to exist."""


class Cache(dict[Key, "Entity | None"]):
    """Entities by key, as a fold's state.

    Of a kind that is not ``partial`` it has every entity of its shard, so what is not here does not exist. Once one of
    a partial kind has been let go, a key that is not here raises NotLoaded.
    """

    def __init__(self, whole: bool) -> None:
        super().__init__()
        self.partial: frozenset[str] = frozenset() if whole else _ALL
        self._older: dict[Key, Entity | None] = {}
        self._passing = self._lasting = 0

    def __missing__(self, key: Key) -> Entity | None:
        if key in self._older:
            entity = self[key] = self._older[key]
            return entity
        if key[0] in self.partial:
            raise NotLoaded(key)
        return None

    def has(self, key: Key) -> bool:
        """Whether it is known what the key names, if anything."""
        return key[0] not in self.partial or key in self or key in self._older

    def absent(self, key: Key) -> bool:
        """Whether no entity of this key is known."""
        found = self.get(key)
        return found is None and (key in self or self._older.get(key) is None)

    def add(self, loaded: Mapping[Key, Entity | None]) -> None:
        """Takes what was loaded."""
        self.update(loaded)
        self._count((key[0], 400) for key in loaded)

    def _count(self, sizes: Iterable[tuple[str, int]]) -> None:
        for kind, size in sizes:
            if kind in PASSING:
                self._passing += size
            else:
                self._lasting += size

    def grown(self, sizes: Iterable[tuple[str, int]]) -> None:
        """Notes that so many bytes of rows of some kinds were stored; beyond the limit, lets those go that were not
        used for long."""
        self._count(sizes)
        if self._lasting > CACHE_BYTES:
            self._age(_ALL)
            self._passing = self._lasting = 0
        elif self._passing > CACHE_BYTES:
            self._age(PASSING)
            self._passing = 0

    def _age(self, kinds: Container[str]) -> None:
        self.partial |= {key[0] for key in self._older}
        self._older = {key: entity for key, entity in self.items() if key[0] in kinds}
        for key in self._older:
            del self[key]

    def forget(self) -> None:
        """Lets all go: what is here may not be what is stored."""
        self.partial = _ALL
        self._older = {}
        self.clear()
        self._passing = self._lasting = 0
