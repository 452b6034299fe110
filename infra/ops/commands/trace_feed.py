"""Where an event stands in the feed, and for whom: sought by the time at which it was appended, then read."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any, Literal, NamedTuple

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from events.core.feed import ROOM_MARK, cursor, decode_record
from events.core.log import TermFilter
from events.core.positions import Position, parse_position
from infra.base.settings import Settings

#: Milliseconds before the event from which the feed is read: clocks of processes differ.
_BEFORE_MS = 500
#: Records of each partition that are looked at.
LOOK = 20_000
#: Milliseconds that one look for more may take.
_POLL_MS = 100


class FeedEntry(NamedTuple):
    """An item of the feed that carries the event."""

    partition: int
    offset: int
    #: What a client that has it says to go on from there.
    cursor: int
    #: Unix milliseconds at which it was appended.
    timestamp: int
    #: User ids, or large rooms (``room:<id>``): those who were in them just before the event.
    recipients: list[str]


class Look(NamedTuple):
    """What one feed partition says of an event."""

    #: ``passed``: what came after it was fed, so nobody else of this partition was named. ``awaited``: the feed is not
    #: that far yet. ``gone``: the feed no longer has that time. ``unknown``: too much came since to look at.
    state: Literal["passed", "awaited", "gone", "unknown"]
    items: list[FeedEntry]


class _FeedHead(msgspec.Struct):
    position: str


async def look(
    consumer: AIOKafkaConsumer, settings: Settings, position: Position, appended: int, partitions: Collection[int]
) -> dict[int, Look]:
    """What each of these feed partitions says of the event that was appended at ``appended`` (Unix ms)."""
    topic = settings.topic("feed")
    tps = {TopicPartition(topic, number): number for number in partitions}
    begins = await consumer.beginning_offsets(list(tps))
    ends = await consumer.end_offsets(list(tps))
    times = await consumer.offsets_for_times(dict.fromkeys(tps, appended - _BEFORE_MS))
    starts = {tp: place.offset if (place := times[tp]) is not None else ends[tp] for tp in tps}
    searches = {tp: _Search(tps[tp], position, starts[tp] > begins[tp] or begins[tp] == 0) for tp in tps}
    waiting = {tp for tp in tps if starts[tp] < ends[tp]}
    if waiting:
        consumer.assign(list(waiting))
        for tp in waiting:
            consumer.seek(tp, starts[tp])
    while waiting:
        found = await consumer.getmany(*waiting, timeout_ms=_POLL_MS)
        for tp, records in found.items():
            over = searches[tp].take(records)
            if over or (records and records[-1].offset + 1 >= ends[tp]):
                waiting.discard(tp)
                consumer.pause(tp)
    return {tps[tp]: search.look() for tp, search in searches.items()}


class _Search:
    """The reading of one feed partition."""

    def __init__(self, partition: int, position: Position, kept: bool) -> None:
        """``kept``: whether the feed still has what was fed when the event was appended."""
        self._partition = partition
        self._position = position
        self._marks = re.compile(rb'"position":"%b/([0-9]+)"' % re.escape(str(position.shard).encode()))
        self._valid = TermFilter()
        self._items: list[FeedEntry] = []
        self._passed = self._unknown = False
        self._kept = kept
        self._seen = 0

    def take(self, records: Sequence[Any]) -> bool:
        """Reads records in order; True once it is known what there is."""
        for record in records:
            self._take(record)
            if self._passed:
                return True
        self._seen += len(records)
        self._unknown = self._seen >= LOOK
        return self._unknown

    def _take(self, raw: Any) -> None:
        value = raw.value or b""
        if not self._valid.admits(raw.offset, raw.headers) or self._valid.opened(raw.offset):
            return
        # Most records are of other shards: what their text shows needs no decoding.
        if not self._marks.search(value):
            return
        for index, item in enumerate(decode_record(value).items):
            at = parse_position(msgspec.json.decode(item.delta, type=_FeedHead).position)
            if at == self._position:
                place = cursor(raw.offset, index)
                self._items.append(FeedEntry(self._partition, raw.offset, place, raw.timestamp, item.recipients))
            elif at.shard == self._position.shard:
                self._kept = self._kept or at.offset < self._position.offset
                self._passed = self._passed or at.offset > self._position.offset

    def look(self) -> Look:
        if self._items:
            return Look("passed", self._items)
        if self._passed:
            return Look("passed" if self._kept else "gone", [])
        return Look("unknown" if self._unknown else "awaited", [])


def named(user: str, items: Collection[FeedEntry]) -> FeedEntry | None:
    """The item that names the user."""
    return next((item for item in items if user in item.recipients), None)


def rooms(items: Collection[FeedEntry]) -> set[str]:
    """The large rooms that stand for their members."""
    found = (name for item in items for name in item.recipients)
    return {name.removeprefix(ROOM_MARK) for name in found if name.startswith(ROOM_MARK)}
