"""A verification: the log folded beside the live rows, compared with them, and what differs healed if wanted."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from events import channels
from events.core.positions import Position, Shard, encode_vector
from infra.base.postgres import Connection, queries
from infra.base.progress import READ_MODELS
from infra.base.settings import Settings
from projectors.rebuild import fresh
from projectors.rebuild.building import UNSEEN, Watch, alone, build, exists, prepare
from projectors.rebuild.cleared import swept
from projectors.rebuild.follower import RebuildFollower
from projectors.rebuild.fresh import RebuildError, beside
from projectors.rebuild.models import MODELS, Model
from projectors.rebuild.switching import held, near, positions
from projectors.usage import recount
from projectors.verify.comparing import Sides, compare, differing, pair, row_of, sides, source, spec
from projectors.verify.findings import Cause, Compared, Difference, Findings
from projectors.verify.healing import heal
from projectors.verify.log import check

#: Differences of one table that are listed, and healed in one go.
LISTED = 1000
#: Goes of comparing and healing until what comes up again is taken to be made by somebody meanwhile.
_GOES = 100


async def verify(
    settings: Settings, model: Model, *, jobs: int, healing: bool = False, watch: Watch = UNSEEN
) -> Findings:
    """Compares the model's rows with the fold of the log, at one vector; ``healing`` rewrites those that differ.

    The installation goes on meanwhile. What comes back is what was found first; ``healed`` says how many rows were
    rewritten. Raises RebuildError, LogMismatch, PostgresError and KafkaError.
    """
    started, schema = time.monotonic(), beside(settings, "verify")
    async with alone(settings) as connection:
        if not await exists(connection, settings.schema):
            raise RebuildError(f"schema {settings.schema} is not there: nothing to verify; 'rebuild' makes it")
        async with connection.transaction():
            live = await positions(connection, settings.schema)
        erased = await _erased(connection, settings.schema)
        await prepare(connection, settings, schema, MODELS["all"], False, erased)
        if await _ahead(connection, schema, live):
            await prepare(connection, settings, schema, MODELS["all"], True, erased)
        tally = await build(settings, schema, live, watch, jobs)
        async with RebuildFollower(settings, schema) as follower:
            await fresh.analyze(follower.connection, schema)
            watch.phase("comparing")
            findings = await _compared(connection, settings, follower, model)
            tally.add(follower.tally)
            await fresh.unskipped(connection, schema)
            findings.log = await check(follower.connection, schema, tally)
            if healing and findings.differences:
                watch.phase("healing")
                await _healed(connection, settings, follower, model, findings)
        await fresh.drop(connection, schema)
        if model.name == "all":
            watch.phase("counting usage")
            await _usage(settings, findings, healing)
    findings.seconds = time.monotonic() - started
    return findings


async def _erased(reader: Connection, schema: str) -> list[str]:
    """The erased applications, whose events mean nothing. Raises RebuildError while rows of one are there."""
    waiting = await reader.fetch(queries("app_erasure")["unfinished"].replace("{live}", f'"{schema}".'))
    if waiting:
        names = ", ".join(row["id"] for row in waiting[:5])
        raise RebuildError(
            f"expected no application whose rows are being removed, found {names}: some are gone and some are "
            "not. Wait until 'apps receipt' says that they are gone, then verify again"
        )
    return await swept(reader, schema)


async def _usage(settings: Settings, findings: Findings, healing: bool) -> None:
    """Compares usage with the log up to where it was counted: it has places of its own."""
    found = await recount.verify(settings, healing=healing)
    findings.tables += [
        Compared(
            table=one.table, expected=one.expected, expected_digest=one.expected_digest,
            actual=one.actual, actual_digest=one.actual_digest,
        )
        for one in found.tables
    ]  # fmt: skip
    findings.counts |= found.counts
    findings.differences += [
        Difference(
            table=one.table, key=one.key, stream=one.key["app"], event=None,
            kind="missing" if one.actual is None else "too many" if one.expected is None else "differs",
            columns={} if one.table == "usage_actors" else {"value": (one.expected, one.actual)},
        )
        for one in found.differences
    ]  # fmt: skip
    if healing:
        findings.healed += sum(found.counts.values())


async def _ahead(connection: Connection, schema: str, live: dict[Shard, int]) -> bool:
    """Whether an earlier attempt has folded more than the rows have, which were rebuilt since."""
    async with connection.transaction():
        folded = await positions(connection, schema)
    return any(offset > live.get(shard, 0) for shard, offset in folded.items())


async def _healed(
    connection: Connection, settings: Settings, follower: RebuildFollower, model: Model, findings: Findings
) -> None:
    """Heals what was found, and what is found then."""
    waiting = findings.differences
    for _ in range(_GOES):
        healed, settled = await heal(connection, settings, follower, waiting)
        findings.healed += healed
        findings.settled += settled
        waiting = (await _compared(connection, settings, follower, model)).differences
        if not waiting:
            return
    raise RebuildError(f"expected equal rows after {_GOES} goes, found {len(waiting)} that differ: who writes to them?")


async def _compared(connection: Connection, settings: Settings, follower: RebuildFollower, model: Model) -> Findings:
    async with _snapshot(connection, settings, follower) as (reader, vector):
        findings = Findings(vector=encode_vector(vector))
        aside = {row["stream"] for row in await reader.fetch(queries("projectors")["parked_streams"], READ_MODELS)}
        findings.waiting = sorted(aside)
        for schema in (settings.schema, follower.schema):
            rows = await reader.fetch(f'select distinct stream from "{schema}".parked')  # noqa: S608 - a name of ours
            aside.update(row["stream"] for row in rows)
        # One that was erased meanwhile: what was said in it since is no row, and is in the fold.
        await _erased(reader, settings.schema)
        both = await sides(reader, follower.schema, settings.schema)
        for table in model.tables:
            compared = await compare(reader, both, table)
            findings.tables += compared
            if not all(one.equal for one in compared):
                await _differences(reader, settings, both, table, aside, findings)
    return findings


@asynccontextmanager
async def _snapshot(
    connection: Connection, settings: Settings, follower: RebuildFollower
) -> AsyncIterator[tuple[Connection, dict[Shard, int]]]:
    """A reader that sees the live rows and those of the log's fold at one vector, for as long as it wants."""
    shards = sorted(await follower.places())
    reader = await fresh.connect(settings, settings.schema)
    try:
        await near(connection, settings, follower, shards)
        async with reader.transaction(isolation="repeatable_read", readonly=True):
            async with held(connection, settings, follower, shards, exact=True) as level:
                # The snapshot begins with the first query: now, while both are level.
                await reader.fetchval(queries("rebuild")["clock"])
            yield reader, dict(level)
    finally:
        reader.terminate()


