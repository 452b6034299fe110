"""The latest items of a feed partition, in memory. No I/O."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Sequence
from operator import attrgetter

from events.core.feed import ROOM_MARK, Stay, end_cursor
from push.delivery.delivery_batch import DeliveryBatch
from push.delivery.subscriptions import RecipientGroup, Subscription, UserState
from push.protocol.items import FeedDelta, RoomChange

#: Bytes that an item takes beside its body, an audience beside its users, and each of them in it.
_ITEM_BYTES, _GROUP_BYTES, _NAME_BYTES = 200, 400, 100
_NEVER = 1 << 62
_cursor = attrgetter("cursor")


class _LargeRoom:
    """A large room: its recent items, which users of this node are or were in it, and who receives what comes."""

    __slots__ = ("_group", "_since", "_until", "inside", "items", "room")

    def __init__(self, room: str) -> None:
        self.room = room
        self.items: list[FeedDelta] = []
        self.inside: set[UserState] = set()
        #: Who receives the events at the offsets from ``_since`` to ``_until``; None: not known yet.
        self._group: RecipientGroup | None = None
        self._since = self._until = -1

    def moved(self) -> None:
        """Somebody came or went."""
        self._group = None

    def hearing(self, at: int) -> RecipientGroup:
        """Who was inside just before an offset."""
        if self._group is None or not self._since <= at <= self._until:
            self._group = RecipientGroup([user_state for user_state in self.inside if user_state.was_in(self.room, at)])
            self._since = at
            edges = (
                edge
                for user_state in self.inside
                for stay in (user_state.stays or {}).get(self.room, ())
                for edge in stay
            )
            self._until = min((edge for edge in edges if edge is not None and edge >= at), default=_NEVER)
        return self._group


class Ring:
    """The latest items of one feed partition, by recipient, so that most clients resume without Kafka."""

    def __init__(self, first: int, max_records: int, max_bytes: int) -> None:
        #: Every record from this offset on is here, up to ``next``.
        self.first = first
        #: The offset of the record that comes next.
        self.next = first
        self.user_states: dict[str, UserState] = {}
        self._groups: dict[tuple[str, ...], RecipientGroup] = {}
        self._large_rooms: dict[str, _LargeRoom] = {}
        self._max_records = max_records
        self._max_bytes = max_bytes
        self._records: deque[tuple[int, int, list[RecipientGroup | _LargeRoom]]] = deque()
        self._bytes = 0

    @property
    def end(self) -> int:
        """The cursor after everything that was read."""
        return end_cursor(self.next)

    def covers(self, position: int) -> bool:
        """Whether every item above the cursor ``position`` is here or still to come."""
        return position >= end_cursor(self.first)

    def user_state(self, user: str) -> UserState:
        """The user's state, made when there is none."""
        found = self.user_states.get(user)
        if found is None:
            found = self.user_states[user] = UserState(user)
        return found

    def after(self, user_state: UserState, position: int, limit: int) -> list[FeedDelta]:
        """At most ``limit`` of a user's recent items above ``position``, oldest first; of large rooms once the stays
        are known."""
        parts = [_later(group.items, position, limit) for group in user_state.groups]
        for room in user_state.stays or ():
            large_room = self._large_rooms.get(room)
            if large_room is not None:
                later = _later(large_room.items, position, len(large_room.items))
                parts.append([item for item in later if user_state.was_in(room, item.at)])
        if len(parts) == 1:
            return parts[0][:limit]
        # Somebody may be named in a record, and be in a room that it names.
        return sorted({item.cursor: item for part in parts for item in part}.values(), key=_cursor)[:limit]

    def forget(self, subscription: Subscription) -> None:
        """Drop a subscription, and its user's state when nothing else is in it."""
        user_state = subscription.user_state
        if subscription in user_state.subscriptions:
            user_state.subscriptions.remove(subscription)
        if not user_state.subscriptions:
            for room in user_state.stays or ():
                self._leave(user_state, room)
            user_state.stays = user_state.missed = None
        self._tidy(user_state)

    def learned(self, user_state: UserState, stays: dict[str, list[Stay]]) -> None:
        """Takes a user's stays, and what has changed while they were being learnt."""
        missed, user_state.missed = user_state.missed or [], None
        user_state.stays = stays
        for change, at in missed:
            user_state.take(change, at)
        # Also rooms that were left: the read models may be ahead of what was fed, and tell of it before the feed does.
        for room in stays:
            self._enter(user_state, room)

    def add(self, offset: int, found: Iterable[tuple[list[str], FeedDelta]], batch: DeliveryBatch) -> int:
        """Take one record's items, and put them in the turn. Returns the number of deliveries."""
        kept: list[RecipientGroup | _LargeRoom] = []
        size, deliveries = 0, 0
        for recipients, item in found:
            for holder, group in self._holders(recipients, item):
                holder.items.append(item)
                kept.append(holder)
                deliveries += batch.add(group, item)
            if isinstance(item.news, RoomChange):
                self._take(item.news, item.at)
            size += len(item.body) + _ITEM_BYTES
        if kept:
            self._records.append((offset, size, kept))
            self._bytes += size
        self.next = offset + 1
        while self._records and (len(self._records) > self._max_records or self._bytes > self._max_bytes):
            self._evict()
        return deliveries

    def _holders(
        self, recipients: list[str], item: FeedDelta
    ) -> Sequence[tuple[RecipientGroup | _LargeRoom, RecipientGroup]]:
        """Where an item is kept for those who come back, each with who receives it now."""
        names = tuple(recipients)
        known = self._groups.get(names)
        if known is not None:
            return ((known, known),)
        large_rooms = [self._large_room(name.removeprefix(ROOM_MARK)) for name in names if name.startswith(ROOM_MARK)]
        found: list[tuple[RecipientGroup | _LargeRoom, RecipientGroup]] = [
            (large_room, large_room.hearing(item.at)) for large_room in large_rooms
        ]
        if len(large_rooms) < len(names):
            group = self._group(tuple(name for name in names if not name.startswith(ROOM_MARK)))
            found.append((group, group))
        return found

    def _group(self, names: tuple[str, ...]) -> RecipientGroup:
        found = self._groups.get(names)
        if found is None:
            found = self._groups[names] = RecipientGroup([self.user_state(name) for name in names], names)
            for user_state in found.user_states:
                user_state.groups.append(found)
            self._bytes += _GROUP_BYTES + _NAME_BYTES * len(names)
        return found

    def _large_room(self, room: str) -> _LargeRoom:
        found = self._large_rooms.get(room)
        if found is None:
            found = self._large_rooms[room] = _LargeRoom(room)
        return found

    def _take(self, change: RoomChange, at: int) -> None:
        """Notes who is where, after the event was given to those who were there before it."""
        user_state = self.user_states.get(change.user)
        if user_state is None:
            return
        if user_state.missed is not None:
            user_state.missed.append((change, at))
        if user_state.stays is not None:
            user_state.take(change, at)
            if change.joined:
                self._enter(user_state, change.room)
            else:
                self._leave(user_state, change.room)

    def _enter(self, user_state: UserState, room: str) -> None:
        large_room = self._large_room(room)
        large_room.inside.add(user_state)
        large_room.moved()

    def _leave(self, user_state: UserState, room: str) -> None:
        large_room = self._large_rooms.get(room)
        if large_room is not None:
            large_room.inside.discard(user_state)
            large_room.moved()
            self._tidy_large_room(large_room)

    def _evict(self) -> None:
        offset, size, kept = self._records.popleft()
        self._bytes -= size
        self.first = offset + 1
        for holder in kept:
            del holder.items[0]
            if holder.items:
                continue
            if isinstance(holder, RecipientGroup):
                self._drop(holder)
            else:
                self._tidy_large_room(holder)

    def _drop(self, group: RecipientGroup) -> None:
        """Nothing is left for those who were named so."""
        del self._groups[group.names]
        self._bytes -= _GROUP_BYTES + _NAME_BYTES * len(group.names)
        for user_state in group.user_states:
            user_state.groups.remove(group)
            self._tidy(user_state)

    def _tidy_large_room(self, large_room: _LargeRoom) -> None:
        if not large_room.items and not large_room.inside:
            del self._large_rooms[large_room.room]

    def _tidy(self, user_state: UserState) -> None:
        if (
            not user_state.groups
            and not user_state.subscriptions
            and self.user_states.get(user_state.user) is user_state
        ):
            del self.user_states[user_state.user]


def _later(items: list[FeedDelta], position: int, limit: int) -> list[FeedDelta]:
    """At most ``limit`` of some items that ascend, from the first above a place."""
    begin = bisect_right(items, position, key=_cursor)
    return items[begin : begin + limit]
