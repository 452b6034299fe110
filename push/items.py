"""Deltas as they travel through a push node: read from the feed, kept in a ring, handed to subscriptions. No I/O."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec

from events.feed import ITEMS, FeedItem, cursor, decode_record, end_cursor, split_cursor
from events.log import OPENED_HEADER, TermFilter
from events.positions import BadPosition, Shard, Vector, parse_position
from push import codes
from push.codes import Disconnect
from push.frames import one_line

_log = logging.getLogger("klatsch.push")


class Item:
    """One delta, encoded once for all its recipients."""

    __slots__ = ("body", "boxes", "cursor", "size")

    def __init__(self, cursor: int, delta: bytes) -> None:
        #: The wire offset.
        self.cursor = cursor
        delta = one_line(delta)
        self.size = len(delta)
        #: The delta and the rest of the push object that carries it: see ``frames.publication_prefix``.
        self.body = b'%s,"offset":%d}}}' % (delta, cursor)
        #: Who has it among their recent items.
        self.boxes: list[Mailbox] = []

    @property
    def delta(self) -> bytes:
        """The delta's JSON, without line ends."""
        return self.body[: self.size]


def first_needed(position: int) -> int:
    """The first feed offset that may hold an item above the cursor ``position``."""
    offset, index = split_cursor(position)
    return max(0, offset + (index == ITEMS - 1))


class Sink(Protocol):
    """The far end of a subscription: a connection, an event stream, a page."""

    def deliver(self, items: Sequence[Item]) -> int:
        """Send items, in order. Returns how many wait because the other side does not keep up."""
        ...

    def room(self) -> int:
        """How many older items it takes now; when 0, it calls ``Hub.advance`` as soon as it takes more."""
        ...

    def caught_up(self) -> None:
        """All older items were delivered; from here on it gets new ones."""
        ...

    def cut(self, disconnect: Disconnect) -> None:
        """End it, within this turn of the loop."""
        ...


class Subscription:
    """One sink's place in a user's stream."""

    __slots__ = ("box", "closed", "cursor", "live", "partition", "pending", "reading", "sink")

    def __init__(self, partition: int, box: Mailbox, cursor: int, sink: Sink) -> None:
        self.partition = partition
        self.box = box
        #: All items up to here have been delivered, or are not for this user. Items above it are still to come.
        self.cursor = cursor
        self.sink = sink
        #: Whether new items go straight to it. Else it is still reading older ones.
        self.live = False
        #: Whether a pass over the feed in Kafka is delivering older items to it.
        self.reading = False
        self.closed = False
        #: New items of this turn of the loop.
        self.pending: list[Item] = []

    def give(self, items: Sequence[Item]) -> int:
        """Deliver. A sink that fails is cut, and nobody else notices."""
        try:
            return self.sink.deliver(items)
        except Exception:
            _log.exception("a delivery to a connection of user %s", self.box.user)
            self.closed = True
            self.sink.cut(codes.SERVER_ERROR)
            return 0

    @property
    def needs(self) -> int:
        """The first offset of the feed partition that may hold an item above the cursor."""
        return first_needed(self.cursor)


class Mailbox:
    """What a node knows of one user: the recent items, oldest first, and the subscriptions."""

    __slots__ = ("recent", "subscriptions", "user")

    def __init__(self, user: str) -> None:
        self.user = user
        # A list: most users have few items here, and an empty deque takes eleven times the memory.
        self.recent: list[Item] = []
        self.subscriptions: list[Subscription] = []

    def after(self, position: int, limit: int) -> list[Item]:
        """At most ``limit`` of the recent items above ``position``, oldest first."""
        found: list[Item] = []
        for item in reversed(self.recent):
            if item.cursor <= position:
                break
            found.append(item)
        found.reverse()
        return found[:limit]


class _Where(msgspec.Struct):
    """The one field of a delta that this side reads."""

    position: str


_where = msgspec.json.Decoder(_Where)


class FeedRow(Protocol):
    """A Kafka record, as far as it matters here."""

    offset: int
    headers: Sequence[tuple[str, bytes]]
    value: bytes | None


class _Last:
    """The latest position that was read from one source shard, the record it stood in, and who was given it."""

    __slots__ = ("groups", "offset", "record")

    def __init__(self, offset: int, record: int, recipients: list[str]) -> None:
        self.offset = offset
        self.record = record
        self.groups = [recipients]


