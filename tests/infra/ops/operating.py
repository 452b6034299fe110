"""For tests of the operators' commands: a log with some history, what a command says, and the command as a process."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from events.core.log import term_headers
from events.core.positions import Position, Shard
from infra.base import kafka, postgres
from infra.base.settings import Settings
from producers.engine.router import partition_of
from tests.given import Fact, Given
from tests.projectors.scenes import created, joined, posted, registered
from tests.running import variables

SCENE = [
    registered("ada"), registered("bob"), created("stars", "ada"), joined("stars", "ada"), joined("stars", "bob"),
    posted("stars", "ada", 1, "first"), posted("stars", "bob", 2, "second"), created("moons", "bob"),
    joined("moons", "bob"), posted("moons", "bob", 1, "third"),
]  # fmt: skip


class Writer(Given):
    """Puts streams where the producers put them."""

    def shard(self, topic: str, stream: str) -> Shard:
        return Shard(topic, partition_of(stream, self.settings.partitions))

    async def late(self, fact: Fact, term: int) -> Position:
        """Appends an event as an owner that was replaced would: with its old term."""
        shard = self.shard("rooms", fact.stream)
        producer = kafka.producer(self.settings)
        await producer.start()
        try:
            sent = await producer.send_and_wait(
                self.settings.topic(shard.topic), key=fact.stream.encode(), value=self.value(fact),
                partition=shard.partition, headers=term_headers(term),
            )  # fmt: skip
        finally:
            await producer.stop()
        return Position(*shard, sent.offset)


@asynccontextmanager
async def history(settings: Settings, *facts: Fact) -> AsyncIterator[Writer]:
    """A writer that has appended ``facts``."""
    connection = await postgres.connect(settings)
    writer = Writer(settings, connection)
    try:
        await writer.events(*facts)
        yield writer
    finally:
        await writer.stop()
        await connection.close()


class Heard(list[str]):
    """What a command says, a line each."""

    @property
    def text(self) -> str:
        return "\n".join(self)


async def klatsch(settings: Settings, *arguments: str | Path, expected: int = 0) -> str:
    """Runs ``klatsch`` with these arguments on the installation; what it says, once it ends with the expected code."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "infra.ops.cli", *map(str, arguments),
        env=variables(settings), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        async with asyncio.timeout(60):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == expected, output.decode()
    return output.decode()
