"""A proxy in front of a real broker that delays, loses or cuts what a producer sends or is told."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka.admin import AIOKafkaAdminClient

PRODUCE = 0  # api key


class Proxy:
    """Passes Kafka frames on, except produce requests and their answers when told otherwise.

    Metadata names the proxy as the broker, so a client that bootstraps here stays here.
    """

    def __init__(self, host: str, port: int) -> None:
        self._broker = (host, port)
        #: Produce requests wait while this is not set.
        self.pass_requests = asyncio.Event()
        self.pass_requests.set()
        #: Whether answers to produce requests are thrown away.
        self.lose_answers = False
        #: Produce requests that had to wait so far, and answers that were thrown away.
        self.held = 0
        self.lost = 0
        self.bootstrap = ""
        self._tasks: set[asyncio.Task[None]] = set()
        self._news = asyncio.Condition()

    async def holds(self, requests: int) -> None:
        """Wait until this many produce requests have had to wait here."""
        async with asyncio.timeout(10), self._news:
            await self._news.wait_for(lambda: self.held >= requests)

    async def answers_lost(self, count: int) -> None:
        """Wait until this many answers were thrown away."""
        async with asyncio.timeout(10), self._news:
            await self._news.wait_for(lambda: self.lost >= count)

    async def _count(self, name: str) -> None:
        async with self._news:
            setattr(self, name, getattr(self, name) + 1)
            self._news.notify_all()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client connection. What a client sent before it left still reaches the broker."""
        there, back = await asyncio.open_connection(*self._broker)
        produces: set[int] = set()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._requests(reader, back, produces))
                group.create_task(self._answers(there, writer, produces))
        except* (OSError, EOFError):
            pass  # one side has left: the other one is told below
        finally:
            writer.close()
            back.close()

    async def _requests(self, reader: asyncio.StreamReader, back: asyncio.StreamWriter, produces: set[int]) -> None:
        while True:
            frame = await _frame(reader)
            key, _version, correlation = struct.unpack_from(">hhi", frame, 4)
            if key == PRODUCE:
                produces.add(correlation)
                if not self.pass_requests.is_set():
                    await self._count("held")
                await self.pass_requests.wait()
            back.write(frame)
            await back.drain()

    async def _answers(self, there: asyncio.StreamReader, writer: asyncio.StreamWriter, produces: set[int]) -> None:
        host, port = self._broker
        name = struct.pack(">h", len(host)) + host.encode()
        own_port = int(self.bootstrap.rpartition(":")[2])
        while True:
            frame = await _frame(there)
            if struct.unpack_from(">i", frame, 4)[0] in produces:
                if self.lose_answers:
                    await self._count("lost")
                    continue
            else:
                frame = frame.replace(name + struct.pack(">i", port), name + struct.pack(">i", own_port))
            writer.write(frame)
            await writer.drain()

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self.serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)


async def _frame(reader: asyncio.StreamReader) -> bytes:
    """One size-delimited Kafka frame, its size included."""
    size = await reader.readexactly(4)
    return size + await reader.readexactly(struct.unpack(">i", size)[0])


@asynccontextmanager
async def proxied(kafka: str, port: int = 0) -> AsyncIterator[Proxy]:
    """A proxy in front of the only broker of a cluster; ``bootstrap`` is its address. Port 0 is any."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        brokers = (await admin.describe_cluster())["brokers"]
    finally:
        await admin.close()
    assert len(brokers) == 1, f"expected one broker behind the proxy, got {len(brokers)}"
    proxy = Proxy(brokers[0]["host"], brokers[0]["port"])
    server = await asyncio.start_server(proxy.accept, "127.0.0.1", port)
    proxy.bootstrap = f"{brokers[0]['host']}:{server.sockets[0].getsockname()[1]}"
    try:
        yield proxy
    finally:
        server.close()
        await proxy.close()
