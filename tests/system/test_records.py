"""What docs/reference/topics.md says of a record is true of every record that a busy installation has written.
Tests ``docs/reference/topics.md``."""

from __future__ import annotations

import time
from collections import Counter

import msgspec

from events.core.clock import to_datetime
from events.core.records import Envelope
from infra.base import kafka
from infra.base.settings import Settings
from producers.engine.log import read_tail
from producers.engine.router import partition_of
from tests.client import World
from tests.system.acting import cast, script


async def test_keys_subjects_and_times(world: World, installed: Settings, operator: str) -> None:
    began = time.time() * 1000
    actors = await cast(world, operator)
    await actors.act(script(11, 200))
    types: Counter[str] = Counter()
    for topic in kafka.EVENT_TOPICS:
        name = installed.topic(topic)
        for partition, end in (await kafka.end_offsets(installed, name, installed.partitions)).items():
            async for records in read_tail(installed, name, partition, 0, end - 1):
                for record in records:
                    envelope = msgspec.json.decode(record.value, type=Envelope)
                    types[envelope.type] += 1
                    if envelope.type == "log.opened":
                        assert (record.key, envelope.subject) == (b"log", f"{topic}/{partition}")
                    else:
                        assert record.key.decode() == envelope.subject
                        assert partition == partition_of(envelope.subject, installed.partitions)
                    # CreateTime: when it was appended, which is not before it happened.
                    assert record.timestamp_type == 0
                    happened = to_datetime(envelope.time).timestamp() * 1000
                    assert happened - 1 <= record.timestamp <= time.time() * 1000
                    if envelope.type != "log.opened":
                        assert record.timestamp >= began - 1
    assert len(types) > 20 and types["log.opened"] >= len(kafka.EVENT_TOPICS), types