async def _differences(
    reader: Connection, settings: Settings, both: Sides, table: str, aside: set[str], findings: Findings
) -> None:
    count = 0
    found: list[tuple[Any, ...]] = []
    async for key in differing(reader, both, table):
        count += 1
        if len(found) < LISTED:
            found.append(key)
    for key in found:
        one = await _difference(reader, settings, both.expected, table, key)
        if one.stream in aside:
            count -= 1
        else:
            findings.differences.append(one)
    if count:
        findings.counts[table] = count


async def _difference(
    reader: Connection, settings: Settings, schema: str, table: str, key: tuple[Any, ...]
) -> Difference:
    about = spec(table)
    expected = await row_of(reader, schema, table, key)
    actual = await row_of(reader, settings.schema, table, key)
    either = expected if expected is not None else actual
    assert either is not None, f"{table} {key}: a difference of two rows that do not exist"
    stream = str(either[about.stream]) if about.stream else channels.STREAM
    if table == "revisions":
        sql = queries("verify")["room_of"].replace("{messages}", await source(reader, schema, "messages"))
        stream = await reader.fetchval(sql, stream) or ""
    columns = {
        name: pair(about, name, expected and expected[name], actual and actual[name])
        for name in about.columns
        if expected is None or actual is None or expected[name] != actual[name]
    }
    return Difference(
        table=table, key=dict(zip(about.keys, key, strict=True)), columns=columns, stream=stream,
        kind="missing" if actual is None else "too many" if expected is None else "differs",
        event=await _cause(reader, settings, schema, table, stream, expected),
    )  # fmt: skip


async def _cause(
    reader: Connection, settings: Settings, schema: str, table: str, stream: str, expected: dict[str, Any] | None
) -> Cause | None:
    about, sql = spec(table), queries("verify")
    if table == "changes" and expected is not None:
        at = Position(expected["topic"], expected["partition"], expected["offset"])
        return Cause(position=str(at), type=expected["type"])
    # The live rows have the index for this; should the change be missing there too, the other ones are searched.
    for place in (settings.schema, schema):
        changes = f'"{place}".changes'
        if expected is not None and "version" in expected:
            row = await reader.fetchrow(
                sql["event"].replace("{changes}", changes), about.topic, stream, expected["version"]
            )
        else:
            row = await reader.fetchrow(sql["last_event"].replace("{changes}", changes), stream)
        if row is not None:
            return Cause(position=str(Position(row["topic"], row["partition"], row["offset"])), type=row["type"])
    return None
