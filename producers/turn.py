"""One turn of a shard: commands in order, each decided on the state that the earlier ones left. Pure."""

from __future__ import annotations

import logging
from collections import ChainMap
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from events import REGISTRY
from events.keys import KeyUsed
from events.records import Changes, Entity, Event, Key, Record, State
from producers import metrics, registry
from producers.cache import ReceiptKey, receipt_key
from producers.commands import Order, Outcome, Refused, differ

log = logging.getLogger(__name__)

#: Bytes of keys and values that one batch may hold, below the topics' max.message.bytes with room for framing.
BATCH_BYTES = 900_000
#: What a record costs besides its key and value: varints, headers with term and content type.
RECORD_OVERHEAD = 128


class Internal(Exception):
    """A command met a fault of ours: nothing changed."""


class Answer(NamedTuple):
    """What one order came to; told only once the turn's batch is in the log, as later ones build on earlier ones."""

    order: Order
    outcome: Outcome | None
    error: Exception | None


class Turn:
    """Decides orders one after the other and collects the batch that they make."""

    def __init__(
        self,
        topic: str,
        partition: int,
        next_offset: int,
        source: str,
        state: Mapping[Key, Entity | None],
        receipts: Mapping[ReceiptKey, Sequence[Record]],
    ) -> None:
        """``receipts``: events of orders that happened before. ``state``: all entities that these or orders name."""
        self.records: list[Record] = []
        self.batch: list[tuple[bytes, bytes]] = []
        self.changes: Changes = {}
        self.answers: list[Answer] = []
        self._topic, self._partition, self._next, self._source = topic, partition, next_offset, source
        self._state = dict(state)
        self._receipts = {key: list(records) for key, records in receipts.items()}
        self._bytes = 0

    def decide(self, order: Order) -> bool:
        """Decides one order. False when its events have no room in this batch: it comes first in the next turn."""
        row = registry.of(order.command)
        stream = row.stream(order.command)
        receipt = self._receipts.get((stream, order.actor, order.command_key))
        if receipt is not None:
            self._repeat(order, row.name, receipt)
            return True
        try:
            if order.refusal is not None:
                raise Refused(*order.refusal)
            events = row.decide(order, self._state)
            if not events and order.keep:
                events = [KeyUsed()]
            batch = [self._encode(order, stream, n, event) for n, event in enumerate(events)]
            records, changes = self._fold(order, stream, events)
        except Refused as refusal:
            metrics.REFUSED.labels(row.name, refusal.code).inc()
            self._answer(order, None, refusal)
            return True
        except Exception as error:
            log.exception("%s of %s failed", row.name, order.actor)
            self._answer(order, None, Internal(f"{row.name}: {type(error).__name__}"))
            return True
        size = sum(len(key) + len(value) + RECORD_OVERHEAD for key, value in batch)
        if self._bytes + size > BATCH_BYTES:
            if self.batch:
                return False
            self._answer(
                order, None, Refused("too_large", f"expected events of at most {BATCH_BYTES} bytes, got {size}")
            )
            return True
        self._state.update(changes)
        self.changes.update(changes)
        self.records += records
        self.batch += batch
        self._bytes += size
        if records:
            self._receipts[receipt_key(records[0])] = records
        self._answer(order, Outcome(records, self._named(order)))
        return True

    def _repeat(self, order: Order, name: str, receipt: list[Record]) -> None:
        if differ(receipt[0].digest, order.digest):
            metrics.REFUSED.labels(name, "key_reused").inc()
            text = (
                "expected the request for which this key or token was first used, got another; give it one of its own"
            )
            self._answer(order, None, Refused("key_reused", text))
            return
        metrics.REPEATED.labels(name).inc()
        self._answer(order, Outcome(receipt, self._named(order, receipt), repeated=True))

    def _encode(self, order: Order, stream: str, n: int, event: Event) -> tuple[bytes, bytes]:
        value = REGISTRY.encode(
            event,
            id=f"{order.id}.{n}",
            source=self._source,
            stream=stream,
            time=order.time,
            actor=order.actor,
            command=order.command_key,
            app=order.app,
            traceparent=msgspec.UNSET if order.traceparent is None else order.traceparent,
            digest=msgspec.UNSET if n or order.digest is None else order.digest,
        )
        return stream.encode(), value

    def _fold(self, order: Order, stream: str, events: list[Event]) -> tuple[list[Record], Changes]:
        """The events as they will stand in the log, and what they change; the turn's state is as before."""
        records: list[Record] = []
        changes: Changes = {}
        state: State = self._state
        for n, event in enumerate(events):
            record = Record(
                topic=self._topic, partition=self._partition, offset=self._next + len(self.records) + n,
                id=f"{order.id}.{n}", type=REGISTRY.of(event).name, stream=stream, time=order.time,
                actor=order.actor, command=order.command_key, app=order.app, data=event,
                digest=None if n else order.digest,
            )  # fmt: skip
            changes.update(REGISTRY.fold(record, state))
            records.append(record)
            # Most commands make one event; only a next one has to see what the one before has changed.
            state = ChainMap(changes, self._state)
        return records, changes

    def _named(self, order: Order, receipt: Sequence[Record] = ()) -> dict[Key, Entity | None]:
        named = {key: self._state[key] for key in registry.of(order.command).names(order)}
        named.update((key, self._state[key]) for record in receipt for key in REGISTRY.names(record))
        return named

    def _answer(self, order: Order, outcome: Outcome | None, error: Exception | None = None) -> None:
        self.answers.append(Answer(order, outcome, error))
