"""What a feed partition holds already: read from its records, so that no event is fed twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from events.core.errors import KlatschError
from events.core.feed import decode_record
from events.core.log import TermFilter
from events.core.positions import Shard, parse_position
from infra.base import kafka
from infra.base.settings import Settings
from projectors.core.source import ResumeAt

#: Seconds without a record until reading back is given up.
READ_SECONDS = 10.0


class ResumePoint(NamedTuple):
    """Of one source shard: all events below ``offset`` are fed, and that at ``offset`` to these recipients."""

    offset: int
    recipients: frozenset[str]


class FeedUnreadable(KlatschError):
    """The feed partition did not give its records in time; the text says which were expected."""


class _Position(msgspec.Struct):
    position: str


async def read_back(
    settings: Settings, partition: int, start: ResumeAt | None, term: int, fed: Mapping[Shard, ResumePoint]
) -> dict[Shard, ResumePoint]:
    """``fed``, brought up to date by the valid records from ``start`` (None: all) to the marker at ``term``."""
    tp = TopicPartition(settings.topic("feed"), partition)
    found = dict(fed)
    client = kafka.consumer(settings)
    try:
        await kafka.start(client)
        begin = (await client.beginning_offsets([tp]))[tp]
        # A checkpoint beyond the marker is that of a feed topic which was deleted: this one is read from its start.
        if start is None or start.offset > term or start.offset < begin:
            start = ResumeAt(begin)
        client.assign([tp])
        client.seek(tp, start.offset)
        await _read(client, tp, start, term, found)
    finally:
        await kafka.close(client)
    return found


async def _read(
    client: AIOKafkaConsumer, tp: TopicPartition, start: ResumeAt, term: int, found: dict[Shard, ResumePoint]
) -> None:
    position, admitted = start.offset, TermFilter(start.term)
    while position <= term:
        records = (await client.getmany(tp, timeout_ms=int(READ_SECONDS * 1000))).get(tp, [])
        if not records:
            raise FeedUnreadable(
                f"{tp.topic}/{tp.partition}: expected records {position} to {term}, got none within {READ_SECONDS} s"
            )
        for raw in records:
            valid = raw.offset < term and admitted.admits(raw.offset, raw.headers)
            if valid and not admitted.opened(raw.offset):
                _note(raw.value, found)
        position = records[-1].offset + 1


def _note(value: bytes, found: dict[Shard, ResumePoint]) -> None:
    for item in decode_record(value).items:
        position = parse_position(msgspec.json.decode(item.delta, type=_Position).position)
        before = found.get(position.shard, ResumePoint(0, frozenset()))
        if position.offset > before.offset:
            found[position.shard] = ResumePoint(position.offset, frozenset(item.recipients))
        elif position.offset == before.offset:
            found[position.shard] = ResumePoint(position.offset, before.recipients.union(item.recipients))
