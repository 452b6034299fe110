"""The writer of the log: appends to a shard so that what it acknowledges is valid for every reader.

Safety comes from two rules and needs no clock, lock or transaction. *Contiguity*, checked here: a sole writer knows the
offset that its next batch must get; another one means that somebody else has written, and the append is not
acknowledged. *The term*, checked by every reader (``events/core/log.py``): what an old owner got in after a new one
opened is void. ``tests/producers/engine/test_log_model.py`` explores both exhaustively.

How to own a shard: ``open()``, read the log up to the term (``read_tail``), only then decide and ``append()``. On
OutcomeUnknown do the same again and look for the commands' keys in what was read.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.errors import OffsetOutOfRangeError
from aiokafka.producer.message_accumulator import BatchBuilder

from events.core.clock import now, uuid7
from events.core.errors import KlatschError
from events.core.log import OPENED_KEY, LogOpened, opened_headers, term_headers
from events.registry import REGISTRY
from infra.base import aiokafka_private, away, kafka
from infra.base.handover import Handover
from infra.base.settings import Settings

log = logging.getLogger(__name__)

#: Seconds until a missing acknowledgement counts as unknown. Below the request time-out of 5 s, as reopening on a fresh
#: connection is quicker than the client's own retry; above a leader's fail-over (2-3 s with short sessions).
ACK_SECONDS = 4.0
#: Seconds to connect a fresh producer.
CONNECT_SECONDS = 5.0
#: Seconds without a record until reading a tail is given up.
READ_SECONDS = 10.0
#: Seconds to bring down a producer whose broker may not answer.
_DISPOSE_SECONDS = 2.0


class AppendRefused(KlatschError):
    """Nothing was written, and the shard is as it was: too large for one batch, or not open."""


class OutcomeUnknown(KlatschError):
    """The records may or may not stand in the log. Reopen, read up to the new term, look for the commands' keys."""


class Superseded(OutcomeUnknown):
    """Contiguity is broken: somebody else has written to the shard, so this owner may be an old one."""


class RecordsMissing(KlatschError):
    """Offsets that must be in the log are not: deleted, truncated, or another topic of the same name."""


class Generation:
    """One Kafka producer. ``failed`` is done, with the reason, once nobody may use it any more."""

    __slots__ = ("client", "failed")

    def __init__(self, client: AIOKafkaProducer) -> None:
        self.client = client
        self.failed: asyncio.Future[str] = asyncio.get_running_loop().create_future()


class LogProducer:
    """The idempotent producer that all shards of a process share.

    It is replaced as a whole after any produce error: the client advances a partition's sequence number when it sends
    and never takes it back, so after an error that partition would be refused for ever.
    """

    def __init__(self, settings: Settings, handover: Handover | None = None) -> None:
        """``handover`` is told of all that is appended."""
        self.settings = settings
        self.handover = handover
        self._current: Generation | None = None
        self._starting = asyncio.Lock()
        self._disposals: set[asyncio.Task[None]] = set()
        self._stopped = False

    async def start(self) -> None:
        """Connect. Raises OutcomeUnknown when no broker answers within CONNECT_SECONDS."""
        await self.usable()

    async def stop(self) -> None:
        """Close. Takes a few seconds at most; the outcome of appends under way is unknown."""
        self._stopped = True
        async with self._starting:
            if self._current is not None:
                self.fail(self._current, "stopped")
        if self._disposals:
            await asyncio.wait(self._disposals)

    async def usable(self) -> Generation:
        """A producer that has not failed: the current one or a fresh one. Raises OutcomeUnknown."""
        async with self._starting:
            if self._current is None:
                if self._stopped:
                    raise OutcomeUnknown("expected a running log producer, got a stopped one; this process ends")
                self._current = await self._connect()
            return self._current

    def fail(self, generation: Generation, reason: str) -> None:
        """Nobody may use this producer any more; everybody who waits on it is told."""
        if generation.failed.done():
            return
        if not self._stopped:
            log.warning("log producer is replaced: %s", reason)
        generation.failed.set_result(reason)
        if self._current is generation:
            self._current = None
        self._dispose(generation.client)

    async def _connect(self) -> Generation:
        # The limit is on our own check of the exact size, so that the error can say how large a batch would be.
        client = kafka.producer(self.settings, max_batch_size=2**31 - 1)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await client.start()
        except asyncio.CancelledError as error:
            self._dispose(client, error)
            raise
        except away.KAFKA as error:
            self._dispose(client, error)
            raise OutcomeUnknown(
                f"expected Kafka at {self.settings.kafka} to answer within {CONNECT_SECONDS} s, got {error!r}; "
                "nothing was written, try again"
            ) from error
        generation = Generation(client)
        # A sender that dies takes the client's only way to deliver with it, sometimes without failing the batches.
        if (sender := aiokafka_private.sender(client)) is not None:
            sender.add_done_callback(lambda _: self.fail(generation, "its sender task ended"))
        return generation

    def _dispose(self, client: AIOKafkaProducer, error: BaseException | None = None) -> None:
        if error is not None:
            aiokafka_private.close_forgotten(error)
        task = asyncio.create_task(_bring_down(client))
        self._disposals.add(task)
        task.add_done_callback(self._disposals.discard)


