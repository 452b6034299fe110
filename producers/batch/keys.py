"""Which commands a shard has ever done, by their keys, so that a new one need not be looked up. Pure."""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterable
from hashlib import sha256

from producers.batch.cache import ReceiptKey

#: Keys that are kept unsorted before they go into a run.
FRESH = 20_000


def digest(key: ReceiptKey) -> int:
    """32 bits of a key, the same as the query ``keys`` of ``shard.sql`` makes of a row of ``changes``."""
    return int.from_bytes(sha256("\n".join(key).encode()).digest()[:4])


class KeyDigests:
    """A set that may hold more than was put in (one in 4,000 at a million keys), and never less.

    ``key in keys``: whether the command may have happened. Until all that was there before is learnt, any may have.
    """

    def __init__(self) -> None:
        self._old: list[array[int]] = []
        self._own: list[array[int]] = []
        self._fresh: set[int] = set()
        #: Streams of which the read models lack events, so that nothing of them counts as learnt.
        self._uncertain: frozenset[str] = frozenset()
        self.whole = False

    def __contains__(self, key: ReceiptKey) -> bool:
        if not self.whole or key[0] in self._uncertain:
            return True
        wanted = digest(key)
        return wanted in self._fresh or any(_holds(run, wanted) for run in (*self._old, *self._own))

    def add(self, keys: Iterable[ReceiptKey]) -> None:
        """Takes the keys of commands that were appended just now."""
        self._fresh.update(map(digest, keys))
        if len(self._fresh) >= FRESH:
            self._own.append(array("I", sorted(self._fresh)))
            self._fresh.clear()

    def mark_uncertain(self) -> None:
        """What was there before has to be learnt again."""
        self._old = []
        self.whole = False

    def load(self, parts: Iterable[bytes], uncertain: Iterable[str]) -> None:
        """Takes all digests from before: sorted in each part, 4 bytes each, the most significant first."""
        self._old = [_run(part) for part in parts if part]
        self._uncertain = frozenset(uncertain)
        self.whole = True


def _run(part: bytes) -> array[int]:
    run = array("I", part)
    if sys.byteorder == "little":
        run.byteswap()
    return run


def _holds(run: array[int], wanted: int) -> bool:
    at = bisect_left(run, wanted)
    return at < len(run) and run[at] == wanted
