"""The latest items of a feed partition, in memory. No I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from events.feed import ROOM_MARK, Stay, end_cursor
from push.items import Change, Item
from push.subscriptions import Mailbox, Subscription


class Ring:
    """The latest items of one feed partition, by user, so that most clients resume without Kafka."""

    def __init__(self, first: int, max_records: int, max_bytes: int) -> None:
        #: Every record from this offset on is here, up to ``next``.
        self.first = first
        #: The offset of the record that comes next.
        self.next = first
        self.boxes: dict[str, Mailbox] = {}
        #: Who of those connected here is or was in a room, and the recent items for large rooms.
        self._inside: dict[str, set[Mailbox]] = {}
        self._large: dict[str, deque[Item]] = {}
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
        if not box.subscriptions:
            for room in box.stays or ():
                self._leave(box, room)
            box.stays = box.missed = None
        self._tidy(box)

    def learned(self, box: Mailbox, stays: dict[str, list[Stay]]) -> None:
        """Takes a user's stays, and puts what they did not get for large rooms among the recent items."""
        missed, box.missed = box.missed or [], None
        box.stays = stays
        for change, at in missed:
            box.take(change, at)
        # Also rooms that were left: the read models may be ahead of what was fed, and tell of it before the feed does.
        for room in stays:
            self._inside.setdefault(room, set()).add(box)
        have = {item.cursor for item in box.recent}
        lacking = [
            item
            for room in stays
            for item in self._large.get(room, ())
            if item.cursor not in have and box.was_in(room, item.at)
        ]
        for item in lacking:
            item.boxes.append(box)
        if lacking:
            box.recent = sorted([*box.recent, *lacking], key=lambda item: item.cursor)

    def add(self, offset: int, found: Iterable[tuple[list[str], Item]], touched: list[Subscription]) -> int:
        """Take one record's items. Live subscriptions that got some are appended to ``touched``, once a turn.

        Returns the number of deliveries.
        """
        items, size, deliveries = [], 0, 0
        for recipients, item in found:
            boxes = item.boxes
            for box in self._boxes_of(recipients, item):
                boxes.append(box)
                box.recent.append(item)
                for subscription in box.subscriptions:
                    if subscription.live:
                        if not subscription.pending:
                            touched.append(subscription)
                        subscription.pending.append(item)
                        deliveries += 1
            if isinstance(item.news, Change):
                self._take(item.news, item.at)
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

    def _boxes_of(self, recipients: list[str], item: Item) -> list[Mailbox]:
        found = []
        for name in recipients:
            if name.startswith(ROOM_MARK):
                room = name.removeprefix(ROOM_MARK)
                item.rooms.append(room)
                self._large.setdefault(room, deque()).append(item)
                found += [box for box in self._inside.get(room, ()) if box.was_in(room, item.at)]
            else:
                found.append(self.box(name))
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
                self._inside.setdefault(change.room, set()).add(box)
            else:
                self._leave(box, change.room)

    def _leave(self, box: Mailbox, room: str) -> None:
        inside = self._inside.get(room)
        if inside is not None:
            inside.discard(box)
            if not inside:
                del self._inside[room]

    def _evict(self) -> None:
        offset, size, items = self._records.popleft()
        self._bytes -= size
        self.first = offset + 1
        for item in items:
            for box in item.boxes:
                del box.recent[0]
                self._tidy(box)
            for room in item.rooms:
                self._large[room].popleft()
                if not self._large[room]:
                    del self._large[room]

    def _tidy(self, box: Mailbox) -> None:
        if not box.recent and not box.subscriptions and self.boxes.get(box.user) is box:
            del self.boxes[box.user]
