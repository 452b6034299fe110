"""Which events an operator asks for: by type, stream, actor, time and topic. Pure but for reading what a user typed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from events.core.clock import from_datetime, now, to_datetime
from events.core.positions import Shard
from events.registry import REGISTRY
from infra.base import kafka
from infra.base.settings import Settings
from infra.ops.commands.errors import CannotDo
from infra.ops.commands.log import RawRecord
from producers.engine.router import partition_of

#: Seconds by which an event may have happened after its record's time: clocks of processes differ.
CLOCKS_SECONDS = 60
_AGO = re.compile(r"^(\d{1,9})\s*(s|m|h|d|w)$")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class Head(msgspec.Struct, frozen=True):
    """What a record's envelope says, without looking into its data."""

    type: str
    subject: str
    actor: str
    time: str
    data: msgspec.Raw
    command: str = ""


_heads = msgspec.json.Decoder(Head)


def head_of(raw: RawRecord) -> Head | None:
    """None for what is no envelope."""
    try:
        return _heads.decode(raw.value or b"")
    except (msgspec.DecodeError, RecursionError):
        return None


class EventFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for; everything where nothing is said."""

    topics: tuple[str, ...] = kafka.EVENT_TOPICS
    #: Names of event types; empty: all.
    types: frozenset[str] = frozenset()
    stream: str | None = None
    actor: str | None = None
    #: The first moment that counts, and the first that does not.
    since: str | None = None
    until: str | None = None
    #: Void records instead of valid ones.
    void: bool = False

    @property
    def everything(self) -> bool:
        """Whether no valid record is left out."""
        return self == EventFilter()

    def shards(self, settings: Settings) -> list[Shard]:
        """Where it may stand."""
        if self.stream is None:
            return [Shard(topic, number) for topic in self.topics for number in range(settings.partitions)]
        return [Shard(topic, partition_of(self.stream, settings.partitions)) for topic in self.topics]

    def takes(self, raw: RawRecord, head: Head | None) -> bool:
        """Whether a record is asked for. What cannot be read is, where nothing is asked about its content."""
        if raw.valid == self.void or (self.stream is not None and raw.key != self.stream.encode()):
            return False
        if head is None:
            return not (self.types or self.actor or self.since or self.until)
        return (
            (not self.types or head.type in self.types)
            and (self.actor is None or head.actor == self.actor)
            and (self.since is None or head.time >= self.since)
            and (self.until is None or head.time < self.until)
        )

    @property
    def since_ms(self) -> int | None:
        """Unix milliseconds before which nothing of this was appended."""
        if self.since is None:
            return None
        return int((to_datetime(self.since).timestamp() - CLOCKS_SECONDS) * 1000)


def parse_filter(
    *, types: Sequence[str] = (), topics: Sequence[str] = (), stream: str = "", actor: str = "", since: str = "",
    until: str = "", void: bool = False,
) -> EventFilter:  # fmt: skip
    """A filter from what a user typed. Raises CannotDo."""
    for topic in topics:
        if topic not in kafka.EVENT_TOPICS:
            raise CannotDo(f"--topic: expected one of {', '.join(kafka.EVENT_TOPICS)}, got {topic!r}")
    fields: dict[str, Any] = {"topics": tuple(dict.fromkeys(topics))} if topics else {}
    found = EventFilter(
        types=frozenset(name for pattern in types for name in _types(pattern)),
        stream=stream or None,
        actor=actor or None,
        since=parse_time(since, "--since") if since else None,
        until=parse_time(until, "--until") if until else None,
        void=void,
        **fields,
    )
    if found.since is not None and found.until is not None and found.since >= found.until:
        raise CannotDo(f"expected --since before --until, got {found.since} and {found.until}")
    return found


def _types(pattern: str) -> list[str]:
    found = [name for name in REGISTRY.events if fnmatchcase(name, pattern)]
    if not found:
        families = sorted({name.partition(".")[0] for name in REGISTRY.events})
        raise CannotDo(
            f"--type: expected an event type such as message.posted, or a pattern such as message.* (there are "
            f"{', '.join(f'{family}.*' for family in families)}), got {pattern!r}"
        )
    return found


def parse_time(text: str, option: str) -> str:
    """RFC 3339, a date, or how long ago (``90s``, ``15m``, ``2h``, ``3d``) as a Time. Raises CannotDo."""
    if match := _AGO.match(text.strip()):
        try:
            return from_datetime(to_datetime(now()) - timedelta(**{_UNITS[match[2]]: int(match[1])}))
        except OverflowError:
            raise CannotDo(f"{option}: expected a time since the year 1, got {text!r}") from None
    try:
        moment = datetime.fromisoformat(text.strip().upper())
        return from_datetime(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        raise CannotDo(
            f"{option}: expected a time such as 2026-11-21T08:15:30Z, 2026-11-21 (UTC) or 15m (that long ago), "
            f"got {text!r}"
        ) from None
