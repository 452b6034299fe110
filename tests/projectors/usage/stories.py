"""Random stories of several applications in a log, and their usage by a count of its own, written down plainly."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, NamedTuple

import msgspec
from aiokafka import TopicPartition

from events.apps import AppRenamed
from events.core.clock import from_datetime, uuid7
from events.core.positions import Shard
from events.core.records import Event
from events.members import MemberRead
from events.messages import MessagePosted
from events.registry import REGISTRY
from events.rooms import RoomCreated
from events.users import UserRegistered
from infra.base import kafka
from infra.base.postgres import Connection
from infra.base.settings import Settings
from projectors.usage.storing import UsageRecord, shards
from tests.given import Given

APPS = ("default", "0198c0de-0000-7000-8000-00000000000a", "0198c0de-0000-7000-8000-00000000000b")
_BEGIN = datetime(2026, 11, 27, 22, 0, tzinfo=UTC)


class Told(NamedTuple):
    """An event of a story."""

    app: str
    stream: str
    actor: str
    event: Event
    time: str


def story(random: Random, length: int) -> list[Told]:
    """What happens in some hours around two midnights; every tenth event is late by up to a day."""
    told: list[Told] = []
    for number in range(length):
        app, user, room = random.choice(APPS), f"u{random.randrange(6)}", f"r{random.randrange(3)}"
        moment = _BEGIN + timedelta(minutes=random.randrange(30 * 60) if number % 10 == 0 else 3 * number % 1600)
        event: Event
        match random.randrange(8):
            case 0:
                event, stream = UserRegistered(username=user, name=user, role="person", credential=None, data={}), user
            case 1:
                event, stream = RoomCreated(type="group", visibility="private", name=room, data={}), room
            case 2:
                event, stream = MemberRead(user=user, seq=1), room
            case 3:
                event, stream = AppRenamed(name="x"), app
            case _:
                text = random.choice(["hello", "東京", 'a\n"quote"'])
                event = MessagePosted(
                    message=uuid7(), seq=1, token=uuid7(), type="text", content={"text": text}, data={}
                )
                stream = room
        told.append(
            Told(app, f"{app}-{stream}" if stream != app else app, f"{app}-{user}", event, from_datetime(moment))
        )
    return told


def expected(told: list[Told]) -> tuple[Counter[tuple[str, ...]], set[tuple[str, ...]]]:
    """``(app, length, metric, start)`` -> value; and ``(app, length, start, user)``: counted in another way."""
    values: Counter[tuple[str, ...]] = Counter()
    actors: set[tuple[str, ...]] = set()
    for one in told:
        if isinstance(one.event, AppRenamed):
            continue
        moment = datetime.fromisoformat(one.time)
        for length, hour in (("hour", moment.hour), ("day", 0)):
            start = from_datetime(moment.replace(hour=hour, minute=0, second=0, microsecond=0))
            values[one.app, length, "events", start] += 1
            if isinstance(one.event, MessagePosted):
                values[one.app, length, "messages", start] += 1
                values[one.app, length, "bytes", start] += len(msgspec.json.encode(one.event.content))
            elif isinstance(one.event, UserRegistered):
                values[one.app, length, "new_users", start] += 1
            elif isinstance(one.event, RoomCreated):
                values[one.app, length, "rooms", start] += 1
            if not isinstance(one.event, UserRegistered):
                actors.add((one.app, length, start, one.actor))
    for app, length, start, _ in actors:
        values[app, length, "active_users", start] += 1
    return values, actors


async def tell(writer: Given, told: list[Told]) -> None:
    """Appends a story as a valid owner would."""
    for one in told:
        shard = writer.shard(REGISTRY.of(one.event).topics[0], one.stream)
        await writer.raw(shard, (one.stream.encode(), value(one)))


def value(one: Told) -> bytes:
    return REGISTRY.encode(
        one.event, id=uuid7(), source="klatsch/test", stream=one.stream, time=one.time, actor=one.actor,
        command=uuid7(), app=one.app,
    )  # fmt: skip


async def logged(settings: Settings) -> dict[Shard, list[UsageRecord]]:
    """All records of the counted shards, as Kafka has them, void ones too."""
    found: dict[Shard, list[UsageRecord]] = {}
    consumer = kafka.consumer(settings)
    await kafka.start(consumer)
    try:
        for shard in shards(settings):
            place = TopicPartition(settings.topic(shard.topic), shard.partition)
            end = (await consumer.end_offsets([place]))[place]
            consumer.assign([place])
            consumer.seek(place, 0)
            records = found.setdefault(shard, [])
            while len(records) < end:
                for raw in (await consumer.getmany(place, timeout_ms=500)).get(place, []):
                    records.append(UsageRecord(shard, raw.offset, raw.headers, raw.value or b""))
    finally:
        await kafka.close(consumer)
    return found


async def stored(connection: Connection) -> tuple[Counter[tuple[str, ...]], set[tuple[str, ...]]]:
    """The tables, in the form of ``expected``."""
    rows: list[Any] = await connection.fetch("select app, length, metric, start, value from usage_metrics")
    actors: list[Any] = await connection.fetch('select app, length, start, "user" from usage_actors')
    return Counter({tuple(row)[:4]: row["value"] for row in rows}), {tuple(row) for row in actors}
