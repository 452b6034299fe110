"""The centre of a push node: the feed's partitions on one side, subscriptions of connected users on the other."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Collection, Coroutine, Sequence
from contextlib import suppress
from typing import Literal, NamedTuple, Protocol

from events.core.feed import Stay, end_cursor, partition_of
from events.core.positions import Vector
from infra.base import away
from infra.base.handover import Handover
from infra.base.incarnation import Incarnation
from infra.base.settings import Settings
from push import metrics
from push.delivery import withheld
from push.delivery.bounds import Bounds, FeedUnavailable
from push.delivery.catchup import CatchUps
from push.delivery.delivery_batch import DeliveryBatch
from push.delivery.peers import Peers
from push.delivery.ring import Ring
from push.delivery.subscriptions import Sink, Subscription, UserState
from push.delivery.tail import TopicTail
from push.delivery.withheld import Deleted
from push.presence.presence_hub import PresenceHub, Surroundings
from push.protocol import codes
from push.protocol.actions import SubscriptionStart
from push.protocol.commands import Since
from push.protocol.items import (
    FeedDelta,
    FeedReader,
    FeedRow,
    Marked,
    News,
    Posted,
    Related,
    RoomChange,
    Shut,
    first_needed,
)

_log = logging.getLogger("klatsch.push")

#: Deliveries after which a turn lets others run. Measured at about 1 µs each without the write to the socket.
_TURN = 2000


class MembershipsSource(Protocol):
    """Who was in which room when, and with whom, from the read models."""

    async def __call__(self, user: str, vector: Vector) -> tuple[dict[str, list[Stay]], Surroundings]:
        """A user's stays by room, complete for all events below ``vector`` and all that were fed before this node;
        and what it takes to know which signals they may receive.

        Raises when the read models do not get that far in time.
        """
        ...


class DeletionsSource(Protocol):
    """What has been deleted, from the read models."""

    async def __call__(self, messages: Collection[str], rooms: Collection[str], vector: Vector) -> Deleted:
        """Those of some messages and rooms that are deleted, as of ``vector`` or later.

        Raises when the read models do not get that far in time.
        """
        ...


class StreamEnd(NamedTuple):
    """A place in a user's stream, and how far into the log it reaches."""

    cursor: int
    epoch: str
    #: Next position of each shard: the stream up to ``cursor`` has the deltas of all events below it. A snapshot that
    #: includes this vector may say ``cursor`` to its client. Shards that this node has not met are absent.
    vector: Vector


class _Partition:
    """One feed partition on this node."""

    def __init__(self, start: int, records: int, size: int) -> None:
        self.ring = Ring(start, records, size)
        self.reader = FeedReader()


