"""What an event is: the CloudEvents envelope, the typed record, and the types that describe events and entities.

Pure: no I/O, no clock. The registry that holds all types is assembled in ``events/registry.py``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NamedTuple

import msgspec
from typing_extensions import TypeIs, TypeVar

from events.core.clock import Time, is_time
from events.core.errors import KlatschError
from events.core.positions import Position
from events.core.revert_rules import OnRevert


# Without the collector's part here and below: what is read from JSON and never changed has no cycles.
class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A fact, past tense: the ``data`` of an event. Its name stands in the registry's row, not in the data.

    Unknown fields are ignored on reading (an old reader meets a newer event); a missing one is an error.
    Defaults are for fields that were added later and for "unchanged", never to save bytes.
    """


#: The event of a record. ``Record`` alone is of any event.
EventT_co = TypeVar("EventT_co", bound=Event, covariant=True, default=Event)
#: The event that a row is about. A row alone, as tables hold it, is about ``Any``, which nothing checks: so a row is
#: found by the type of the record that its functions are given, and never otherwise.
EventT = TypeVar("EventT", bound=Event, default=Any)


class Entity(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A small typed state that events fold into: one row. ``version`` is the offset of its latest event."""

    kind: ClassVar[str]
    key_fields: ClassVar[tuple[str, ...]]
    # Each kind declares it, at its place among its columns.
    if TYPE_CHECKING:
        version: int

    @property
    def key(self) -> Key:
        """``(kind, *ids)``."""
        return (self.kind, *[getattr(self, name) for name in self.key_fields])


#: The kind of an entity, where a function gives back what it is asked for.
EntityT = TypeVar("EntityT", bound=Entity)

#: The identity of an entity: its kind, then its ids, as ``("member", room, user)``. A plain tuple: a class of its own
#: takes five times as long to make, six times an event.
Key = tuple[str, ...]
#: Entities by key; None where the entity does not exist. Looking up a key that was not loaded is a KeyError.
State = Mapping[Key, "Entity | None"]
#: What a fold changes.
Changes = dict[Key, "Entity | None"]


def existing(state: State, kind: type[EntityT], key: Key) -> EntityT:
    """An entity that must be in ``state``. Raises LookupError where it does not exist, or was not loaded."""
    found = state[key]
    if not isinstance(found, kind):
        raise LookupError(f"expected an entity {key}, got {found!r}")
    return found


class Envelope(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """CloudEvents 1.0, structured JSON: the value of every record of the event topics.

    Source: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md. Extensions: ``actor`` (who asked),
    ``command`` (idempotency key of the command), ``app`` (tenant), ``via`` (``app``: the application's own server
    asked, for the actor), ``traceparent`` (W3C trace context), ``digest`` (of the request behind a client's key; on
    the first event of a command).
    """

    specversion: str = "1.0"
    id: str
    source: str
    type: str
    subject: str
    time: Time
    dataschema: str
    datacontenttype: str = "application/json"
    actor: str
    command: str
    app: str = "default"
    via: str | msgspec.UnsetType = msgspec.UNSET
    traceparent: str | msgspec.UnsetType = msgspec.UNSET
    digest: str | msgspec.UnsetType = msgspec.UNSET
    data: msgspec.Raw


class _Read(Envelope, frozen=True, kw_only=True):
    """The same for a reader, which looks at the time by itself: msgspec's patterns take half of the decoding."""

    time: str


class Record(msgspec.Struct, Generic[EventT_co], frozen=True, kw_only=True, gc=False):
    """A decoded event with all that the log says about it."""

    topic: str
    partition: int
    offset: int
    id: str
    type: str
    stream: str
    time: Time
    actor: str
    command: str
    app: str
    data: EventT_co
    #: ``data`` as it stands in the log, of an old version upcast, for those who hand it on.
    raw: bytes = b"{}"
    #: Of the request that was sent with the key (api/core/repeating.py); None: nothing is known of it.
    digest: str | None = None

    @property
    def position(self) -> Position:
        return Position(self.topic, self.partition, self.offset)


def is_of(record: Record, event: type[EventT]) -> TypeIs[Record[EventT]]:
    """Whether the record is of this type of event, for the type checker too."""
    return isinstance(record.data, event)


class Upcaster(NamedTuple):
    """Lifts the ``data`` of one version to the next: a pure function from dict to dict."""

    version: int
    lift: Callable[[dict[str, Any]], dict[str, Any]]


class EventType(NamedTuple, Generic[EventT]):
    """One row of the registry: everything the system knows about one type of event."""

    #: Name on the wire, ``entity.past_tense``.
    name: str
    struct: type[EventT]
    #: Logical topics in which it may stand.
    topics: tuple[str, ...]
    #: The entities that the fold reads or changes.
    keys: Callable[[Record[EventT]], Sequence[Key]]
    #: The pure next state: ``fold(record, state) -> changes``.
    fold: Callable[[Record[EventT], State], Changes]
    #: One sentence for the reference.
    about: str
    #: A golden sample of the current version.
    sample: EventT
    #: What takes it back, or why nothing does.
    revert: OnRevert
    version: int = 1
    upcasters: tuple[Upcaster, ...] = ()
    #: Kinds of entities that it names and its fold only reads.
    reads: tuple[str, ...] = ()
    #: Kinds of entities that it makes without a look at what was there.
    makes: tuple[str, ...] = ()
    #: Kinds of entities of which a later event sets anew all that this one set, if its row says so too: as of a past
    #: moment, the last of these events tells what all of them did.
    renews: tuple[str, ...] = ()
    #: Fields of the stream's room that become what the event's fields of the same names say, and all that it changes
    #: beside the room's time and version. What is shown, undone, told to clients or left out of a deleted room follows
    #: from these names, without a row of its own.
    sets: tuple[str, ...] = ()

    @property
    def dataschema(self) -> str:
        return f"{_SCHEMAS}{self.name}:{self.version}"

    def version_of(self, dataschema: str) -> int:
        """The version of an event of this type, from 1 to the present one. Raises DecodeError, or NewerVersion."""
        if dataschema == self.dataschema:
            return self.version
        number = dataschema.removeprefix(f"{_SCHEMAS}{self.name}:")
        if not _VERSION.fullmatch(number):
            raise DecodeError(f"expected a dataschema {_SCHEMAS}{self.name}:<version>, got {dataschema[:200]!r}")
        version = int(number)
        if version > self.version:
            raise NewerVersion(
                f"expected {self.name} of version {self.version} at most, got {version}: a newer Klatsch has written "
                "it; update this process, then `klatsch parked retry --all`"
            )
        return version


_SCHEMAS = "urn:klatsch:event:"
_VERSION = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)


