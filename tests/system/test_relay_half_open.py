"""Thousands of calls and connections that never show a token, against a relay in which people talk.
Tests ``api/grpc/strangers.py`` and ``push/relay/options.py``."""

from __future__ import annotations

import asyncio
import os
import resource
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import grpc.aio
import psutil
import pytest
from msgspec.structs import replace

from infra.base.settings import Settings
from tests.client import visiting
from tests.parts import Parts
from tests.servers import ALL, installation, process
from tests.system.talking import Talker, beside, heard_more, talking

pytestmark = pytest.mark.long

#: Calls, and connections, that are half open. By hand: KLATSCH_TEST_HALF_OPEN=10000.
HALF_OPEN = int(os.environ.get("KLATSCH_TEST_HALF_OPEN", "2000"))
#: Calls of one connection: as many as the server takes.
EACH = 100
#: Bytes that one may cost the relay; measured: 23 to 27 thousand a call, kept for the next one; a connection less.
BYTES = 80_000


@pytest.fixture(autouse=True)
def descriptors() -> Iterator[None]:
    """Enough for both sides of all connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < HALF_OPEN + 1000:
        pytest.skip(f"needs {HALF_OPEN + 1000} descriptors, has {hard}: ulimit -Hn")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@asynccontextmanager
async def half_open_calls(address: str) -> AsyncIterator[list[Any]]:
    """Calls that send no request, on connections that answer pings."""
    async with AsyncExitStack() as stack:
        calls: list[Any] = []
        for _ in range(HALF_OPEN // EACH):
            channel = await stack.enter_async_context(
                grpc.aio.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)])
            )
            await channel.channel_ready()
            calls += [channel.stream_unary("/UserService/Login")() for _ in range(EACH)]
        yield calls
        for call in calls:
            call.cancel()


@asynccontextmanager
async def silent_connections(address: str) -> AsyncIterator[list[asyncio.StreamReader]]:
    """Connections on which nothing is said."""
    host, _, port = address.partition(":")
    opened = [await asyncio.open_connection(host, int(port)) for _ in range(HALF_OPEN)]
    yield [reader for reader, _ in opened]
    for _, writer in opened:
        writer.close()


async def closed(reader: asyncio.StreamReader) -> None:
    """Until the server closes the connection; what it says before is read."""
    try:
        while await reader.read(1000):
            pass
    except ConnectionError:
        return


async def test_half_open_calls_and_connections_cost_little_and_end(parts: Parts, tmp_path: Path) -> None:
    async with installation(parts) as settings, AsyncExitStack() as stack:
        # All come from one address here. Each has to say soon what it asks for.
        own = replace(beside(settings), strangers=2 * HALF_OPEN, body_seconds=15.0)
        api = await stack.enter_async_context(process(settings, ALL, tmp_path / "api.log"))
        relay = await stack.enter_async_context(process(_roomy(own), frozenset({"relay"}), tmp_path / "relay.log"))
        await asyncio.gather(api.ready(), relay.ready())
        world = await stack.enter_async_context(visiting(api.url))
        people = [await world.person(name) for name in ("ada", "bob", "eve")]
        channel = (await people[0].do("channels.create", name="Voice", limit=25))["channel"]["id"]
        found = [Talker(person, channel) for person in people]
        memory = psutil.Process(relay.pid).memory_info
        async with talking(*found[:2]):
            await heard_more(found[:2], 50, "while all is well")
            before = memory().rss
            async with half_open_calls(own.grpc_address) as calls:
                await heard_more(found[:2], 50, "beside half-open calls")
                async with talking(found[2]):
                    await heard_more(found, 50, "with one who came meanwhile")
                print(f"{HALF_OPEN} calls: {(memory().rss - before) / HALF_OPEN:,.0f} bytes each")
                assert memory().rss - before < HALF_OPEN * BYTES
                codes = Counter([code.name for code in await asyncio.gather(*(call.code() for call in calls))])
                print(f"they end: {codes}")
                # Of those with which the server has not begun, gRPC itself cancels some.
                assert codes.keys() <= {"DEADLINE_EXCEEDED", "CANCELLED"} and codes["DEADLINE_EXCEEDED"] > 0
            async with silent_connections(own.grpc_address) as readers:
                await heard_more(found[:2], 50, "beside silent connections")
                print(f"and as many connections: {(memory().rss - before) / HALF_OPEN:,.0f} bytes each")
                assert memory().rss - before < HALF_OPEN * BYTES
                await asyncio.gather(*map(closed, readers))
            async with talking(found[2]):
                await heard_more(found, 50, "when they are gone")
        assert [(talker.joins, talker.ends) for talker in found[:2]] == [(1, [])] * 2


def _roomy(settings: Settings) -> Settings:
    """With room for members beside all that is half open."""
    return replace(settings, channel_server_members=HALF_OPEN)
