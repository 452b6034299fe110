"""The entities of one shard while it is folded: bounded, without I/O. What was let go is loaded again by its key."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from events.core.errors import KlatschError
from events.core.records import Changes, Entity, Key
from events.registry import REGISTRY

#: Bytes of entities, as rows of a table, after which those may go that were not used since the last time: of passing
#: ones, and of the others. In Python they take about four times as much, and there are two halves of each.
CACHE_BYTES = 8 * 1024 * 1024
#: Bytes of a row that nobody has counted: about what the row of a message takes.
ROW_BYTES = 400
#: Kinds of which a shard has as many as events: most are never asked for again.
PASSING = frozenset({"message", "revision"})
_ALL = frozenset(REGISTRY.entities)
#: In the place of an entity of which nothing is known; None is one that does not exist.
_UNKNOWN: Any = object()


class NotLoaded(KlatschError, KeyError):
    """The fold asked for an entity that is neither here nor known not to exist."""


class _Memory:
    """Entities of some kinds in two halves: when the newer one is full, the older one goes."""

    def __init__(self, kinds: frozenset[str]) -> None:
        self.kinds = kinds
        self.newer: dict[Key, Entity | None] = {}
        self.older: dict[Key, Entity | None] = {}
        #: Bytes of the newer half, as rows.
        self.size = 0

    def get(self, key: Key) -> Any:
        """The entity, None where there is none, _UNKNOWN where nothing is known."""
        found = self.newer.get(key, _UNKNOWN)
        return self.older.get(key, _UNKNOWN) if found is _UNKNOWN else found

    def age(self) -> bool:
        """Lets the older half go if the newer one is full, and says whether that was any."""
        if self.size <= CACHE_BYTES:
            return False
        lost, self.older, self.newer, self.size = self.older, self.newer, {}, 0
        return bool(lost)


class RebuildCache(dict[Key, "Entity | None"]):
    """Entities by key, as a fold's state; in the dict itself, what a piece has read or made.

    Of a kind that is not ``partial`` it has every entity of its shard, so what is not here does not exist. Once one of
    a partial kind has been let go, a key that is not here raises NotLoaded.
    """

    def __init__(self, whole: bool) -> None:
        super().__init__()
        self._passing = _Memory(PASSING)
        self._lasting = _Memory(_ALL - PASSING)
        self.partial = frozenset[str]() if whole else _ALL

    def _memory(self, kind: str) -> _Memory:
        return self._passing if kind in PASSING else self._lasting

    def __missing__(self, key: Key) -> Entity | None:
        found: Entity | None = self._memory(key[0]).get(key)
        if found is not _UNKNOWN:
            self[key] = found
            return found
        if key[0] in self.partial:
            raise NotLoaded(key)
        return None

    def has(self, key: Key) -> bool:
        """Whether it is known what the key names, if anything."""
        return key[0] not in self.partial or key in self or self._memory(key[0]).get(key) is not _UNKNOWN

    def add(self, loaded: Mapping[Key, Entity | None]) -> None:
        """Takes what was loaded."""
        for key, entity in loaded.items():
            memory = self._memory(key[0])
            memory.newer[key] = entity
            memory.size += ROW_BYTES

    def settle(self) -> tuple[Changes, dict[str, list[Any]]]:
        """Ends a piece: what it changed of that which was there before, and by kind what was not."""
        changed: Changes = {}
        made: dict[str, list[Any]] = defaultdict(list)
        for key, entity in self.items():
            memory = self._memory(key[0])
            before = memory.get(key)
            memory.newer[key] = entity
            if before is None or before is _UNKNOWN:
                if entity is not None:
                    made[key[0]].append(entity)
            elif before is not entity:
                changed[key] = entity
        self.clear()
        return changed, made

    def grown(self, sizes: Iterable[tuple[str, int]]) -> None:
        """Notes that this many bytes of rows of some kinds were stored; beyond the limit, lets those go that were not
        used for long."""
        for kind, size in sizes:
            self._memory(kind).size += size
        for memory in (self._passing, self._lasting):
            if memory.age():
                self.partial |= memory.kinds

    def forget(self) -> None:
        """Lets all go: what is here may not be what is stored."""
        self.clear()
        self._passing, self._lasting, self.partial = _Memory(PASSING), _Memory(_ALL - PASSING), _ALL
