"""The entities that a shard decides on: a write-back cache over the read models, without I/O.

Rule: an entity stays while the read models do not have its latest event, and may go after. So what is not here is in
Postgres as it is.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable, Sequence

from events.core.records import Changes, Entity, Key, Record

#: Entities that stay although Postgres has them: those used last.
CLEAN = 20_000

#: Stream, actor and command key.
ReceiptKey = tuple[str, str, str]


def receipt_key(record: Record) -> ReceiptKey:
    """Under which a record's command is remembered."""
    return (record.stream, record.actor, record.command)


def complete(receipt: Sequence[Record]) -> bool:
    """Whether it begins with the command's first event, whose id ends in ``.0``.

    The read models may stand between the events of one command when a shard opens: then the first ones are there.
    """
    return receipt[0].id.endswith(".0")


class StateCache:
    """Entities, and the events of recent commands by their keys."""

    def __init__(self, clean: int = CLEAN) -> None:
        self._limit = clean
        #: How often what was loaded was forgotten: what is loaded meanwhile may be of before.
        self.forgotten = 0
        self.clear()

    def clear(self) -> None:
        """Forgets all: another owner may have written."""
        self._entities: dict[Key, Entity | None] = {}
        self._dirty: dict[Key, int] = {}
        self._clean: OrderedDict[Key, None] = OrderedDict()
        self._order: deque[tuple[int, Key]] = deque()
        self._receipts: dict[ReceiptKey, list[Record]] = {}
        self._receipt_order: deque[tuple[int, ReceiptKey]] = deque()

    def forget(self) -> None:
        """Forgets what Postgres has: its rows were mended, or others took their place."""
        self.forgotten += 1
        for key in self._clean:
            del self._entities[key]
        self._clean.clear()

    def __len__(self) -> int:
        return len(self._entities)

    @property
    def dirty(self) -> int:
        """Entities that the read models do not have yet."""
        return len(self._dirty)

    def missing(self, keys: Iterable[Key]) -> list[Key]:
        """Those of ``keys`` that have to be loaded."""
        return [key for key in keys if key not in self._entities]

    def add(self, loaded: dict[Key, Entity | None]) -> None:
        """Keeps what was loaded from Postgres."""
        for key, entity in loaded.items():
            self._entities[key] = entity
            self._clean[key] = None

    def view(self, keys: Iterable[Key]) -> dict[Key, Entity | None]:
        """The entities of ``keys``. Raises KeyError for one that was not loaded."""
        found = {}
        for key in keys:
            found[key] = self._entities[key]
            if key in self._clean:
                self._clean.move_to_end(key)
        return found

    def commit(self, changes: Changes, records: Sequence[Record]) -> None:
        """Takes over what the appended ``records`` changed; kept until the read models have it."""
        if not records:
            return
        last = records[-1].offset
        for key, entity in changes.items():
            self._entities[key] = entity
            self._clean.pop(key, None)
            # Of a batch only the last offset matters: the read models may not stop in the middle of an entity.
            self._dirty[key] = last
            self._order.append((last, key))
        for record in records:
            key_ = receipt_key(record)
            self._receipts.setdefault(key_, []).append(record)
            if not self._receipt_order or self._receipt_order[-1] != (last, key_):
                self._receipt_order.append((last, key_))

    def receipt(self, key: ReceiptKey) -> list[Record] | None:
        """The events of a recent command with this key; see ``complete``."""
        return self._receipts.get(key)

    def projected(self, next_offset: int) -> None:
        """The read models have everything below ``next_offset``."""
        while self._order and self._order[0][0] < next_offset:
            offset, key = self._order.popleft()
            if self._dirty.get(key) == offset:
                del self._dirty[key]
                self._clean[key] = None
        while self._receipt_order and self._receipt_order[0][0] < next_offset:
            _, key_ = self._receipt_order.popleft()
            receipt = self._receipts.get(key_)
            # The events of one command that were folded one by one have an entry each: the last one counts.
            if receipt is not None and receipt[-1].offset < next_offset:
                del self._receipts[key_]
        while len(self._clean) > self._limit:
            key, _ = self._clean.popitem(last=False)
            del self._entities[key]
