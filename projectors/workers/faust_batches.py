"""Faust apps that are given batches: the records of one fetch of a partition are one message to Faust."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from infra.base.aiokafka_private import let_gather
from infra.base.kafka_access import tls_context
from infra.base.settings import Settings

#: Milliseconds for which the broker lets records gather, unless this many bytes of them come before: the price of a
#: fetch, in Faust's two threads and in the broker, is that of dealing with some records. Nobody waits for a worker.
GATHER_MS, GATHER_BYTES = 200, 512 * 1024
#: Batches that wait in memory for their turn, each of up to a MiB, and that are taken at once.
BATCHES = 16


def faust_app(settings: Settings, name: str, **consumer: Any) -> Any:
    """A Faust app, and consumer group, of that name; ``consumer``: methods that replace those of its consumer."""
    import faust

    app = faust.App(
        f"{settings.prefix}-{name}",
        broker=[f"aiokafka://{address.strip()}" for address in settings.kafka.split(",")],
        broker_credentials=_credentials(settings),
        # No tables, no leader: so the only topics are ours, which exist.
        store="memory://",
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        consumer_auto_offset_reset="earliest",
        broker_request_timeout=30.0,
        broker_session_timeout=10.0,
        broker_heartbeat_interval=3.0,
        stream_wait_empty=False,
        stream_buffer_maxsize=BATCHES,
    )
    app.transport = _batching(consumer)(app.conf.broker_consumer, app)
    return app


def raw_topic(app: Any, *names: str) -> Any:
    """Topics, by their whole names, whose messages are the batches."""
    return app.topic(*names, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw",
                     internal=False)  # fmt: skip


def _credentials(settings: Settings) -> Any:
    """How Faust gets into Kafka; None: it asks for nothing."""
    import faust

    context = tls_context(settings)
    if settings.kafka_user:
        return faust.SASLCredentials(
            username=settings.kafka_user, password=settings.kafka_password, ssl_context=context,
            mechanism=settings.kafka_sasl,
        )  # fmt: skip
    return None if context is None else faust.SSLCredentials(context)


def batches(records: Sequence[Any]) -> list[Sequence[Any]]:
    """Records of one fetch of a partition, as they are to be given to Faust.

    To Faust a partition that was read up to offset 0 was not read at all, and it counts no gap after it: what comes
    next would be acknowledged beyond a hole, and nothing of the partition be committed. So offset 1 comes alone.
    """
    return [records[:1], records[1:]] if len(records) > 1 and records[0].offset == 1 else [records]


def _batching(methods: dict[str, Any]) -> Any:
    """Faust's transport over a consumer that lets records gather, and gives those of a partition as one message.

    Faust has no setting for either. What it does for each message (tasks, a stream's turn, an account of offsets) costs
    several times as much as an emotion. The message has its last record's offset; the others are to Faust as those that
    a compacted topic lacks: they are over once that one is acknowledged.
    """
    from faust.transport.drivers import aiokafka as driver

    class Thread(driver.AIOKafkaConsumerThread):
        def _create_worker_consumer(self, transport: Any) -> Any:
            consumer = super()._create_worker_consumer(transport)
            let_gather(consumer, GATHER_BYTES, GATHER_MS)
            return consumer

        async def _fetch_records(self, *arguments: Any, **options: Any) -> Any:
            found = await super()._fetch_records(*arguments, **options)
            return {
                partition: [replace(batch[-1], value=batch, headers=()) for batch in batches(records)]
                for partition, records in found.items()
                if records
            }

    class Batching(driver.Consumer):
        def _new_consumer_thread(self) -> Any:
            return Thread(self, loop=self.loop, beacon=self.beacon)

        async def _add_gap(self, tp: Any, offset_from: int, offset_to: int) -> None:
            # Faust counts the message after a gap as a part of it too, and an offset that stands twice among those that
            # are done ends what it commits at once: one batch in 2.8 s, however many there were.
            await super()._add_gap(tp, offset_from, offset_to - 1)

    class Transport(driver.Transport):
        Consumer = type("Consumer", (Batching,), methods)

    return Transport