class FeedReader:
    """Reads one feed partition's records in order: drops void ones (the writer's rule) and repeated deltas.

    A delta is repeated when its source shard was already read up to its position. Several items may carry one
    position, when viewers see it differently: those go to people who have not had it.
    """

    def __init__(self) -> None:
        self._terms = TermFilter()
        self._last: dict[Shard, _Last] = {}
        #: Records and items that could not be read, for the metric.
        self.unreadable = 0

    @property
    def vector(self) -> Vector:
        """Next position of each source shard that was met: the feed read so far has all that is below it."""
        return {shard: last.offset + 1 for shard, last in self._last.items()}

    def read(self, row: FeedRow) -> list[tuple[list[str], Item]]:
        """Recipients and item of each delta of a record that is new."""
        term = self._terms.term
        if not self._terms.admits(row.offset, row.headers):
            return []
        if any(name == OPENED_HEADER for name, _ in row.headers):
            return []
        if term != self._terms.term:
            # What was read so far was void, so it does not count as delivered.
            self._last.clear()
        try:
            items = decode_record(row.value or b"").items
        except (msgspec.DecodeError, RecursionError):
            self.unreadable += 1
            return []
        found = []
        for index, item in enumerate(items):
            recipients = self._fresh(item, row.offset)
            if recipients:
                found.append((recipients, Item(cursor(row.offset, index), bytes(item.delta))))
        return found

    def _fresh(self, item: FeedItem, record: int) -> list[str]:
        """Those recipients who have not had it."""
        try:
            place = parse_position(_where.decode(item.delta).position)
        except (msgspec.DecodeError, BadPosition, RecursionError):
            self.unreadable += 1
            return []
        shard = Shard(place.topic, place.partition)
        last = self._last.get(shard)
        if last is None or place.offset > last.offset:
            self._last[shard] = _Last(place.offset, record, item.recipients)
            return item.recipients
        if place.offset < last.offset:
            return []
        recipients = item.recipients
        if record != last.record:
            had = {user for group in last.groups for user in group}
            recipients = [user for user in recipients if user not in had]
        last.groups.append(recipients)
        return recipients


class Ring:
    """The latest items of one feed partition, by user, so that most clients resume without Kafka."""

    def __init__(self, first: int, max_records: int, max_bytes: int) -> None:
        #: Every record from this offset on is here, up to ``next``.
        self.first = first
        #: The offset of the record that comes next.
        self.next = first
        self.boxes: dict[str, Mailbox] = {}
        self._max_records = max_records
        self._max_bytes = max_bytes
        self._records: deque[tuple[int, int, list[Item]]] = deque()
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

    def forget(self, subscription: Subscription) -> None:
        """Drop a subscription, and its mailbox when nothing else is in it."""
        box = subscription.box
        if subscription in box.subscriptions:
            box.subscriptions.remove(subscription)
        self._tidy(box)

    def add(self, offset: int, found: Iterable[tuple[list[str], Item]], touched: list[Subscription]) -> int:
        """Take one record's items. Live subscriptions that got some are appended to ``touched``, once a turn.

        Returns the number of deliveries.
        """
        items, size, deliveries = [], 0, 0
        for recipients, item in found:
            boxes = item.boxes
            for user in recipients:
                box = self.boxes.get(user)
                if box is None:
                    box = self.boxes[user] = Mailbox(user)
                boxes.append(box)
                box.recent.append(item)
                for subscription in box.subscriptions:
                    if subscription.live:
                        if not subscription.pending:
                            touched.append(subscription)
                        subscription.pending.append(item)
                        deliveries += 1
            items.append(item)
            # A recipient costs a reference in the item and one in the mailbox.
            size += len(item.body) + 200 + 16 * len(boxes)
        if items:
            self._records.append((offset, size, items))
            self._bytes += size
        self.next = offset + 1
        while len(self._records) > self._max_records or self._bytes > self._max_bytes:
            self._evict()
        return deliveries

    def _evict(self) -> None:
        offset, size, items = self._records.popleft()
        self._bytes -= size
        self.first = offset + 1
        for item in items:
            for box in item.boxes:
                del box.recent[0]
                self._tidy(box)

    def _tidy(self, box: Mailbox) -> None:
        if not box.recent and not box.subscriptions and self.boxes.get(box.user) is box:
            del self.boxes[box.user]
