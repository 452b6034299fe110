"""One feed partition as its owner writes it: what is to be fed, what has been fed, each delta once."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import msgspec

from events.core.feed import ITEMS
from events.core.positions import Shard
from infra.base.postgres import Connection, Row, queries
from infra.base.settings import Settings
from projectors.audience.recipients import Recipients
from projectors.core import metrics
from projectors.core.source import ResumeAt
from projectors.feed.readback import ResumePoint, read_back

#: Bytes after which a feed record is closed. With the largest delta and list on top it fits the topic's 1 MiB.
RECORD_BYTES = 700_000
#: Bytes of the largest delta. The largest event has less; only what it includes could make it more.
DELTA_BYTES = 700_000

FEED_KEY = b"feed"


class FeedWriter(Protocol):
    """The writer of one feed partition, by contiguity and term: ``producers.engine.log.ShardLog`` is one."""

    @property
    def term(self) -> int:
        """Offset of this owner's marker."""
        ...

    @property
    def next_offset(self) -> int:
        """The offset that the next record gets."""
        ...

    async def open(self) -> int:
        """Appends the marker of a new owner and returns its offset, the term. Raises when the outcome is unknown."""
        ...

    async def append(self, records: Sequence[tuple[bytes, bytes]]) -> int:
        """Appends ``(key, value)`` as one batch and returns its offset. Raises when the outcome is unknown."""
        ...


class Checkpoint(NamedTuple):
    """A row of ``feed_checkpoints``: below ``feed_offset`` stands all that the sources hold below their places."""

    feed_partition: int
    feed_offset: int
    feed_term: int
    sources: dict[str, list[int | None]]


def item(recipients: bytes, delta: bytes) -> bytes:
    """One delta and some of its recipients, both encoded, as they are in a record."""
    return b"[%b,%b]" % (recipients, delta)


def join_record(items: Iterable[bytes]) -> bytes:
    """The same bytes as ``events.core.feed.encode_record``, from items that are encoded already."""
    return b'{"items":[' + b",".join(items) + b"]}"


def cut(items: Sequence[bytes]) -> list[Sequence[bytes]]:
    """The items in feed records of at most ITEMS items and about RECORD_BYTES bytes, in order."""
    if len(items) <= ITEMS and sum(map(len, items)) + len(items) <= RECORD_BYTES:
        return [items] if items else []
    records: list[list[bytes]] = []
    size = RECORD_BYTES + 1
    for one in items:
        weight = len(one) + 1
        if size + weight > RECORD_BYTES or len(records[-1]) == ITEMS:
            records.append([])
            size = 0
        records[-1].append(one)
        size += weight
    return [*records]


class FeedPartitionWriter:
    """Opened, it knows what the feed partition holds, by its checkpoint and by reading what came after.

    From then on it passes over what has been fed. After an append whose outcome is unknown the only way on is a new
    partition writer: opening finds out, after a crash as well as after a lost acknowledgement.
    """

    def __init__(self, settings: Settings, partition: int, writer: FeedWriter) -> None:
        self.settings = settings
        self.partition = partition
        #: Where the sources have to begin for this partition.
        self.places: dict[Shard, ResumeAt] = {}
        self._writer = writer
        self._fed: dict[Shard, ResumePoint] = {}
        self._items: list[bytes] = []
        self._recipients = 0

    async def open(self, row: Row | None, shards: Iterable[Shard]) -> None:
        """Takes the partition over: ``row`` is its checkpoint, the feed itself tells what came after it."""
        sources: Mapping[str, tuple[int, int | None]] = {} if row is None else row["sources"]
        self.places = {shard: ResumeAt(*sources.get(str(shard), (0, None))) for shard in shards}
        self._fed = {shard: ResumePoint(place.offset, frozenset()) for shard, place in self.places.items()}
        term = await self._writer.open()
        start = None if row is None else ResumeAt(row["feed_offset"], row["feed_term"])
        self._fed.update(await read_back(self.settings, self.partition, start, term, self._fed))

    def wants(self, shard: Shard, offset: int) -> bool:
        """Whether an event may still have to be fed here."""
        return offset >= self._fed[shard].offset

    def add(self, shard: Shard, offset: int, recipients: Recipients, delta: bytes) -> None:
        """Feeds the delta of an event to those of the recipients who belong here, at the next flush."""
        fed = self._fed[shard]
        if offset < fed.offset:
            return
        lists = recipients.encoded(self.partition)
        if offset == fed.offset and fed.recipients:
            lists = [rest for users in lists if (rest := _without(users, fed.recipients))]
        if lists:
            self._items += [item(users, delta) for users in lists]
            self._recipients += recipients.count(self.partition)

    @property
    def waiting(self) -> bool:
        """Whether something was added since the last flush."""
        return bool(self._items)

    async def flush(self) -> None:
        """Appends what was added. Raises whatever the writer does; then this partition writer is of no more use."""
        items, self._items = self._items, []
        for record in cut(items):
            await self._writer.append([(FEED_KEY, join_record(record))])
        metrics.FEED_ITEMS.inc(len(items))
        metrics.FEED_RECIPIENTS.inc(self._recipients)
        self._recipients = 0

    def checkpoint(self, places: Mapping[Shard, ResumeAt]) -> Checkpoint | None:
        """The checkpoint's row once all below ``places`` is fed; None while sources are behind what was fed before."""
        for shard, fed in self._fed.items():
            if places[shard].offset < fed.offset + bool(fed.recipients):
                return None
        sources: dict[str, list[int | None]] = {str(shard): list(place) for shard, place in places.items()}
        return Checkpoint(self.partition, self._writer.next_offset, self._writer.term, sources)


def _without(users: bytes, fed: frozenset[str]) -> bytes | None:
    rest = [user for user in msgspec.json.decode(users, type=list[str]) if user not in fed]
    return msgspec.json.encode(rest) if rest else None


async def open_all(
    partition_writers: Iterable[FeedPartitionWriter], connection: Connection, shards: Sequence[Shard]
) -> None:
    """Takes all of them over at once."""
    rows = await connection.fetch(queries("projectors")["read_checkpoints"])
    stored = {row["feed_partition"]: row for row in rows}
    await _together(
        partition_writer.open(stored.get(partition_writer.partition), shards) for partition_writer in partition_writers
    )


async def flush_all(partition_writers: Iterable[FeedPartitionWriter]) -> None:
    """Flushes all that have something at once. Raises the first error, after every outcome has come in."""
    await _together(partition_writer.flush() for partition_writer in partition_writers if partition_writer.waiting)


async def save(connection: Connection, checkpoints: Sequence[Checkpoint]) -> None:
    """Stores checkpoints; an older one than is stored changes nothing."""
    await connection.execute(queries("projectors")["save_checkpoint"], *map(list, zip(*checkpoints, strict=True)))


async def _together(work: Iterable[Coroutine[Any, Any, None]]) -> None:
    # Not a task group: it would cancel an append that is under way because another one has failed.
    for outcome in await asyncio.gather(*work, return_exceptions=True):
        if outcome is not None:
            raise outcome
