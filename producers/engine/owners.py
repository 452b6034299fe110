"""Who owns what: API processes form a Kafka consumer group, and each knows the whole table (made in ``assignor.py``).

The table may be moments old on any process, and two processes may both think that they own a shard. That is safe:
``producers/engine/log.py`` lets only one of them acknowledge. So an owner whose shard does not move goes on writing
while the group rebalances.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from types import MappingProxyType

from aiokafka import AIOKafkaConsumer

from events.core.clock import uuid7
from events.core.positions import Shard
from infra.base import aiokafka_private, away, kafka
from infra.base.settings import Settings
from producers.engine.assignor import OwnerTable, ShardAssignor

log = logging.getLogger(__name__)

#: After a process died without leaving, its shards move when its session ends. 6 s is the broker's default minimum.
SESSION_MS = 6_000
#: A member learns of a rebalance with its next heartbeat, so this is about how long one takes.
HEARTBEAT_MS = 500
#: Seconds out of the group after which the consumer is taken for stuck: well above a rebalance, which waits for a dead
#: member's session at most.
STUCK_SECONDS = 20.0
_POLL_MS = 1_000
_BACKOFF_SECONDS = 0.5
_LEAVE_SECONDS = 3.0


class Owners:
    """This process in the group of owners of one installation."""

    def __init__(
        self,
        settings: Settings,
        on_change: Callable[[dict[Shard, str]], Awaitable[None]],
        on_lost: Callable[[Iterable[Shard]], None],
        stuck_seconds: float = STUCK_SECONDS,
        takes: bool = True,
    ) -> None:
        """``on_change`` gets the table after each change, one call at a time; what it raises is logged.

        ``on_lost`` gets what this process owns no more, at once and each time, also where ``on_change``, which may be
        busy, gets the next table only. Without ``takes`` the process owns nothing, and knows who does.
        """
        self._settings = settings
        self._on_change = on_change
        self._on_lost = on_lost
        self._stuck_seconds = stuck_seconds
        self._member = uuid7()
        self._table: Mapping[Shard, str] = MappingProxyType({})
        self._mine: frozenset[Shard] = frozenset()
        self._news = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._consumer: AIOKafkaConsumer | None = None
        shards = [Shard(topic, number) for topic in kafka.EVENT_TOPICS for number in range(settings.partitions)]
        self._assignor = ShardAssignor(shards, self._member, settings.address, self._take, takes)

    @property
    def table(self) -> Mapping[Shard, str]:
        """``host:port`` of each shard's owner; empty until the group was joined once."""
        return self._table

    def owner_of(self, shard: Shard) -> str | None:
        """``host:port`` of a shard's owner, or None when it is not known yet."""
        return self._table.get(shard)

    def mine(self) -> frozenset[Shard]:
        """The shards that this process owns by the latest table."""
        return self._mine

    async def start(self) -> None:
        """Begin to join; returns at once. ``on_change`` is called when there is a table, and Kafka may come later."""
        self._tasks = [asyncio.create_task(self._stay()), asyncio.create_task(self._tell())]

    async def stop(self) -> None:
        """Leave the group, so that the shards move at once. Takes a few seconds at most."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        self._tasks = []

    def _take(self, table: OwnerTable) -> None:
        self._table = MappingProxyType(table.addresses())
        before = self._mine
        self._mine = frozenset(
            shard for owner in table.owners if owner.member == self._member for shard in owner.shards
        )
        self._on_lost(before - self._mine)
        self._news.set()

    async def _tell(self) -> None:
        """Hand tables on outside of the group's own task: a slow listener must not hold up a rebalance."""
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                await self._on_change(dict(self._table))
            except Exception:
                log.exception("the listener to changes of ownership failed; it is called again at the next change")

    async def _stay(self) -> None:
        """Be a member, with a fresh consumer whenever the one at hand fails or is stuck."""
        while True:
            self._consumer = consumer = kafka.consumer(
                self._settings,
                group_id=f"{self._settings.prefix}.owners",
                partition_assignment_strategy=(self._assignor,),
                session_timeout_ms=SESSION_MS,
                heartbeat_interval_ms=HEARTBEAT_MS,
                # Longer than SESSION_MS, for which a rebalance may hold the answer to a join back.
                request_timeout_ms=SESSION_MS + 4_000,
            )
            try:
                consumer.subscribe([self._settings.topic(topic) for topic in kafka.EVENT_TOPICS])
                await kafka.start(consumer)
                await self._poll(consumer)
            except away.KAFKA as error:
                log.warning("the group of owners is joined anew: %r", error)
            finally:
                await _leave(consumer)
            await asyncio.sleep(_BACKOFF_SECONDS)

    async def _poll(self, consumer: AIOKafkaConsumer) -> None:
        """Returns when the consumer is out of the group for too long, which it may be without any error."""
        clock = asyncio.get_running_loop().time
        member_at = clock()
        while clock() - member_at < self._stuck_seconds:
            if aiokafka_private.membership_ended(consumer):
                break
            if aiokafka_private.is_member(consumer):
                member_at = clock()
            # Nothing comes; without polling the group would take this member for busy and put it out.
            await consumer.getmany(timeout_ms=min(_POLL_MS, int(self._stuck_seconds * 250)))
        log.warning("out of the group of owners for %.1f s; joining anew", clock() - member_at)


async def _leave(consumer: AIOKafkaConsumer) -> None:
    """Stop a consumer within a deadline; in the middle of a rebalance its own stop() waits for the end of it."""
    try:
        async with asyncio.timeout(_LEAVE_SECONDS):
            await consumer.stop()
    except away.KAFKA as error:
        log.warning("left the group of owners without saying so: %r", error)
        running = aiokafka_private.tasks(consumer)
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running, timeout=_LEAVE_SECONDS)
        await aiokafka_private.network(consumer).close()
    finally:
        aiokafka_private.connect_no_more(aiokafka_private.network(consumer))
