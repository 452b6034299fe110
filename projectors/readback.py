"""What a feed partition holds already: read from its records, so that no event is fed twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from events.feed import decode_record
from events.log import TermFilter
from events.positions import Shard, parse_position
from infra import kafka
from infra.settings import Settings
from projectors.source import Place

#: Seconds without a record until reading back is given up.
READ_SECONDS = 10.0


class Fed(NamedTuple):
    """Of one source shard: all events below ``offset`` are fed, and that at ``offset`` to these recipients."""

    offset: int
    recipients: frozenset[str]


class FeedUnreadable(Exception):
    """The feed partition did not give its records in time; the text says which were expected."""


class _Position(msgspec.Struct):
    position: str


async def read_back(
    settings: Settings, partition: int, start: Place | None, term: int, fed: Mapping[Shard, Fed]
) -> dict[Shard, Fed]:
    """``fed``, brought up to date by the valid records from ``start`` (None: all) to the marker at ``term``."""
    tp = TopicPartition(settings.topic("feed"), partition)
    found = dict(fed)
    client = kafka.consumer(settings)
    try:
        await kafka.start(client)
        begin = (await client.beginning_offsets([tp]))[tp]
        # A checkpoint beyond the marker is that of a feed topic which was deleted: this one is read from its start.
        if start is None or start.offset > term or start.offset < begin:
            start = Place(begin)
        client.assign([tp])
        client.seek(tp, start.offset)
        await _read(client, tp, start, term, found)
    finally:
        await kafka.close(client)
    return found


async def _read(client: AIOKafkaConsumer, tp: TopicPartition, start: Place, term: int, found: dict[Shard, Fed]) -> None:
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


def _note(value: bytes, found: dict[Shard, Fed]) -> None:
    for item in decode_record(value).items:
        position = parse_position(msgspec.json.decode(item.delta, type=_Position).position)
        before = found.get(position.shard, Fed(0, frozenset()))
        if position.offset > before.offset:
            found[position.shard] = Fed(position.offset, frozenset(item.recipients))
        elif position.offset == before.offset:
            found[position.shard] = Fed(position.offset, before.recipients.union(item.recipients))