async def _bring_down(client: AIOKafkaProducer) -> None:
    """Stop a producer within a deadline. Its own stop() first waits for all batches, for ever if need be."""
    aiokafka_private.mark_closed(client)
    sockets = aiokafka_private.sockets(client)
    await _close(client)
    await kafka.end_sender(client, _DISPOSE_SECONDS)
    # A request that was just connecting may have opened a connection meanwhile, or be about to.
    await _close(client)
    aiokafka_private.connect_no_more(client.client)
    for writer in sockets:
        writer.transport.abort()


async def _close(client: AIOKafkaProducer) -> None:
    try:
        async with asyncio.timeout(_DISPOSE_SECONDS / 2):
            await client.client.close()
    except away.KAFKA as error:
        log.info("a connection of a replaced producer did not close: %r", error)


class ShardLog:
    """The writer of one partition; one append at a time.

    ``term`` is the offset of this owner's ``log.opened``, ``next_offset`` the one that its next record must get; both
    are -1 until opened.
    """

    def __init__(
        self, producers: LogProducer, topic: str, partition: int, owner: str, ack_seconds: float = ACK_SECONDS
    ) -> None:
        """``topic`` is the full Kafka name; ``owner`` is ``host:port``, for people who read the log."""
        self.topic = topic
        self.partition = partition
        self.owner = owner
        self.term = -1
        self.next_offset = -1
        self._producers = producers
        self._ack_seconds = ack_seconds
        self._generation: Generation | None = None
        self._busy = False

    @property
    def opened(self) -> bool:
        """Whether the next append may be tried: not before ``open``, nor after an outcome that is unknown."""
        return self._generation is not None and not self._generation.failed.done()

    async def open(self) -> int:
        """Append ``log.opened`` and return its offset, the term. Read the log up to it before deciding anything.

        Raises OutcomeUnknown: the shard is not open then; open it again.
        """
        self._generation = None
        generation = await self._producers.usable()
        records, headers = [(OPENED_KEY, self._opened_value())], opened_headers()
        base = await self._deliver(generation, self._batch(generation, records, headers, None))
        if base < 0:
            raise OutcomeUnknown(f"{self}: expected the offset of log.opened, got {base}; open again")
        self.term, self.next_offset = base, base + 1
        self._generation = generation
        self._appended(base, records, headers)
        return base

    async def append(self, records: Sequence[tuple[bytes, bytes]], timestamp_ms: int | None = None) -> int:
        """Append ``(key, value)`` records as one batch, all or none, and return the first one's offset.

        ``timestamp_ms`` is Unix milliseconds; None is now. Raises AppendRefused, and nothing was written;
        OutcomeUnknown or Superseded, and the shard must be opened again.
        """
        generation = self._generation
        if generation is None:
            raise AppendRefused(f"{self}: expected an open shard, got one that is not; open it first")
        headers = term_headers(self.term)
        batch = self._batch(generation, records, headers, timestamp_ms)
        # Whatever ends the next line early, a cancel included, leaves the outcome unknown: not open until it is known.
        self._generation = None
        if generation.failed.done():
            raise OutcomeUnknown(f"{self}: the log producer was replaced: {generation.failed.result()}; open again")
        base = await self._deliver(generation, batch)
        if base != self.next_offset:
            raise Superseded(
                f"{self}: expected offset {self.next_offset}, got {base}: another owner has written; open again"
            )
        self.next_offset = base + len(records)
        self._generation = generation
        self._appended(base, records, headers)
        return base

    def _appended(self, base: int, records: Sequence[tuple[bytes, bytes]], headers: list[tuple[str, bytes]]) -> None:
        if self._producers.handover is not None:
            self._producers.handover.appended(self.topic, self.partition, base, records, headers)

    async def confirm(self) -> None:
        """Make sure that nobody else has written, where there is nothing to append: as good as an acknowledgement.

        Costs a round trip to the shard's leader. Raises OutcomeUnknown or Superseded, and the shard must be opened
        again; AppendRefused when it is not open.
        """
        generation = self._generation
        if generation is None:
            raise AppendRefused(f"{self}: expected an open shard, got one that is not; open it first")
        self._generation = None
        try:
            async with asyncio.timeout(self._ack_seconds):
                end = await kafka.end_offset(generation.client.client, TopicPartition(self.topic, self.partition))
        except away.KAFKA as error:
            raise OutcomeUnknown(f"{self}: expected to learn the log's end, got {error!r}; open again") from error
        if end != self.next_offset:
            raise Superseded(
                f"{self}: expected the log to end at {self.next_offset}, got {end}: another owner wrote; open again"
            )
        self._generation = generation

    def _batch(
        self,
        generation: Generation,
        records: Sequence[tuple[bytes, bytes]],
        headers: list[tuple[str, bytes]],
        timestamp_ms: int | None,
    ) -> BatchBuilder:
        if not records:
            raise AppendRefused(f"{self}: expected at least one record, got none")
        batch = generation.client.create_batch()
        for key, value in records:
            batch.append(timestamp=timestamp_ms, key=key, value=value, headers=headers)
        # Not compressed, so this is to the byte what the broker compares with the topic's max.message.bytes.
        if batch.size() > kafka.MAX_BATCH_BYTES or batch.record_count() != len(records):
            raise AppendRefused(
                f"{self}: expected a batch of at most {kafka.MAX_BATCH_BYTES} bytes, got {batch.size()} bytes in "
                f"{len(records)} records; split the command"
            )
        return batch

    async def _deliver(self, generation: Generation, batch: BatchBuilder) -> int:
        """Send a batch and wait for the broker's answer: its base offset. Raises OutcomeUnknown."""
        assert not self._busy, f"{self}: one append at a time; the shard's loop must await the one before"
        self._busy = True
        try:
            async with asyncio.timeout(self._ack_seconds):
                sent = await generation.client.send_batch(batch, self.topic, partition=self.partition)
                sent.add_done_callback(_retrieve)
                # The time-out ends the wait, not the delivery: the batch may still arrive.
                await asyncio.wait((sent, generation.failed), return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError as error:
            raise self._unknown(generation, f"no acknowledgement within {self._ack_seconds} s") from error
        except Exception as error:
            raise self._unknown(generation, f"{type(error).__name__}: {error}") from error
        finally:
            self._busy = False
        if not sent.done():
            raise OutcomeUnknown(f"{self}: the log producer was replaced: {generation.failed.result()}; open again")
        if (failure := sent.exception()) is not None:
            raise self._unknown(generation, f"{type(failure).__name__}: {failure}") from failure
        offset: int = sent.result().offset
        return offset

    def _unknown(self, generation: Generation, reason: str) -> OutcomeUnknown:
        text = f"{self}: expected an acknowledgement, got: {reason}"
        self._producers.fail(generation, text)
        return OutcomeUnknown(f"{text}; open again")

    def _opened_value(self) -> bytes:
        settings = self._producers.settings
        logical = self.topic.removeprefix(f"{settings.prefix}.")
        if logical not in kafka.EVENT_TOPICS:
            return b'{"items":[]}'  # a feed record without items
        id = uuid7()
        return REGISTRY.encode(
            LogOpened(owner=self.owner),
            id=id,
            source=f"klatsch/{settings.prefix}",
            stream=f"{logical}/{self.partition}",
            time=now(),
            actor="system",
            command=id,
        )

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}"