class Hub:
    """Reads the feed once for the whole process and hands each delta to the connections of its recipients.

    All methods belong to the event loop in which ``start`` was awaited.
    """

    def __init__(
        self,
        settings: Settings,
        memberships: MembershipsSource | None = None,
        deletions: DeletionsSource | None = None,
        *,
        ring_records: int = 4096,
        ring_bytes: int = 4 << 20,
        workers: int = 4,
        handover: Handover | None = None,
    ) -> None:
        """``memberships`` tells who is in which large room; without it nothing is delivered for those.
        ``deletions`` tells what of older deltas must no longer be given out; without it all of it is.
        ``handover``: where this process tells of what it appends to the feed.

        ``ring_records`` and ``ring_bytes`` bound the memory of each feed partition; ``workers`` is how many readings
        of older parts of the feed run at once.
        """
        self.settings = settings
        self._memberships = memberships
        self._deletions = deletions
        #: Questions to the read models that are under way, for one subscription each.
        self._asking: set[asyncio.Task[None]] = set()
        self.peers = Peers()
        #: Who is there, and what is told of it; it is fed from here, and read and told by ``signals.Signals``.
        self.presence_hub = PresenceHub(
            ttl=settings.presence_seconds, away=settings.away_seconds, channel_ttl=settings.channel_server_seconds
        )
        self._ring_records = ring_records
        self._ring_bytes = ring_bytes
        self._partitions: list[_Partition] = []
        self._epoch = ""
        self._batch = DeliveryBatch()
        self._tail = TopicTail(settings, self, ring_records, handover=handover, size=ring_bytes)
        self._catchups = CatchUps(
            settings, covered=self.in_ring, resume=self.advance, lost=self._lost, shown=self.shown, workers=workers
        )
        self._bounds = Bounds(settings)
        self._task: asyncio.Task[None] | None = None

    # Life.

    async def start(self, seconds: float = 60.0) -> None:
        """Begin to read; returns when this node has what is in the feed now. Raises Unavailable after ``seconds``."""
        self._task = asyncio.create_task(self._tail.run())
        try:
            await self._until_reached(seconds)
            await self._catchups.start()
            await self._bounds.get(self.settings.topic("feed"), len(self._partitions))
        except away.KAFKA as error:
            await self.stop()
            raise FeedUnavailable(f"Kafka cannot be read: {error!r}") from error
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop reading, and close what connections there are. Call ``drain`` before, to let clients leave in order."""
        self.peers.cut_all(codes.SHUTDOWN)
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        for task in self._asking:
            task.cancel()
        await asyncio.gather(*self._asking, return_exceptions=True)
        await self._catchups.stop()
        await self._bounds.stop()

    async def drain(self) -> None:
        """Send all clients to other nodes, spread over ``settings.drain_seconds``; new ones are sent away at once."""
        self.presence_hub.close()
        await self.peers.drain(self.settings.drain_seconds)

    @property
    def ready(self) -> bool:
        """Whether the end of the feed is being read at present."""
        return self._tail.ready

    async def _until_reached(self, seconds: float) -> None:
        """Wait until this node knows the end of the feed, which may since have moved on. Raises Unavailable."""
        try:
            await asyncio.wait_for(self._tail.reached.wait(), seconds)
        except TimeoutError:
            raise FeedUnavailable(f"the feed was not read up to its end within {seconds:.0f} s") from None

    def revoked(self, session: str) -> None:
        """A login session has ended: cut its connections, now and for good (3500)."""
        self.peers.revoked(session)

    def revoked_user(self, user: str) -> None:
        """All sessions of a user have ended: cut their connections, now and for good (3500)."""
        self.peers.revoked_user(user)

    # Places.

    @property
    def epoch(self) -> str:
        """The incarnation of the feed topic: cursors of another one mean nothing here."""
        return self._epoch

    def here(self, user: str) -> StreamEnd:
        """The present end of a user's stream, as this node knows it. Raises Unavailable before ``start``."""
        partition = self._partition(user)
        return StreamEnd(partition.ring.end, self._epoch, partition.reader.vector)

    async def locate(self, user: str, since: Since | None) -> SubscriptionStart:
        """Where a subscription starts that wants everything after ``since`` (None: from now on).

        ``recovered`` is False when that place is unknown here: another epoch, deleted records, or beyond the end.
        Raises Unavailable.
        """
        await self._until_reached(5)
        if since is None:
            return SubscriptionStart(self._epoch, self._partition(user).ring.end)
        source = await self._source(user, since)
        metrics.CATCH_UPS.labels(source).inc()
        if source == "snapshot":
            return SubscriptionStart(self._epoch, 0, recovering=True)
        return SubscriptionStart(self._epoch, since.offset, recovering=True, recovered=True)

    async def _source(self, user: str, since: Since) -> Literal["ring", "kafka", "snapshot"]:
        """What has everything after a place."""
        if since.offset == 0 or since.epoch not in ("", self._epoch):
            return "snapshot"
        ring = self._partition(user).ring
        if ring.covers(since.offset) and since.offset <= ring.end:
            return "ring"
        # Another node may be ahead of this one, so only Kafka knows whether a place is beyond the end.
        begins, ends = await self._bounds.get(self.settings.topic("feed"), len(self._partitions))
        number = partition_of(user, len(self._partitions))
        kept = begins[number] <= first_needed(since.offset) and since.offset <= end_cursor(ends[number])
        return "kafka" if kept else "snapshot"

    async def oldest(self, user: str) -> int:
        """The cursor before the oldest record that the feed still has for a user. Raises Unavailable."""
        await self._until_reached(5)
        begins, _ = await self._bounds.get(self.settings.topic("feed"), len(self._partitions))
        return end_cursor(begins[partition_of(user, len(self._partitions))])

    # Subscriptions.

    def subscribe(self, user: str, cursor: int, sink: Sink) -> Subscription:
        """Deliver every delta of the user above ``cursor`` to ``sink``: older ones as it takes them, then new ones."""
        partition = self._partition(user)
        subscription = Subscription(
            partition_of(user, len(self._partitions)), partition.ring.user_state(user), cursor, sink
        )
        user_state = subscription.user_state
        user_state.subscriptions.append(subscription)
        if user_state.stays is None and user_state.missed is None:
            self._learn(partition, user_state)
        return subscription

    def _learn(self, partition: _Partition, user_state: UserState) -> None:
        """Ask for a user's stays, which the first subscription needs; until then nothing is delivered to it."""
        if self._memberships is None:
            partition.ring.learned(user_state, {})
            self.presence_hub.learned(user_state.user, Surroundings({}, (), ()))
            return
        missed: list[tuple[RoomChange, int]] = []
        user_state.missed = missed
        self._spawn(self._ask(self._memberships, partition, user_state, missed))

    def _spawn(self, question: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(question)
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def _ask(
        self,
        memberships: MembershipsSource,
        partition: _Partition,
        user_state: UserState,
        missed: list[tuple[RoomChange, int]],
    ) -> None:
        try:
            stays, surroundings = await memberships(user_state.user, partition.reader.vector)
        except Exception as error:
            _log.warning("the rooms of user %s cannot be told: %r", user_state.user, error)
            for subscription in list(user_state.subscriptions):
                subscription.sink.cut(codes.SERVER_ERROR)
            return
        # All may have gone and others come since, who ask again; or the feed is another one by now.
        if user_state.missed is missed and partition.ring.user_states.get(user_state.user) is user_state:
            partition.ring.learned(user_state, stays)
            sizes = {room: surroundings.sizes.get(room) for room in user_state.stays or () if user_state.is_in(room)}
            self.presence_hub.learned(user_state.user, surroundings._replace(sizes=sizes))
            for subscription in list(user_state.subscriptions):
                self.advance(subscription)

    def unsubscribe(self, subscription: Subscription) -> None:
        """Deliver nothing more."""
        subscription.closed = True
        subscription.live = False
        if subscription.partition < len(self._partitions):
            self._partitions[subscription.partition].ring.forget(subscription)
            if not subscription.user_state.subscriptions:
                self.presence_hub.forgot(subscription.user_state.user)

    def subscriptions(self, user: str) -> Sequence[Subscription]:
        """The user's subscriptions on this node. Raises Unavailable before ``start``."""
        user_state = self._partition(user).ring.user_states.get(user)
        return () if user_state is None else tuple(user_state.subscriptions)

    def advance(self, subscription: Subscription) -> None:
        """Deliver older items as far as the sink takes them; once there are none left, it is live."""
        if subscription.live or subscription.reading or subscription.closed or subscription.user_state.stays is None:
            return
        self._go_on(subscription, self._partitions[subscription.partition].ring.end)

    def _go_on(self, subscription: Subscription, old: int) -> None:
        """``old``: up to this cursor items are older than the reading. What comes later is new to all alike."""
        ring = self._partitions[subscription.partition].ring
        sink = subscription.sink
        while (room := sink.room()) > 0 and not subscription.closed:
            if not ring.covers(subscription.cursor):
                self._catchups.add(subscription)
                return
            items = ring.after(subscription.user_state, subscription.cursor, room)
            if self._deletions is not None and any(item.holds and item.cursor <= old for item in items):
                subscription.reading = True
                self._spawn(self._give_shown(subscription, items, old))
                return
            if items:
                subscription.cursor = items[-1].cursor
                subscription.give(items)
                metrics.DELIVERIES.inc(len(items))
            if len(items) < room:
                subscription.cursor = max(subscription.cursor, ring.end)
                # Nothing was awaited since the ring was read: no item falls between.
                subscription.live = True
                sink.caught_up()
                return

    async def _give_shown(self, subscription: Subscription, items: Sequence[FeedDelta], old: int) -> None:
        """Delivers older items without what has been deleted since, and goes on."""
        partition = self._partitions[subscription.partition]
        try:
            items = await self.shown(items)
        except Exception as error:
            _log.warning("what was deleted cannot be told to user %s: %r", subscription.user_state.user, error)
            subscription.reading = False
            if not subscription.closed:
                subscription.sink.cut(codes.SERVER_ERROR)
            return
        subscription.reading = False
        # The feed may be another one by now: then its connections are cut, and a page ends.
        if not subscription.closed and partition in self._partitions:
            subscription.cursor = items[-1].cursor
            subscription.give(items)
            metrics.DELIVERIES.inc(len(items))
            self._go_on(subscription, old)

    async def shown(self, items: Sequence[FeedDelta]) -> Sequence[FeedDelta]:
        """The same deltas without what has been deleted since. Raises when the read models cannot tell."""
        messages, rooms = withheld.named(items)
        if self._deletions is None or not (messages or rooms):
            return items
        # All that is fed was in the log, but a deletion may be in no partition of those who received the message.
        vector: Vector = {}
        for partition in self._partitions:
            for shard, offset in partition.reader.vector.items():
                vector[shard] = max(offset, vector.get(shard, 0))
        return withheld.without(items, await self._deletions(messages, rooms, vector))

    def in_ring(self, subscription: Subscription) -> bool:
        """Whether all its older items are in memory; else they come from Kafka."""
        return self._partitions[subscription.partition].ring.covers(subscription.cursor)

    def _lost(self, subscription: Subscription) -> None:
        # Deleted between the look at the log's start and the reading: the client asks again, and gets a snapshot.
        subscription.sink.cut(codes.INSUFFICIENT_STATE)

    def _partition(self, user: str) -> _Partition:
        if not self._partitions:
            raise FeedUnavailable("the hub has not been started")
        return self._partitions[partition_of(user, len(self._partitions))]

    # What the tail reports.

    def next_offsets(self) -> dict[int, int]:
        """See tail.Listener."""
        return {number: partition.ring.next for number, partition in enumerate(self._partitions)}

    def reset(self, topic: Incarnation, starts: dict[int, int]) -> None:
        """See tail.Listener."""
        self.peers.cut_all(codes.INSUFFICIENT_STATE)
        self._batch = DeliveryBatch()
        self._epoch = topic.epoch
        self._partitions = [
            _Partition(starts[number], self._ring_records, self._ring_bytes) for number in range(topic.partitions)
        ]

    async def take(self, batches: dict[int, Sequence[FeedRow]]) -> None:
        """See tail.Listener."""
        deliveries, newest = 0, 0
        for number, records in batches.items():
            partition = self._partitions[number]
            unreadable = partition.reader.unreadable
            for record in records:
                found = partition.reader.read(record)
                deliveries += partition.ring.add(record.offset, found, self._batch)
                for _, item in found:
                    if item.news is not None:
                        self._note(partition.ring, item.news, item.at)
                newest = record.timestamp
                if deliveries >= _TURN:
                    self._flush(deliveries, newest)
                    deliveries = 0
                    await asyncio.sleep(0)
            metrics.UNREADABLE.inc(partition.reader.unreadable - unreadable)
        self._flush(deliveries, newest)

    def _note(self, ring: Ring, news: News, at: int) -> None:
        """What the log says about who may receive which signals."""
        match news:
            case Posted(user, room):
                self.presence_hub.posted(user, room)
                self.presence_hub.acted_in(user, room)
            case Marked(user, room):
                self.presence_hub.acted_in(user, room)
            case RoomChange(user, room, joined, members, willing):
                self.presence_hub.counted(room, joined, at)
                user_state = ring.user_states.get(user)
                if user_state is not None and user_state.stays is not None:
                    self.presence_hub.moved(user, room, user_state.is_in(room), members, willing)
            case Related(user, other, blocked):
                self.presence_hub.related(user, other, blocked)
            case Shut(room, shut):
                self.presence_hub.shut(room, shut)

    def _flush(self, deliveries: int, newest: int) -> None:
        """Send what this turn brought: one frame for each connection, however many deltas."""
        limit = self.settings.push_queue
        for subscription, items in self._batch.end():
            if subscription.closed:
                continue
            if items[0].cursor <= subscription.cursor:
                # It came from a node that was ahead of this one.
                items = [item for item in items if item.cursor > subscription.cursor]
            if items:
                subscription.cursor = items[-1].cursor
                if subscription.give(items) > limit:
                    subscription.sink.cut(codes.SLOW)
        if deliveries:
            metrics.DELIVERIES.inc(deliveries)
            metrics.DELAY.observe(max(0.0, time.time() - newest / 1000))
