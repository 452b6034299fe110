"""``klatsch events``: the latest events, those since a time, those to come, and how many there are of which type."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import NamedTuple

from events.core.positions import Shard, ordered
from infra.base.settings import Settings
from infra.ops.commands.errors import CannotDo
from infra.ops.commands.event_format import as_json, ids, line, moment_of
from infra.ops.commands.filters import EventFilter, Head, head_of
from infra.ops.commands.log import LogReader, RawRecord, reading
from infra.ops.commands.names import Names

#: Events that are shown where nothing is said about how many.
LATEST = 20
#: Records of each shard that a first look at the log's end takes; eight times as many each time that it is too few.
_FIRST_LOOK, _MORE = 500, 8
#: Events that may wait for those of other shards before they are put in order.
_WAITING = 20_000

Say = Callable[[str], None]


class FoundEvent(NamedTuple):
    """An event that was asked for."""

    raw: RawRecord
    head: Head | None


async def show(settings: Settings, wanted: EventFilter, *, limit: int | None, json: bool, say: Say) -> int:
    """Says the latest events, or all since a time (``limit``: the first so many); returns how many."""
    async with reading(settings) as log, Names(settings) as names:
        begins, ends = await log.bounds(wanted.shards(settings))
        if wanted.since is None:
            found = await _latest(log, wanted, begins, ends, limit or LATEST)
            await _say(found, names, json, say)
            return len(found)
        count = 0
        async for batch in _in_order(log, wanted, await _starts(log, wanted, ends), ends):
            if limit is not None:
                batch = batch[: limit - count]
            await _say(batch, names, json, say)
            count += len(batch)
            if count == limit:
                break
        return count


async def follow(
    settings: Settings, wanted: EventFilter, *, limit: int | None, json: bool, say: Say, seconds: float | None = None
) -> int:
    """Says events as they are appended, for ``seconds`` or until ``limit`` of them; first those since a time."""
    deadline = None if seconds is None else time.monotonic() + seconds
    async with reading(settings) as log, Names(settings) as names:
        _, ends = await log.bounds(wanted.shards(settings))
        starts = ends if wanted.since is None else await _starts(log, wanted, ends, future=True)
        count = 0
        async for batch in log.read(starts):
            found = _ordered(_found(batch, wanted))[: None if limit is None else limit - count]
            await _say(found, names, json, say)
            count += len(found)
            if count == limit or (deadline is not None and time.monotonic() > deadline):
                break
        return count


async def count(settings: Settings, wanted: EventFilter) -> Counter[str]:
    """How many events there are of each type; ``(unreadable)`` where none can be told."""
    counts: Counter[str] = Counter()
    async with reading(settings) as log:
        begins, ends = await log.bounds(wanted.shards(settings))
        starts = begins if wanted.since is None else await _starts(log, wanted, ends)
        async for batch in log.read(starts, ends):
            counts.update("(unreadable)" if one.head is None else one.head.type for one in _found(batch, wanted))
    return counts


async def rates(
    settings: Settings, wanted: EventFilter, *, window: float = 10.0, seconds: float | None = None
) -> AsyncIterator[dict[Shard, float]]:
    """About each second: events a second of each shard, over the last ``window`` seconds; ends after ``seconds``."""
    began = told = time.monotonic()
    async with reading(settings) as log:
        shards = wanted.shards(settings)
        _, ends = await log.bounds(shards)
        seen: deque[tuple[float, Counter[Shard]]] = deque()
        async for batch in log.read(ends):
            now = time.monotonic()
            if batch:
                seen.append((now, Counter(one.raw.shard for one in _found(batch, wanted))))
            while seen and seen[0][0] < now - window:
                seen.popleft()
            over = seconds is not None and now - began >= seconds
            if now - told >= 1 or over:
                told = now
                total = sum((counts for _, counts in seen), Counter[Shard]())
                yield {shard: total[shard] / max(min(window, now - began), 0.001) for shard in shards}
            if over:
                return


async def _starts(
    log: LogReader, wanted: EventFilter, ends: Mapping[Shard, int], *, future: bool = False
) -> dict[Shard, int]:
    """Where to begin so that nothing since the wanted time is missed. Raises CannotDo for one after the log's end."""
    assert wanted.since_ms is not None
    found = await log.appended_since(list(ends), wanted.since_ms)
    if not found and not future:
        raise CannotDo(
            f"--since: expected a time up to the log's last event, got {wanted.since}: nothing was appended since; "
            "wait for new ones with --follow"
        )
    return {shard: found.get(shard, end) for shard, end in ends.items()}


async def _latest(
    log: LogReader, wanted: EventFilter, begins: Mapping[Shard, int], ends: Mapping[Shard, int], limit: int
) -> list[FoundEvent]:
    """The last so many: looks at the ends of the shards first, and further back only where that is too little."""
    look = max(_FIRST_LOOK, limit)
    while True:
        starts = {shard: max(begins[shard], end - look) for shard, end in ends.items()}
        found: list[FoundEvent] = []
        async for batch in log.read(starts, ends):
            found += _found(batch, wanted)
            if len(found) > 4 * limit + _WAITING:
                found = _last(found, limit)
        whole = starts == dict(begins)
        if whole or len(found) >= limit:
            if whole and not found and wanted.until is not None:
                await _check_until(log, wanted, begins, ends)
            return _last(found, limit)
        look *= _MORE


def _last(found: list[FoundEvent], limit: int) -> list[FoundEvent]:
    return _ordered(found)[-limit:]


def _ordered(found: list[FoundEvent]) -> list[FoundEvent]:
    """In the order in which they were appended: that of the offsets within a shard, that of clocks between shards."""
    return ordered(found, lambda one: one.raw.shard, lambda one: one.raw.timestamp)


async def _check_until(
    log: LogReader, wanted: EventFilter, begins: Mapping[Shard, int], ends: Mapping[Shard, int]
) -> None:
    """Raises CannotDo where the log begins after the wanted time."""
    first: str | None = None
    async for batch in log.read(begins, ends):
        first = min([moment_of(raw, head_of(raw)) for raw in batch] + ([first] if first else []), default=None)
    if first is not None and wanted.until is not None and wanted.until <= first:
        raise CannotDo(f"--until: expected a time after the log's first event, {first}, got {wanted.until}")


async def _in_order(
    log: LogReader, wanted: EventFilter, starts: Mapping[Shard, int], ends: Mapping[Shard, int]
) -> AsyncIterator[list[FoundEvent]]:
    """What is wanted, in order within each shard, and between shards as far as these are read alike."""
    waiting: list[FoundEvent] = []
    async for batch in log.read(starts, ends):
        waiting += _found(batch, wanted)
        if len(waiting) > _WAITING:
            waiting = _ordered(waiting)
            yield waiting[: _WAITING // 2]
            del waiting[: _WAITING // 2]
    yield _ordered(waiting)


def _found(batch: Iterable[RawRecord], wanted: EventFilter) -> list[FoundEvent]:
    heads = ((raw, head_of(raw)) for raw in batch if raw.valid != wanted.void)
    return [FoundEvent(raw, head) for raw, head in heads if wanted.takes(raw, head)]


async def _say(found: list[FoundEvent], names: Names, json: bool, say: Say) -> None:
    if not json:
        await names.learn(id for one in found for id in ids(one.head))
    for one in found:
        say(as_json(one.raw, one.head) if json else line(one.raw, one.head, names))
