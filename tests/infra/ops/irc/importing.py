"""For tests of the IRC import: the command as a process, made-up logs, and what an installation holds afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
from aiokafka import TopicPartition

from events.core.log import TermFilter
from events.core.positions import Shard
from events.core.records import Entity, Key
from events.registry import REGISTRY
from infra.base import kafka
from infra.base.settings import Settings
from infra.ops.irc import files, logs
from infra.ops.irc.logs import Log, LogLine
from infra.ops.irc.plan import ImportPlan, Piece
from infra.ops.irc.rooms import ChannelLogs
from tests.running import variables


@asynccontextmanager
async def importing(settings: Settings, *arguments: str | Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """``klatsch import irc`` with these arguments, in a process of its own; killed at the end of the block."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "infra.ops.cli", "import", "irc", *map(str, arguments),
        env=variables(settings), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        # A shell's background job ignores it, and so would whatever the tests of such a job start.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def imported(settings: Settings, *arguments: str | Path, seconds: float = 120.0) -> str:
    """Runs the import to its end and returns what it said. Fails when it does not end well."""
    async with importing(settings, *arguments) as process:
        async with asyncio.timeout(seconds):
            output, _ = await process.communicate()
        assert process.returncode == 0, output.decode()
        return output.decode()


async def heads(settings: Settings) -> dict[str, dict[int, int]]:
    """The ends of all event topics: whatever adds something moves one."""
    return {
        topic: await kafka.end_offsets(settings, settings.topic(topic), settings.partitions)
        for topic in kafka.EVENT_TOPICS
    }


async def count(settings: Settings, sql: str, *arguments: Any) -> int:
    """One number from the read models' schema."""
    connection = await asyncpg.connect(settings.postgres, server_settings={"search_path": settings.schema})
    try:
        return int(await connection.fetchval(sql, *arguments))
    finally:
        await connection.close()


async def totals(settings: Settings) -> dict[str, int]:
    """What the read models hold of everything that an import makes."""
    return {
        "users": await count(settings, "select count(*) from users"),
        "handles": await count(settings, "select count(*) from handles where state = 'confirmed'"),
        "messages": await count(settings, "select count(*) from messages"),
        "actions": await count(settings, "select count(*) from messages where type = 'action'"),
        "members": await count(settings, "select count(*) from members where state = 'joined'"),
        "left": await count(settings, "select count(*) from changes where type = 'member.left'"),
        "joined": await count(settings, "select count(*) from changes where type = 'member.joined'"),
        "roles": await count(settings, "select count(*) from changes where type = 'member.role_changed'"),
        "admins": await count(settings, "select count(*) from members where state = 'joined' and role = 'admin'"),
        "topics": await count(settings, "select count(*) from changes where type = 'room.topic_line_set'"),
        "parked": await count(settings, "select count(*) from parked"),
    }


class _State(dict[Key, "Entity | None"]):
    """Entities by key; what no event has made is None."""

    def __missing__(self, key: Key) -> None:
        return None


async def folded(settings: Settings) -> tuple[dict[Key, Entity | None], dict[str, int]]:
    """The fold of all valid records of the event topics, and the vector up to which it goes."""
    state, vector = _State(), {}
    for topic, ends in (await heads(settings)).items():
        for partition, end in ends.items():
            vector[str(Shard(topic, partition))] = end
            valid = TermFilter()
            async for raw in _records(settings, topic, partition, end):
                if valid.admits(raw.offset, raw.headers):
                    state.update(REGISTRY.fold(REGISTRY.decode(raw.value, topic, partition, raw.offset), state))
    return state, vector


async def _records(settings: Settings, topic: str, partition: int, end: int) -> AsyncIterator[Any]:
    consumer = kafka.consumer(settings, max_poll_records=None)
    await consumer.start()
    try:
        place = TopicPartition(settings.topic(topic), partition)
        consumer.assign([place])
        consumer.seek(place, 0)
        while await consumer.position(place) < end:
            for raw in (await consumer.getmany(place, timeout_ms=1000)).get(place, ()):
                yield raw
    finally:
        await kafka.close(consumer)


def log(folder: Path, name: str, content: str | bytes, encoding: str = "") -> Log:
    """A file with this content, as the import sees it."""
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    (found,) = files.find([file])
    opened = logs.opened(found, encoding)
    assert opened is not None
    return opened


def lines_of(log: Log) -> list[LogLine]:
    """All lines of a log."""
    return [line for part in logs.parts(log, logs.latest()) for line in part.lines]


def filled(channel: str, *found: Log) -> tuple[ImportPlan, list[Piece]]:
    """The plan of a channel's logs, and what it consists of; the id of a nick is ``id-nick``."""
    plan, pieces = ChannelLogs(channel, list(found), logs.latest()).plan(lambda nick: f"id-{nick}")
    return plan, list(pieces)


def made_up(folder: Path, days: Iterable[int], lines: int, nicks: int) -> None:
    """A folder of logs: ``lines`` messages a day by ``nicks`` people who come first, in turn."""
    folder.mkdir(exist_ok=True)
    for day in days:
        here = [f"=== n{n} [h]  has joined #made" for n in range(nicks)] if day == 1 else []
        here += [f"[{n // 60 % 24:02d}:{n % 60:02d}] <n{n % nicks}> line {n}" for n in sorted_minutes(lines)]
        (folder / f"2004-11-{day:02d}.txt").write_text("\n".join(here) + "\n")


def sorted_minutes(lines: int) -> list[int]:
    """So many minutes of a day, ascending, some more than once."""
    return [n * 1400 // lines for n in range(lines)]
