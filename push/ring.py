"""The latest items of a feed partition, in memory. No I/O."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Sequence
from operator import attrgetter

from events.feed import ROOM_MARK, Stay, end_cursor
from push.items import Change, Item
from push.subscriptions import Mailbox, Subscription
from push.turn import Audience, Turn

#: Bytes that an item takes beside its body, an audience beside its users, and each of them in it.
_ITEM_BYTES, _AUDIENCE_BYTES, _NAME_BYTES = 200, 400, 100
_NEVER = 1 << 62
_cursor = attrgetter("cursor")


class _Crowd:
    """A large room: its recent items, who of those connected here is or was in it, and who hears what comes next."""

    __slots__ = ("_audience", "_since", "_until", "inside", "items", "room")

    def __init__(self, room: str) -> None:
        self.room = room
        self.items: list[Item] = []
        self.inside: set[Mailbox] = set()
        #: Who hears the events at the offsets from ``_since`` to ``_until``; None when that is to be found anew.
        self._audience: Audience | None = None
        self._since = self._until = -1

    def moved(self) -> None:
        """Somebody came or went."""
        self._audience = None

    def hearing(self, at: int) -> Audience:
        """Who was inside just before an offset."""
        if self._audience is None or not self._since <= at <= self._until:
            self._audience = Audience([box for box in self.inside if box.was_in(self.room, at)])
            self._since = at
            edges = (edge for box in self.inside for stay in (box.stays or {}).get(self.room, ()) for edge in stay)
            self._until = min((edge for edge in edges if edge is not None and edge >= at), default=_NEVER)
        return self._audience


class Ring:
    """The latest items of one feed partition, by those who hear them, so that most clients resume without Kafka."""

    def __init__(self, first: int, max_records: int, max_bytes: int) -> None:
        #: Every record from this offset on is here, up to ``next``.
        self.first = first
        #: The offset of the record that comes next.
        self.next = first
        self.boxes: dict[str, Mailbox] = {}
        self._audiences: dict[tuple[str, ...], Audience] = {}
        self._crowds: dict[str, _Crowd] = {}
        self._max_records = max_records
        self._max_bytes = max_bytes
        self._records: deque[tuple[int, int, list[Audience | _Crowd]]] = deque()
        self._bytes = 0

    @property
    def end(self) -> int:
        """The cursor after everything that was read."""
        return end_cursor(self.next)

    def covers(self, position: int) -> bool:
        """Whether every item above the cursor ``position`` is here or still to come."""
        return position >= end_cursor(self.first)

    def box(self, user: str) -> Mailbox:
        """The user's mailbox, made when there is none."""
        found = self.boxes.get(user)
        if found is None:
            found = self.boxes[user] = Mailbox(user)
        return found

    def after(self, box: Mailbox, position: int, limit: int) -> list[Item]:
        """At most ``limit`` of a user's recent items above ``position``, oldest first; of large rooms once the stays
        are known."""
        parts = [_later(audience.items, position, limit) for audience in box.audiences]
        for room in box.stays or ():
            crowd = self._crowds.get(room)
            if crowd is not None:
                later = _later(crowd.items, position, len(crowd.items))
                parts.append([item for item in later if box.was_in(room, item.at)])
        if len(parts) == 1:
            return parts[0][:limit]
        # Somebody may be named in a record, and be in a room that it names.
        return sorted({item.cursor: item for part in parts for item in part}.values(), key=_cursor)[:limit]

    def forget(self, subscription: Subscription) -> None:
        """Drop a subscription, and its mailbox when nothing else is in it."""
        box = subscription.box
        if subscription in box.subscriptions:
            box.subscriptions.remove(subscription)
        if not box.subscriptions:
            for room in box.stays or ():
                self._leave(box, room)
            box.stays = box.missed = None
        self._tidy(box)

    def learned(self, box: Mailbox, stays: dict[str, list[Stay]]) -> None:
        """Takes a user's stays, and what has changed while they were being learnt."""
        missed, box.missed = box.missed or [], None
        box.stays = stays
        for change, at in missed:
            box.take(change, at)
        # Also rooms that were left: the read models may be ahead of what was fed, and tell of it before the feed does.
        for room in stays:
            self._enter(box, room)

    def add(self, offset: int, found: Iterable[tuple[list[str], Item]], turn: Turn) -> int:
        """Take one record's items, and put them in the turn. Returns the number of deliveries."""
        kept: list[Audience | _Crowd] = []
        size, deliveries = 0, 0
        for recipients, item in found:
            for holder, audience in self._holders(recipients, item):
                holder.items.append(item)
                kept.append(holder)
                deliveries += turn.add(audience, item)
            if isinstance(item.news, Change):
                self._take(item.news, item.at)
            size += len(item.body) + _ITEM_BYTES
        if kept:
            self._records.append((offset, size, kept))
            self._bytes += size
        self.next = offset + 1
        while self._records and (len(self._records) > self._max_records or self._bytes > self._max_bytes):
            self._evict()
        return deliveries

    def _holders(self, recipients: list[str], item: Item) -> Sequence[tuple[Audience | _Crowd, Audience]]:
        """Where an item is kept for those who come back, each with who hears it now."""
        names = tuple(recipients)
        known = self._audiences.get(names)
        if known is not None:
            return ((known, known),)
        crowds = [self._crowd(name.removeprefix(ROOM_MARK)) for name in names if name.startswith(ROOM_MARK)]
        found: list[tuple[Audience | _Crowd, Audience]] = [(crowd, crowd.hearing(item.at)) for crowd in crowds]
        if len(crowds) < len(names):
            audience = self._audience(tuple(name for name in names if not name.startswith(ROOM_MARK)))
            found.append((audience, audience))
        return found

    def _audience(self, names: tuple[str, ...]) -> Audience:
        found = self._audiences.get(names)
        if found is None:
            found = self._audiences[names] = Audience([self.box(name) for name in names], names)
            for box in found.boxes:
                box.audiences.append(found)
            self._bytes += _AUDIENCE_BYTES + _NAME_BYTES * len(names)
        return found

    def _crowd(self, room: str) -> _Crowd:
        found = self._crowds.get(room)
        if found is None:
            found = self._crowds[room] = _Crowd(room)
        return found

    def _take(self, change: Change, at: int) -> None:
        """Notes who is where, after the event was given to those who were there before it."""
        box = self.boxes.get(change.user)
        if box is None:
            return
        if box.missed is not None:
            box.missed.append((change, at))
        if box.stays is not None:
            box.take(change, at)
            if change.joined:
                self._enter(box, change.room)
            else:
                self._leave(box, change.room)

    def _enter(self, box: Mailbox, room: str) -> None:
        crowd = self._crowd(room)
        crowd.inside.add(box)
        crowd.moved()

    def _leave(self, box: Mailbox, room: str) -> None:
        crowd = self._crowds.get(room)
        if crowd is not None:
            crowd.inside.discard(box)
            crowd.moved()
            self._tidy_crowd(crowd)

    def _evict(self) -> None:
        offset, size, kept = self._records.popleft()
        self._bytes -= size
        self.first = offset + 1
        for holder in kept:
            del holder.items[0]
            if holder.items:
                continue
            if isinstance(holder, Audience):
                self._drop(holder)
            else:
                self._tidy_crowd(holder)

    def _drop(self, audience: Audience) -> None:
        """Nothing is left for those who were named so."""
        del self._audiences[audience.names]
        self._bytes -= _AUDIENCE_BYTES + _NAME_BYTES * len(audience.names)
        for box in audience.boxes:
            box.audiences.remove(audience)
            self._tidy(box)

    def _tidy_crowd(self, crowd: _Crowd) -> None:
        if not crowd.items and not crowd.inside:
            del self._crowds[crowd.room]

    def _tidy(self, box: Mailbox) -> None:
        if not box.audiences and not box.subscriptions and self.boxes.get(box.user) is box:
            del self.boxes[box.user]


def _later(items: list[Item], position: int, limit: int) -> list[Item]:
    """At most ``limit`` of some items that ascend, from the first above a place."""
    begin = bisect_right(items, position, key=_cursor)
    return items[begin : begin + limit]
