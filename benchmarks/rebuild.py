"""How fast read models are made anew and verified, beside the bare fold and the bare COPY of the same log."""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import resource
import secrets
import statistics
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from aiokafka.admin import AIOKafkaAdminClient

from benchmarks.logs import write
from events import REGISTRY
from infra import kafka, months, postgres
from infra.settings import Settings, load
from projectors.read_models import event_shards
from projectors.rebuild import fresh
from projectors.rebuild.building import UNSEEN, alone, build, prepare
from projectors.rebuild.cache import Cache
from projectors.rebuild.follower import Follower
from projectors.rebuild.fresh import LONG, beside
from projectors.rebuild.lines import CHANGES, change, copy, lines
from projectors.rebuild.models import model
from projectors.rebuild.reading import Reader
from projectors.rebuild.run import rebuild
from projectors.source import Entry, Place
from projectors.verify.run import verify

ABOUT = """\
Writes a log of so many events (messages, edits, reads, joins; 8 shards), in an installation of its own that is removed
afterwards, and measures, the median of some rounds each:

  read     reading the log from Kafka and decoding it
  fold     the bare fold: what is read, folded in memory, nothing stored
  copy     the same, and the bare COPY of what comes of it: changes and messages, into tables with primary keys
  store    reading, folding and storing, as rebuild and verify do
  rebuild  klatsch rebuild: the same, then indexes, statistics and the switch
  verify   klatsch verify: the same, then comparing with the rows that serve

CPU is that of this process, its workers and the Postgres processes that serve them: events/s a core are events by
CPU seconds. Kafka's own is not in it. Name the servers in KLATSCH_KAFKA and KLATSCH_POSTGRES."""


class Measured(NamedTuple):
    """One round: seconds of the clock, of our processes, of Postgres'."""

    wall: float
    python: float
    postgres: float


def main() -> None:
    """Parse the options, run, print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.rebuild", description=ABOUT, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=1_000_000, help="events of the log (1000000)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each measurement (3)")
    parser.add_argument("--jobs", type=int, default=1, help="processes of rebuild and verify (1)")
    options = parser.parse_args()
    for line in asyncio.run(_run(options)):
        sys.stdout.write(line + "\n")


async def _run(options: argparse.Namespace) -> list[str]:
    name = f"b{secrets.token_hex(5)}"
    settings = load(prefix=name, schema=name)
    await kafka.ensure_topics(settings)
    await postgres.install(settings)
    try:
        await write(settings, options.events, random.Random(1))
        # So that there are rows to verify.
        report = await rebuild(settings, model("all"), jobs=options.jobs)
        events, jobs = report.log.events, options.jobs
        entries = await _entries(settings)
        rounds: dict[str, Callable[[], Awaitable[object]]] = {
            "read": lambda: _entries(settings),
            "fold": lambda: _fold(entries),
            "copy": lambda: _copied(settings, entries),
            "store": lambda: _stored(settings, jobs),
            "rebuild": lambda: rebuild(settings, model("all"), jobs=jobs),
            "verify": lambda: verify(settings, model("all"), jobs=jobs),
        }
        out = [f"{events:,} events, {os.cpu_count()} cores, {jobs} jobs, medians of {options.rounds}", ""]
        out.append(f"{'':8} {'seconds':>8} {'events/s':>9} {'a core':>9} {'python':>7} {'postgres':>8}")
        for title, work in rounds.items():
            found = [await _measured(settings, work) for _ in range(options.rounds)]
            wall, python, server = (statistics.median(column) for column in zip(*found, strict=True))
            rate = events / (python + server)
            out.append(f"{title:8} {wall:8.2f} {events / wall:9,.0f} {rate:9,.0f} {python:7.2f} {server:8.2f}")
        return out
    finally:
        await _removed(settings)


async def _measured(settings: Settings, work: Callable[[], Awaitable[object]]) -> Measured:
    ended = threading.Event()
    connection = await postgres.connect(settings)
    since = await connection.fetchval("select clock_timestamp()")
    await connection.close()
    # In a thread of its own: the work does not always let others have their turn.
    watching = asyncio.create_task(asyncio.to_thread(lambda: asyncio.run(_postgres_seconds(settings, since, ended))))
    began, cpu = time.perf_counter(), _cpu()
    await work()
    wall, python = time.perf_counter() - began, _cpu() - cpu
    ended.set()
    return Measured(wall, python, await watching)


def _cpu() -> float:
    """CPU seconds of this process and of the workers that have ended."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


async def _postgres_seconds(settings: Settings, since: str, ended: threading.Event) -> float:
    """CPU seconds of our server processes that began after ``since``; 0 where the server runs elsewhere."""
    connection = await postgres.connect(settings)
    seen: dict[int, float] = {}
    try:
        while not ended.is_set():
            rows = await connection.fetch(
                "select pid from pg_stat_activity where backend_start >= $1"
                " and (application_name like 'klatsch %' or leader_pid is not null)",
                since,
            )
            # A process that has just ended has no ticks any more.
            seen.update((row["pid"], max(_ticks(row["pid"]), seen.get(row["pid"], 0.0))) for row in rows)
            ended.wait(0.1)
    finally:
        await connection.close()
    return sum(seen.values())


def _ticks(pid: int) -> float:
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return 0.0
    # proc(5): utime and stime are fields 14 and 15; field 3 is the first after the name.
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _entries(settings: Settings) -> list[Entry]:
    """The log, decoded."""
    reader, found = Reader(settings), list[Entry]()
    await reader.start()
    try:
        for shard, end in (await reader.ends(event_shards(settings))).items():
            async for batch in reader.read(shard, Place(), end):
                found += batch.entries
    finally:
        await reader.stop()
    return found


async def _fold(entries: list[Entry]) -> Cache:
    state = Cache(whole=True)
    for entry in entries:
        assert entry.record is not None
        state.update(REGISTRY.fold(entry.record, state))
    return state


async def _copied(settings: Settings, entries: list[Entry]) -> None:
    """Folds too: its time is in this one."""
    made = [entity for entity in (await _fold(entries)).values() if entity is not None and entity.kind == "message"]
    spec = lines("message")
    schema = beside(settings, "leaving")
    connection = await fresh.connect(settings, schema)
    try:
        await fresh.make(connection, schema, await fresh.wanted(connection, "all", "folding"))
        await months.ensure(connection, schema, {months.month_of(entity.key[1]) for entity in made})
        rows = [change(entry.record) for entry in entries if entry.record is not None]
        await copy(connection, "changes", CHANGES, rows, LONG)
        await copy(connection, spec.table, spec.columns, [spec.line(entity) for entity in made], LONG)
        await fresh.drop(connection, schema)
    finally:
        await connection.close()


async def _stored(settings: Settings, jobs: int) -> None:
    schema = beside(settings, "leaving")
    async with alone(settings) as connection:
        await prepare(connection, settings, schema, model("all"), True)
        async with Follower(settings, schema) as follower:
            ends = await follower.ends(event_shards(settings))
        await build(settings, schema, ends, UNSEEN, jobs)
        await fresh.drop(connection, schema)


async def _removed(settings: Settings) -> None:
    await postgres.drop(settings)
    admin: Any = AIOKafkaAdminClient(bootstrap_servers=settings.kafka)
    await admin.start()
    try:
        topics = [topic for topic in await admin.list_topics() if topic.startswith(f"{settings.prefix}.")]
        await admin.delete_topics(topics)
    finally:
        await admin.close()


if __name__ == "__main__":
    main()