class DecodeError(KlatschError, ValueError):
    """A record that cannot be read: not CloudEvents, an unknown type, or data that does not fit its schema."""


class UnknownType(DecodeError):
    """A type that this code does not know: newer than it, or foreign."""


class NewerVersion(DecodeError):
    """A known type in a version above ours: its data may mean something else, so that its stream waits."""


class Registry:
    """All event types and entities, by name."""

    def __init__(self, rows: Sequence[EventType], entities: Sequence[type[Entity]]) -> None:
        self.events: dict[str, EventType] = {}
        for row in rows:
            if row.name in self.events:
                raise ValueError(f"event type {row.name} stands twice in the registry")
            self.events[row.name] = row
        self.entities = {entity.kind: entity for entity in entities}
        for row in rows:
            self._check_sets(row)
        self._by_struct = {row.struct: row for row in rows}
        self._decoders = {row.name: msgspec.json.Decoder(row.struct) for row in rows}
        self._envelopes = msgspec.json.Decoder(_Read)
        self._encoder = msgspec.json.Encoder()

    def _check_sets(self, row: EventType) -> None:
        for struct in (row.struct, self.entities.get("room")) if row.sets else ():
            known: tuple[str, ...] = () if struct is None else struct.__struct_fields__
            if unknown := sorted(set(row.sets) - set(known)):
                place = "the room" if struct is None else struct.__name__
                raise ValueError(f"event type {row.name} sets {', '.join(unknown)}: expected fields of {place}")

    def of(self, event: Event) -> EventType:
        """The row of an event."""
        return self._by_struct[type(event)]

    def encode(self, event: Event, *, id: str, source: str, stream: str, time: str, actor: str, command: str,
               app: str = "default", via: str | msgspec.UnsetType = msgspec.UNSET,
               traceparent: str | msgspec.UnsetType = msgspec.UNSET,
               digest: str | msgspec.UnsetType = msgspec.UNSET) -> bytes:  # fmt: skip
        """A record's value: the event in its envelope."""
        row = self._by_struct[type(event)]
        return self._encoder.encode(
            Envelope(
                id=id, source=source, type=row.name, subject=stream, time=time, dataschema=row.dataschema,
                actor=actor, command=command, app=app, via=via, traceparent=traceparent, digest=digest,
                data=msgspec.Raw(self._encoder.encode(event)),
            )
        )  # fmt: skip

    def decode(self, value: bytes, topic: str, partition: int, offset: int) -> Record:
        """A record's value as Record, old versions upcast. Raises DecodeError."""
        try:
            envelope = self._envelopes.decode(value)
        except (msgspec.DecodeError, RecursionError) as error:
            raise DecodeError(f"{topic}/{partition}/{offset}: expected a CloudEvents envelope: {error}") from error
        if not is_time(envelope.time):
            raise DecodeError(
                f"{topic}/{partition}/{offset}: expected a CloudEvents envelope with a time of the form "
                f"2026-11-21T08:15:30.123Z, got {envelope.time!r}"
            )
        row = self.events.get(envelope.type)
        if row is None:
            raise UnknownType(f"{topic}/{partition}/{offset}: unknown event type {envelope.type!r}")
        try:
            raw = self._upcast(row, envelope.dataschema, bytes(envelope.data))
            data = self._decoders[row.name].decode(raw)
        except DecodeError as error:
            raise type(error)(f"{topic}/{partition}/{offset}: {error}") from error
        # An upcaster meets data of long ago: whatever it raises, the record is what cannot be read.
        except (msgspec.DecodeError, RecursionError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise DecodeError(f"{topic}/{partition}/{offset}: {envelope.type}: {error!r}") from error
        return Record(
            topic=topic, partition=partition, offset=offset, id=envelope.id, type=envelope.type,
            stream=envelope.subject, time=envelope.time, actor=envelope.actor, command=envelope.command,
            app=envelope.app, data=data, raw=raw,
            digest=None if envelope.digest is msgspec.UNSET else envelope.digest,
        )  # fmt: skip

    @staticmethod
    def _upcast(row: EventType, dataschema: str, raw: bytes) -> bytes:
        version = row.version_of(dataschema)
        if version == row.version:
            return raw
        data = msgspec.json.decode(raw)
        for step in row.upcasters:
            if step.version >= version:
                data = step.lift(data)
        return msgspec.json.encode(data)

    def keys(self, record: Record) -> Sequence[Key]:
        """The entities that the fold of this record reads or changes."""
        return self.events[record.type].keys(record)

    def fold(self, record: Record, state: State) -> Changes:
        """The next state of the entities that the record names. Pure. Raises KeyError for one not loaded."""
        return self.events[record.type].fold(record, state)
