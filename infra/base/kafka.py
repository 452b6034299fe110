"""Kafka as every role uses it: the topics of an installation, their check at start-up, and clients with safe defaults.

Writing to the event topics is not here but in ``producers/engine/log.py``.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import LeaderNotAvailableError, for_code
from aiokafka.protocol.offset import OffsetRequest

from events.core.errors import KlatschError
from infra.base import aiokafka_private
from infra.base.kafka_access import aiokafka_options
from infra.base.settings import Settings

log = logging.getLogger(__name__)

#: Logical names of the topics that hold events: kept forever, one writer a partition.
EVENT_TOPICS = ("users", "rooms", "handles", "apps")

#: Largest record batch that a topic takes, in bytes. A batch is one command or one turn of a shard; the broker and
#: every consumer hold one in memory, and consumers fetch 1 MiB a partition by default.
MAX_BATCH_BYTES = 1_048_576

_HOUR_MS = 3_600_000
#: Seconds in which at least one more partition must get a leader after topics were created.
_CREATION_SECONDS = 30.0
_TOPIC_ALREADY_EXISTS = 36
#: Of a request for offsets: the timestamp that means the end, and the isolation level that hides nothing.
_LATEST, _READ_UNCOMMITTED = -1, 0
#: Seconds for a consumer to stop.
_CLOSE_SECONDS = 5.0


class TopicSpec(NamedTuple):
    """One topic as it must be. ``settings`` are Kafka topic settings, made at creation and checked at start-up."""

    topic: str
    partitions: int
    settings: Mapping[str, str]


class TopicMismatch(KlatschError):
    """Topics are not as this installation needs them. Each line: topic, setting, expected, actual, what to do."""


class TopicCreationFailed(KlatschError):
    """The broker refused to create a topic; the text has its reason."""


def topic_specs(settings: Settings) -> tuple[TopicSpec, ...]:
    """All topics of an installation."""
    common = {
        "max.message.bytes": str(MAX_BATCH_BYTES),
        "min.insync.replicas": "2" if settings.replication >= 3 else "1",
        "unclean.leader.election.enable": "false",
        # Imported events carry the time at which they happened.
        "message.timestamp.type": "CreateTime",
    }
    forever = {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1", **common}
    events = [TopicSpec(settings.topic(name), settings.partitions, forever) for name in EVENT_TOPICS]
    return (
        *events,
        # Only what the log must forget on request stands here: compaction removes an old credential.
        TopicSpec(settings.topic("secrets"), settings.partitions, {"cleanup.policy": "compact", **common}),
        TopicSpec(
            settings.topic("feed"),
            settings.feed_partitions,
            {**forever, **_expiring(settings.feed_hours * _HOUR_MS)},
        ),
        TopicSpec(settings.topic("signals"), settings.feed_partitions, {**forever, **_expiring(300_000)}),
    )


def _expiring(retention_ms: int) -> dict[str, str]:
    # Kafka deletes whole segments, so segments must be short against the retention (their default is 7 days).
    return {"retention.ms": str(retention_ms), "segment.ms": str(max(60_000, retention_ms // 24))}


async def ensure_topics(settings: Settings) -> None:
    """Create the topics that are missing, then check all of them.

    Raises TopicMismatch when one has a wrong setting or partition count, TopicCreationFailed when the broker
    refuses. Never changes an existing topic: AlterConfigs as this client has it resets all settings that it is not
    given, retention included.
    """
    specs = topic_specs(settings)
    async with admin(settings) as client:
        present = set(await client.list_topics())
        missing = [spec for spec in specs if spec.topic not in present]
        if missing:
            await _create(client, missing, settings.replication)
        partitions = await _partition_counts(client, [spec.topic for spec in specs])
        actual = await _topic_settings(client, specs)
    faults = [fault for spec in specs for fault in _faults(spec, partitions[spec.topic], actual[spec.topic])]
    if faults:
        raise TopicMismatch("\n".join(faults))


async def _create(client: AIOKafkaAdminClient, specs: list[TopicSpec], replication: int) -> None:
    answer = await client.create_topics(
        [NewTopic(spec.topic, spec.partitions, replication, topic_configs=dict(spec.settings)) for spec in specs]
    )
    for topic, code, *reason in answer.topic_errors:
        # Another process of the installation may create the same topics at the same moment.
        if code not in (0, _TOPIC_ALREADY_EXISTS):
            text = reason[0] if reason and reason[0] else for_code(code).description
            raise TopicCreationFailed(f"{topic}: expected to be created, got {for_code(code).__name__}: {text}")


async def _partition_counts(client: AIOKafkaAdminClient, topics: list[str]) -> dict[str, int]:
    """Partition counts, once every partition has a leader: a topic just made appears at the broker a bit later."""
    loop = asyncio.get_running_loop()
    done, deadline = -1, 0.0
    while True:
        # Asks for all topics: a request that names a missing one may create it with the broker's defaults.
        found = {row["topic"]: row for row in await client.describe_topics() if row["error_code"] == 0}
        led = {
            topic: sum(part["leader"] >= 0 for part in found[topic]["partitions"]) for topic in topics if topic in found
        }
        waiting = [topic for topic in topics if topic not in led or led[topic] < len(found[topic]["partitions"])]
        if not waiting:
            return {topic: len(found[topic]["partitions"]) for topic in topics}
        if sum(led.values()) != done:
            # Each partition that gets its leader shows that the brokers are at work.
            done, deadline = sum(led.values()), loop.time() + _CREATION_SECONDS
        if loop.time() > deadline:
            raise TopicCreationFailed(
                f"{', '.join(waiting)}: expected a leader for each partition, and no partition has got one for "
                f"{_CREATION_SECONDS:.0f} s; see the brokers' log"
            )
        await asyncio.sleep(0.05)


async def _topic_settings(client: AIOKafkaAdminClient, specs: Iterable[TopicSpec]) -> dict[str, dict[str, str]]:
    resources = [ConfigResource(ConfigResourceType.TOPIC, spec.topic, dict(spec.settings)) for spec in specs]
    found: dict[str, dict[str, str]] = {}
    for answer in await client.describe_configs(resources):
        for code, reason, _type, topic, entries in answer.resources:
            if code:
                raise TopicMismatch(f"{topic}: settings cannot be read: {for_code(code).__name__}: {reason}")
            found[topic] = {entry[0]: entry[1] for entry in entries}
    return found


def _faults(spec: TopicSpec, partitions: int, actual: Mapping[str, str]) -> list[str]:
    faults = []
    if partitions != spec.partitions:
        faults.append(
            f"{spec.topic}: partitions: expected {spec.partitions}, actual {partitions}; the count is fixed at "
            f"installation: set KLATSCH_PARTITIONS or KLATSCH_FEED_PARTITIONS to {partitions}, or use another prefix"
        )
    for name, expected in spec.settings.items():
        if actual.get(name) != expected:
            faults.append(
                f"{spec.topic}: {name}: expected {expected}, actual {actual.get(name)}; set it with: kafka-configs.sh "
                f"--alter --entity-type topics --entity-name {spec.topic} --add-config {name}={expected}"
            )
    return faults


@asynccontextmanager
async def admin(settings: Settings) -> AsyncIterator[AIOKafkaAdminClient]:
    """A connected admin client. Its calls return errors in their answers: check each ``error_code``."""
    client = AIOKafkaAdminClient(**aiokafka_options(settings), request_timeout_ms=15_000)
    try:
        await start(client)
        yield client
    finally:
        await client.close()
        aiokafka_private.connect_no_more(aiokafka_private.network(client))


def consumer(settings: Settings, **overrides: Any) -> AIOKafkaConsumer:
    """A consumer that never skips or repeats silently; not started, no topics. Seek every partition after assign().

    Reading outside a partition's range raises OffsetOutOfRangeError from getmany.
    """
    options: dict[str, Any] = {
        **aiokafka_options(settings),
        # "latest" and "earliest" turn a lost or recreated topic into a silent jump.
        "auto_offset_reset": "none",
        "enable_auto_commit": False,
        # A seek takes effect after the fetch in flight; measured 11-70 ms with 50, 244-367 ms with 500.
        "fetch_max_wait_ms": 50,
        # An offset look-up that meets a new leader waits for the next metadata refresh.
        "metadata_max_age_ms": 15_000,
        "request_timeout_ms": 10_000,
        "max_partition_fetch_bytes": MAX_BATCH_BYTES,
    }
    return AIOKafkaConsumer(**{**options, **overrides})


def producer(settings: Settings, **overrides: Any) -> AIOKafkaProducer:
    """A plain idempotent producer, not started. For the event topics use ``producers.engine.log``."""
    options: dict[str, Any] = {
        **aiokafka_options(settings),
        "enable_idempotence": True,
        "acks": "all",
        # Also the broker's time-out for a request; with the default of 40 s a fail-over stalls a shard as long.
        "request_timeout_ms": 5_000,
        "linger_ms": 0,
        "metadata_max_age_ms": 15_000,
    }
    return AIOKafkaProducer(**{**options, **overrides})


async def end_offsets(settings: Settings, topic: str, partitions: int) -> dict[int, int]:
    """The next offset of each of the first ``partitions`` partitions of a Kafka topic (full name).

    Raises KafkaTimeoutError (aiokafka) when the topic or its leaders are not there.
    """
    client = consumer(settings)
    try:
        await start(client)
        ends = await client.end_offsets([TopicPartition(topic, partition) for partition in range(partitions)])
        return {tp.partition: offset for tp, offset in ends.items()}
    finally:
        await close(client)


async def end_offset(client: AIOKafkaClient, partition: TopicPartition) -> int:
    """The next offset of a partition as its leader knows it, over the connection that ``client`` already has.

    Raises KafkaError (aiokafka), at once: a leader that moved is not looked for.
    """
    leader = client.cluster.leader_for_partition(partition)
    if leader is None or leader < 0:
        raise LeaderNotAvailableError(str(partition))
    answer = await client.send(
        leader, OffsetRequest(-1, _READ_UNCOMMITTED, [(partition.topic, [(partition.partition, _LATEST)])])
    )
    ((_, ((_, code, _, offset),)),) = answer.topics
    if code:
        raise for_code(code)(str(partition))
    return int(offset)


async def start(client: AIOKafkaConsumer | AIOKafkaProducer | AIOKafkaAdminClient) -> None:
    """Start a client; when that fails or is cancelled, what it had opened is closed. Raises KafkaError (aiokafka)."""
    try:
        await client.start()
    except BaseException as error:
        aiokafka_private.close_forgotten(error)
        await close(client)
        raise


async def close(client: AIOKafkaConsumer | AIOKafkaProducer | AIOKafkaAdminClient | None) -> None:
    """Stop a client within some seconds, whatever state it is in. Raises nothing but the caller's own cancellation.

    A producer first sends what it has. With aiokafka 0.14 a consumer's own stop() may wait for ever
    (``aiokafka_private.cancel_fetch``). And it raises CancelledError, leaving connections open, while a broker does not
    answer a question: in the caller's task that would look like a cancellation from outside, so it runs in one of its
    own.
    """
    if client is None:
        return
    if isinstance(client, AIOKafkaConsumer):
        network, again = aiokafka_private.network(client), partial(aiokafka_private.cancel_fetch, client)
        await _end(client.stop, network.close, again=again)
    elif isinstance(client, AIOKafkaAdminClient):
        network = aiokafka_private.network(client)
        await _end(network.close)
    else:
        network = client.client
        await _end(client.stop, partial(end_sender, client, _CLOSE_SECONDS), network.close)
    aiokafka_private.connect_no_more(network)


async def end_sender(client: AIOKafkaProducer, seconds: float) -> None:
    """End the task that delivers a producer's batches, whatever they wait for, within ``seconds``."""
    sender = aiokafka_private.sender(client)
    deadline = asyncio.get_running_loop().time() + seconds
    # Once cancelled, it awaits its requests in turn; each cancel ends one of them.
    while sender is not None and not sender.done() and asyncio.get_running_loop().time() < deadline:
        sender.cancel()
        await asyncio.wait([sender], timeout=0.05)


async def _end(*works: Callable[[], Coroutine[Any, Any, None]], again: Callable[[], None] = lambda: None) -> None:
    for work in works:
        task = asyncio.create_task(work())
        deadline = asyncio.get_running_loop().time() + _CLOSE_SECONDS
        while not (await asyncio.wait({task}, timeout=0.2))[0] and asyncio.get_running_loop().time() < deadline:
            again()
        if not task.done():
            task.cancel()
            log.warning("a Kafka client did not stop within %.0f s", _CLOSE_SECONDS)
        elif not task.cancelled() and (error := task.exception()) is not None:
            log.warning("a Kafka client did not stop in order: %r", error)
