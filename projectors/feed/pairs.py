"""What two people have lately become to each other, as far as the feed knows its order for certain."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from typing import NamedTuple

from events.core.positions import Shard, Vector
from events.core.records import Record
from events.relationships import RelationshipSet

#: Seconds for which a pair is remembered: longer than a command may be under way, and than clocks may differ.
SECONDS = 60.0
#: Pairs that are remembered: some MB.
PAIRS = 10_000


class _Lately(NamedTuple):
    #: Where all shards ended when the feed told of it: what stands at or above has happened after.
    heads: Vector
    #: Whether one of the two receives the other's profile changes from then on.
    hears: bool
    until: float


class Pairs:
    """Corrects for relationships what clocks say.

    Whether somebody is a contact as of an event is decided by times, which commands get before they are in the log,
    each by its machine's clock. So a change that came into the log after the feed had told of a block, a friendship or
    the end of a block may have an earlier time, and would go to somebody who blocks, or not to somebody who got the
    profile without it. Such a change stands above the ends that the shards had then: that it came later is certain.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        #: By recipient and the person of the profile, the latest last.
        self._pairs: OrderedDict[tuple[str, str], _Lately] = OrderedDict()
        #: The recipients of each user's profile among them.
        self._hearers: dict[str, set[str]] = {}

    def __len__(self) -> int:
        return len(self._pairs)

    def note(self, record: Record[RelationshipSet], heads: Vector, blocks: bool) -> None:
        """A relationship that was told of. ``blocks``: whether the other blocks the user now."""
        event = record.data
        user, other = record.stream, event.other
        blocked = event.type == "block" or blocks
        given = event.type == "friend" or event.was == "block"
        self._set(user, other, False if blocked else True if given else None, heads)
        self._set(other, user, False if blocked else True if event.type == "friend" else None, heads)

    def _set(self, hearer: str, user: str, hears: bool | None, heads: Vector) -> None:
        self._forget(hearer, user)
        if hears is not None:
            self._pairs[hearer, user] = _Lately(heads, hears, self._clock() + SECONDS)
            self._hearers.setdefault(user, set()).add(hearer)
        while self._pairs and (len(self._pairs) > PAIRS or next(iter(self._pairs.values())).until < self._clock()):
            self._forget(*next(iter(self._pairs)))

    def _forget(self, hearer: str, user: str) -> None:
        if self._pairs.pop((hearer, user), None) is not None:
            self._hearers[user].discard(hearer)
            if not self._hearers[user]:
                del self._hearers[user]

    def correct(self, record: Record, contacts: Collection[str]) -> Collection[str]:
        """The contacts of the record's stream as of it, by what is certain."""
        hearers = self._hearers.get(record.stream)
        if hearers is None:
            return contacts
        shard, found = Shard(record.topic, record.partition), dict.fromkeys(contacts)
        for hearer in sorted(hearers):
            lately = self._pairs[hearer, record.stream]
            if record.offset < lately.heads.get(shard, 0):
                continue
            if lately.hears:
                found[hearer] = None
            else:
                found.pop(hearer, None)
        return list(found)
