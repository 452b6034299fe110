"""What one turn of the read models does to the rows, inside the caller's transaction: fold, store, or park.

The feed does not park streams: it is a function of the log and goes on, whatever the rows can take.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import asyncpg

from events.core.errors import KlatschError
from events.core.positions import Shard, encode_vector
from events.core.records import Changes, Entity, Key, Record
from events.registry import REGISTRY
from events.sessions import SessionClosed
from infra.base.postgres import Connection, queries
from infra.base.progress import READ_MODELS, pages_channel, parked_channel, positions_channel, revoked_channel
from infra.base.settings import Settings
from infra.base.statements import run
from projectors.core import metrics, parking
from projectors.core.source import Entry, ResumeAt
from projectors.read_models import changes, messages
from projectors.read_models.invalidations import Invalidations, noting_spans

#: Bytes of one notification; Postgres takes 7999.
NOTIFY_BYTES = 7000


class FoldError(KlatschError):
    """The fold of one event failed; the text says which and why."""


class PositionConflict(KlatschError):
    """Another projector has moved the positions; what this one read is stale."""


#: Errors that the same event would meet every time, whichever process tries. All others (connections, a missing
#: table) are no event's fault. ValueError: what asyncpg cannot encode, an impossible date, a lone surrogate.
DATA_ERRORS = (
    FoldError,
    ValueError,
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
)


async def move(connection: Connection, before: Mapping[Shard, ResumeAt], after: Mapping[Shard, ResumeAt]) -> None:
    """Moves the positions of ``after``, and keeps every other turn on these shards waiting until the commit.

    First of all in a turn: a competitor waits here before it has done anything. Raises Outrun.
    """
    shards = sorted(after)
    topics, partitions = [s.topic for s in shards], [s.partition for s in shards]
    sql = queries("projectors")
    # By itself: who waited for a switch has locked rows of the table that had the name before. The next statement
    # looks the name up again; one that did both would move positions that nobody reads any more.
    await connection.fetch(sql["lock_positions"], READ_MODELS, topics, partitions)
    moved = await connection.fetch(
        sql["move_positions"], READ_MODELS, topics, partitions,
        [before[s].offset for s in shards], [after[s].offset for s in shards], [after[s].term for s in shards],
    )  # fmt: skip
    if len(moved) != len(shards):
        expected = encode_vector({s: before[s].offset for s in shards})
        raise PositionConflict(
            f"expected positions {expected}; {len(shards) - len(moved)} of these shards stand elsewhere"
        )


async def apply(
    connection: Connection,
    entries: Sequence[Entry],
    parked: set[str],
    invalidations: Invalidations,
    *,
    whole: bool = False,
) -> list[Record]:
    """Applies the entries in order and returns those applied. The others are parked, their streams join ``parked``.

    ``invalidations`` collects what pages of history show differently from here on. ``whole``: without a savepoint, so
    that one of DATA_ERRORS ends the caller's transaction; then it does the turn again without.
    """
    ready: list[tuple[Entry, Record]] = []
    for entry in entries:
        if entry.unknown:
            metrics.SKIPPED.labels(READ_MODELS).inc()
        elif entry.record is None or entry.stream in parked:
            await parking.park(connection, READ_MODELS, entry, entry.error, parked)
        else:
            ready.append((entry, entry.record))
    if not ready:
        return []
    records = [record for _, record in ready]
    if whole:
        await store(connection, records, invalidations)
        return records
    try:
        async with connection.transaction():
            await store(connection, records, invalidations)
    except DATA_ERRORS as error:
        if len(ready) == 1:
            await parking.park(connection, READ_MODELS, ready[0][0], error, parked)
            return []
        # One of them is bad: by halves, so that a bad event costs a few more attempts, not one for each event.
        middle = len(ready) // 2
        first = await apply(connection, [entry for entry, _ in ready[:middle]], parked, invalidations)
        return first + await apply(connection, [entry for entry, _ in ready[middle:]], parked, invalidations)
    return records


async def store(connection: Connection, records: Sequence[Record], invalidations: Invalidations) -> None:
    """Folds the records in order into the rows, and adds their changes. Raises one of DATA_ERRORS."""
    before, changed = await _loaded(connection, records), Changes()
    state = dict(before)
    for record in records:
        try:
            result = REGISTRY.fold(record, state)
        # A fold is pure: whatever it raises, this event makes it raise.
        except Exception as error:
            raise FoldError(f"{record.position} {record.type}: {type(error).__name__}: {error}") from error
        state.update(result)
        changed.update(result)
    stored = await messages.statements(connection, changed)
    await run(connection, [*stored, *noting_spans(before, changed), changes.inserting(records)])
    invalidations.note(before, changed)


async def _loaded(connection: Connection, records: Iterable[Record]) -> dict[Key, Entity | None]:
    """What the records name, as it stands; None for what they make first: their fold does not ask."""
    wanted, made = set[Key](), dict[Key, Entity | None]()
    try:
        for record in records:
            makes = messages.MADE.get(record.type)
            for key in REGISTRY.keys(record):
                if key in made:
                    continue
                if key[0] == makes and key not in wanted:
                    made[key] = None
                else:
                    wanted.add(key)
    except Exception as error:
        raise FoldError(f"{type(error).__name__}: {error}") from error
    made.update(await messages.load(connection, wanted))
    return made


async def announce(
    connection: Connection,
    settings: Settings,
    vector: Mapping[Shard, int],
    records: Iterable[Record],
    parked: Iterable[str],
    invalidations: Invalidations,
) -> None:
    """Tells, once the transaction commits, which streams were parked, what pages have changed, how far the rows are,
    which sessions closed.

    Notifications arrive in this order: a process that knows a position knows what was parked below it, and does
    not take the rows of such a stream for the present; nor pages of before for the present ones.
    """
    told = [(pages_channel(settings), payload) for payload in invalidations.payloads(NOTIFY_BYTES)]
    told += [(parked_channel(settings), stream) for stream in parked if len(stream.encode()) <= NOTIFY_BYTES]
    parts = encode_vector(vector).split(",")
    size = max(1, NOTIFY_BYTES // max(len(part) + 1 for part in parts))
    told += [(positions_channel(settings), ",".join(parts[i : i + size])) for i in range(0, len(parts), size)]
    closed = [record.data.session for record in records if isinstance(record.data, SessionClosed)]
    # A notification that is too long would fail the turn for ever; no session of ours has such an id.
    told += [(revoked_channel(settings), session) for session in closed if len(session.encode()) <= NOTIFY_BYTES]
    channels, payloads = zip(*told, strict=True)
    await connection.execute(queries("projectors")["announce"], channels, payloads)
