"""``klatsch trace``: the way of an event from its command to the connections, asked of all who know a part of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient

from events.core.feed import partition_of
from infra.base import kafka, postgres
from infra.base.postgres import Connection, queries
from infra.base.settings import Settings
from infra.ops.commands import nodes, trace_event, trace_feed, trace_log
from infra.ops.commands.errors import CannotDo
from infra.ops.commands.log import LogReader, RawRecord
from infra.ops.commands.nodes import NodeAnswer
from infra.ops.commands.trace_feed import FeedEntry, Look
from infra.ops.commands.trace_report import NAMED, Trace, TraceConnection, TraceOutcome, text

#: Milliseconds that Kafka may hold an answer back until there is more to read, for which a seek waits; and that the
#: client waits until it asks again where the leaders of a topic are that it meets for the first time.
_WAIT_MS = 5


class Sources:
    """Open connections to all who know a part of it."""

    def __init__(
        self,
        settings: Settings,
        connection: Connection,
        log: AIOKafkaConsumer,
        feed: AIOKafkaConsumer,
        admin: AIOKafkaAdminClient,
    ) -> None:
        self.settings = settings
        self.connection = connection
        self.log = LogReader(settings, log)
        self.feed = feed
        self.admin = admin


async def run(settings: Settings, what: str, user: str | None, *, json: bool, say: Callable[[str], None]) -> None:
    """Says the way of a message or event, or why somebody did not get it. Raises CannotDo."""
    if user is not None and not settings.secret:
        raise CannotDo(
            "--for: expected the installation's secret, which push nodes require; name its data folder with "
            "--data, or set KLATSCH_SECRET"
        )
    began = time.monotonic()
    async with sources(settings) as opened:
        found = await trace(opened, what, user)
    if json:
        say(msgspec.json.encode(found).decode())
        return
    for line in text(found):
        say(line)
    say(f"\nanswered in {(time.monotonic() - began) * 1000:.0f} ms")


@asynccontextmanager
async def sources(settings: Settings) -> AsyncIterator[Sources]:
    """Connects to Postgres and Kafka, all at once. Raises what these do when they do not answer."""
    async with AsyncExitStack() as stack:
        # One for each topic: the client fetches nothing else for 0.1 s while what it has fetched was not asked for.
        quick = {"fetch_max_wait_ms": _WAIT_MS, "retry_backoff_ms": _WAIT_MS}
        log, feed = kafka.consumer(settings, **quick), kafka.consumer(settings, **quick)
        for consumer in (log, feed):
            stack.push_async_callback(kafka.close, consumer)
        connecting = asyncio.create_task(postgres.connect(settings))
        try:
            admin = await stack.enter_async_context(kafka.admin(settings))
            await asyncio.gather(kafka.start(log), kafka.start(feed))
        finally:
            connection = await connecting
            stack.push_async_callback(connection.close)
        yield Sources(settings, connection, log, feed, admin)


async def trace(asked: Sources, what: str, user: str | None) -> Trace:
    """All that is known of it. Raises CannotDo."""
    event = await _find(asked, what)
    person = None if user is None else await trace_event.person(asked.connection, user, event.stream)
    raw = await asked.log.one(event.position)
    partitions = asked.settings.feed_partitions
    wanted = range(partitions) if person is None else [partition_of(person.id, partitions)]
    looks = await trace_feed.look(asked.feed, asked.settings, event.position, raw.timestamp, wanted)
    below = await trace_event.fed_below(asked.connection, event.position)
    looks = {number: _known(look, below.get(number, 0), event.position.offset) for number, look in looks.items()}
    sent: list[TraceConnection] = []
    outcome: TraceOutcome | None = None
    if person is not None:
        item = _for(person, event, looks)
        answers = await nodes.ask(asked.settings, await nodes.addresses(asked.admin, asked.settings), person.id)
        sent = [one for answer in answers for one in _sent(answer, item)]
        outcome = _outcome(person, event, raw, looks, item, sent)
    return Trace(event=event, person=person, appended=raw.timestamp, term=raw.term, valid=raw.valid,
                 fed=looks, sent=sent, outcome=outcome, names=await _names(asked.connection, event, looks))  # fmt: skip


async def _names(connection: Connection, event: trace_event.TracedEvent, looks: dict[int, Look]) -> dict[str, str]:
    """Names of the people and rooms that are shown, by id."""
    recipients = [id for look in looks.values() for item in look.items for id in item.recipients[:NAMED]]
    rows = await connection.fetch(queries("operate")["names"], [event.actor, event.stream, *recipients])
    return {row["id"]: row["name"] for row in rows}


async def _find(asked: Sources, what: str) -> trace_event.TracedEvent:
    found = await trace_event.find(asked.connection, what)
    if found is None and (beyond := await trace_log.find(asked.connection, asked.log, what)) is not None:
        found = await trace_event.stand(asked.connection, beyond)
    if found is None:
        # It may have been applied between the two looks.
        found = await trace_event.find(asked.connection, what)
    if found is None:
        raise CannotDo(
            f"expected the id of a message, or a position such as rooms/3/1234, got {what}: neither the read models "
            "have such a message, nor the log beyond them, nor is one parked"
        )
    return found


def _known(look: Look, below: int, offset: int) -> Look:
    """What the projector has noted about the feed tells where the feed alone does not."""
    return look._replace(state="passed") if look.state == "awaited" and below > offset else look


def _for(person: trace_event.TracedPerson, event: trace_event.TracedEvent, looks: dict[int, Look]) -> FeedEntry | None:
    """The item of the feed that is for a person: named, or as one who was in a large room."""
    items = [item for look in looks.values() for item in look.items]
    found = trace_feed.named(person.id, items)
    if found is None and event.stream in trace_feed.rooms(items) and person.inside(event.position.offset):
        found = next(item for item in items if trace_feed.rooms([item]))
    return found


def _sent(answer: NodeAnswer, item: FeedEntry | None) -> list[TraceConnection]:
    if answer.error is not None:
        return [TraceConnection(node=answer.address, error=answer.error)]
    if answer.found is None:
        return []
    return [
        TraceConnection(
            node=answer.address, client=one.client, live=one.live,
            handed=item is not None and one.cursor >= item.cursor, keeps_up=one.keeps_up,
        )
        for one in answer.found.connections
    ]  # fmt: skip


def _outcome(
    person: trace_event.TracedPerson,
    event: trace_event.TracedEvent,
    raw: RawRecord,
    looks: dict[int, Look],
    item: FeedEntry | None,
    sent: list[TraceConnection],
) -> TraceOutcome:
    """How far it came, in one word, and the reason where it did not come further."""
    (look,) = looks.values()
    if not raw.valid:
        return TraceOutcome("void", "the record is void: nobody was told that it had happened")
    if item is None:
        return _not_fed(person, event, look)
    if person.id == event.actor:
        return TraceOutcome("read", "they did it themselves")
    if event.seq is not None and person.read is not None and person.read >= event.seq:
        return TraceOutcome("read", f"their client has reported it as read: up to number {person.read}")
    connected = [one for one in sent if one.error is None]
    if any(one.handed and one.keeps_up for one in connected):
        return TraceOutcome(
            "sent", "it went out to a connection that is still there; clients do not acknowledge deltas"
        )
    if any(one.handed for one in connected):
        return TraceOutcome("waiting", "it was handed to a connection whose client does not keep up")
    if connected:
        return TraceOutcome("catching up", "their connections are still receiving older deltas")
    unsure = any(one.error for one in sent)
    return TraceOutcome(
        "not connected",
        "a push node does not answer"
        if unsure
        else "they have no connection now; closed ones are not known. "
        "When they come back they receive it from the feed, or a snapshot",
    )


def _not_fed(person: trace_event.TracedPerson, event: trace_event.TracedEvent, look: Look) -> TraceOutcome:
    # Messages are for those who were in the room just before; however far the feed is, for nobody else.
    if event.type.startswith("message.") and not person.inside(event.position.offset):
        return TraceOutcome("not for them", _elsewhere(person, event))
    match look.state:
        case "awaited":
            return TraceOutcome("not fed", "the feed is not that far yet: see klatsch_projector_lag_events of the feed")
        case "gone":
            return TraceOutcome(
                "unknown", "the feed no longer goes back that far; clients away since then get a snapshot"
            )
        case "unknown":
            return TraceOutcome(
                "unknown",
                f"not among the {trace_feed.LOOK:,} records fed after it was appended, as after an import of the log",
            )
    return TraceOutcome("not for them", f"events of type {event.type} go to others, not to them")


def _elsewhere(person: trace_event.TracedPerson, event: trace_event.TracedEvent) -> str:
    """Where somebody was when a message was posted in a room."""
    offset = event.position.offset
    later = [since for since, _ in person.stays if since >= offset]
    left = [until for _, until in person.stays if until is not None and until < offset]
    if later:
        return f"they joined the room later, at {event.position._replace(offset=later[0])}"
    if left:
        return f"they had left the room before, at {event.position._replace(offset=left[-1])}"
    return "they were never in the room"
