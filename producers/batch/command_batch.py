"""One turn of a shard: commands in order, each decided on the state that the earlier ones left. Pure."""

from __future__ import annotations

import logging
from collections import ChainMap
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import msgspec

from events.core.errors import KlatschError
from events.core.records import Changes, Entity, Event, Key, Record, State
from events.keys import KeyUsed
from events.registry import REGISTRY
from producers import metrics, registry
from producers.batch import homes
from producers.batch.cache import ReceiptKey, receipt_key
from producers.commands import CommandEnvelope, Outcome, Refused, Unavailable, differ

log = logging.getLogger(__name__)

#: Bytes of keys and values that one batch may hold, below the topics' max.message.bytes with room for framing.
BATCH_BYTES = 900_000
#: What a record costs besides its key and value: varints, headers with term and content type.
RECORD_OVERHEAD = 128


class Internal(KlatschError):
    """A command met a fault of ours: nothing changed."""


class CommandResult(NamedTuple):
    """What one order came to; told only once the turn's batch is in the log, as later ones build on earlier ones."""

    envelope: CommandEnvelope
    outcome: Outcome | None
    error: Exception | None


class CommandBatch:
    """Decides orders one after the other and collects the batch that they make."""

    def __init__(
        self,
        topic: str,
        partition: int,
        next_offset: int,
        source: str,
        state: Mapping[Key, Entity | None],
        receipts: Mapping[ReceiptKey, Sequence[Record]],
        erased: Collection[str] = (),
    ) -> None:
        """``receipts``: events of orders that happened before. ``state``: all entities that these or orders name.
        ``erased``: applications whose streams are closed, but for that of the application itself."""
        self.records: list[Record] = []
        self.appends: list[tuple[bytes, bytes]] = []
        self.changes: Changes = {}
        self.results: list[CommandResult] = []
        self._topic, self._partition, self._next, self._source = topic, partition, next_offset, source
        self._state = dict(state)
        self._receipts = {key: list(records) for key, records in receipts.items()}
        self._bytes = 0
        self._erased = frozenset(erased) if topic != "apps" else frozenset[str]()

    def decide(self, envelope: CommandEnvelope) -> bool:
        """Decides one order. False when its events have no room in this batch: it comes first in the next turn."""
        row = registry.of(envelope.command)
        stream = row.stream(envelope.command)
        app = homes.home(row.topic, stream, self._state)
        closed = (app or homes.made_in(envelope)) in self._erased
        receipt = self._receipts.get((stream, envelope.actor, envelope.command_key))
        # Those of another application are nobody's: all servers have one name.
        if receipt is not None and not closed and homes.reaches(envelope, app):
            self._repeat(envelope, row.name, receipt)
            return True
        try:
            if envelope.refusal is not None:
                raise Refused(*envelope.refusal)
            known = (
                homes.reaches(envelope, app) and homes.meets(envelope, row.topic, stream, self._state) and not closed
            )
            events = row.decide(envelope, self._state if known else homes.hiding(self._state))
            if not events and envelope.keep:
                events = [KeyUsed()]
            if events and envelope.no_room is not None:
                raise Unavailable(*envelope.no_room)
            if events and not known:
                raise homes.unmade(stream, app, envelope)
            app = app or homes.made_in(envelope)
            batch = [self._encode(envelope, app, stream, n, event) for n, event in enumerate(events)]
            records, changes = self._fold(envelope, app, stream, events)
        except (Refused, Unavailable) as refusal:
            metrics.REFUSED.labels(row.name, refusal.code).inc()
            self._result(envelope, None, refusal)
            return True
        except Exception as error:
            log.exception("%s of %s failed", row.name, envelope.actor)
            self._result(envelope, None, Internal(f"{row.name}: {type(error).__name__}"))
            return True
        size = sum(len(key) + len(value) + RECORD_OVERHEAD for key, value in batch)
        if self._bytes + size > BATCH_BYTES:
            if self.appends:
                return False
            self._result(
                envelope, None, Refused("too_large", f"expected events of at most {BATCH_BYTES} bytes, got {size}")
            )
            return True
        self._state.update(changes)
        self.changes.update(changes)
        self.records += records
        self.appends += batch
        self._bytes += size
        if records:
            self._receipts[receipt_key(records[0])] = records
        self._result(envelope, Outcome(records, self._named(envelope)))
        return True

    def _repeat(self, envelope: CommandEnvelope, name: str, receipt: list[Record]) -> None:
        if differ(receipt[0].digest, envelope.digest):
            metrics.REFUSED.labels(name, "key_reused").inc()
            text = (
                "expected the request for which this key or token was first used, got another; give it one of its own"
            )
            self._result(envelope, None, Refused("key_reused", text))
            return
        metrics.REPEATED.labels(name).inc()
        self._result(envelope, Outcome(receipt, self._named(envelope, receipt), repeated=True))

    def _encode(self, envelope: CommandEnvelope, app: str, stream: str, n: int, event: Event) -> tuple[bytes, bytes]:
        value = REGISTRY.encode(
            event,
            id=f"{envelope.id}.{n}",
            source=self._source,
            stream=stream,
            time=envelope.time,
            actor=envelope.actor,
            command=envelope.command_key,
            app=app,
            via=envelope.via or msgspec.UNSET,
            traceparent=msgspec.UNSET if envelope.traceparent is None else envelope.traceparent,
            digest=msgspec.UNSET if n or envelope.digest is None else envelope.digest,
        )
        return stream.encode(), value

    def _fold(
        self, envelope: CommandEnvelope, app: str, stream: str, events: list[Event]
    ) -> tuple[list[Record], Changes]:
        """The events as they will stand in the log, and what they change; the turn's state is as before."""
        records: list[Record] = []
        changes: Changes = {}
        state: State = self._state
        for n, event in enumerate(events):
            record = Record(
                topic=self._topic, partition=self._partition, offset=self._next + len(self.records) + n,
                id=f"{envelope.id}.{n}", type=REGISTRY.of(event).name, stream=stream, time=envelope.time,
                actor=envelope.actor, command=envelope.command_key, app=app, data=event,
                digest=None if n else envelope.digest,
            )  # fmt: skip
            changes.update(REGISTRY.fold(record, state))
            records.append(record)
            # Most commands make one event; only a next one has to see what the one before has changed.
            state = ChainMap(changes, self._state)
        return records, changes

    def _named(self, envelope: CommandEnvelope, receipt: Sequence[Record] = ()) -> dict[Key, Entity | None]:
        named = {key: self._state[key] for key in registry.of(envelope.command).keys(envelope)}
        named.update((key, self._state[key]) for record in receipt for key in REGISTRY.keys(record))
        return named

    def _result(self, envelope: CommandEnvelope, outcome: Outcome | None, error: Exception | None = None) -> None:
        self.results.append(CommandResult(envelope, outcome, error))