def _retrieve(sent: asyncio.Future[object]) -> None:
    """Mark the outcome of a batch as seen: it may come long after everybody has stopped to wait for it."""
    if not sent.cancelled():
        sent.exception()


async def read_tail(
    settings: Settings, topic: str, partition: int, start: int, upto: int
) -> AsyncGenerator[list[ConsumerRecord], None]:
    """The raw records of a partition from offset ``start`` to ``upto``, both included, in lists as they arrive.

    Nothing is filtered: apply ``events.core.log.TermFilter``. Raises RecordsMissing when the log does not hold them
    all, KafkaError (aiokafka) when no broker answers.
    Who stops in the middle wraps it in ``contextlib.aclosing``.
    """
    if start > upto:
        return
    tp = TopicPartition(topic, partition)
    client = kafka.consumer(settings)
    try:
        await kafka.start(client)
        client.assign([tp])
        client.seek(tp, start)
        position = start
        while position <= upto:
            records = await _next_records(client, tp, position, upto)
            if records[0].offset != position:
                raise RecordsMissing(f"{topic}/{partition}: expected offset {position}, got {records[0].offset}")
            position = records[-1].offset + 1
            yield [record for record in records if record.offset <= upto] if position > upto + 1 else records
    finally:
        await kafka.close(client)


async def _next_records(client: AIOKafkaConsumer, tp: TopicPartition, position: int, upto: int) -> list[ConsumerRecord]:
    where = f"{tp.topic}/{tp.partition}: expected records {position} to {upto}"
    try:
        found = await client.getmany(tp, timeout_ms=int(READ_SECONDS * 1000))
    except OffsetOutOfRangeError as error:
        begin = await client.beginning_offsets([tp])
        end = await client.end_offsets([tp])
        raise RecordsMissing(f"{where}, got a log of {begin[tp]} to {end[tp] - 1}") from error
    records: list[ConsumerRecord] = found.get(tp, [])
    if not records:
        end = await client.end_offsets([tp])
        raise RecordsMissing(f"{where}, got none within {READ_SECONDS} s; the log ends before {end[tp]}")
    return records
