"""Clients that are gone without a word, in processes of their own."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc.aio
import pytest

from push.relay.core.limits import RelayLimits
from push.relay.options import connections, options
from tests.push.conftest import until
from tests.push.relay.relaying import PATIENCE, RelayServer, member, relaying

# Each starts a server.
pytestmark = pytest.mark.long


@asynccontextmanager
async def process(server: RelayServer, number: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """A member in another process, who is in."""
    found = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.push.relay.member_process", server.address, server.issuer.token(number),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert found.stdout is not None
        async with asyncio.timeout(PATIENCE):
            assert await found.stdout.readline() == b"joined\n"
        yield found
    finally:
        if found.returncode is None:
            found.kill()
        await found.wait()


@pytest.mark.long
async def test_who_is_killed_has_quit_at_once() -> None:
    async with relaying() as server, member(server, 1), process(server, 2) as other:
        assert server.members() == [1, 2]
        began = time.monotonic()
        other.kill()
        await until(lambda: server.members() == [1])
        # Not by the keepalive, whose times are longer: the kernel has closed the connection.
        assert time.monotonic() - began < 15


@pytest.mark.long
@pytest.mark.parametrize("talking", [False, True])
async def test_who_is_frozen_has_quit_within_the_times_that_are_set(talking: bool) -> None:
    # gRPC asks at most once a second.
    async with relaying(keepalive_seconds=1, dead_seconds=1) as server, member(server, 1) as one:
        async with process(server, 2) as other:
            assert server.members() == [1, 2]
            began = time.monotonic()
            other.send_signal(signal.SIGSTOP)
            while server.members() != [1]:
                assert time.monotonic() - began < 30, "the frozen member is still in"
                if talking:
                    await one.say(b"still there?")
                await asyncio.sleep(0.05)
        assert not one.call.done()


def test_a_dead_client_is_noticed_within_thirty_seconds_as_set() -> None:
    found = options(RelayLimits())
    assert found["grpc.keepalive_time_ms"] + found["grpc.http2.ping_timeout_ms"] <= 30_000
    assert found["grpc.keepalive_timeout_ms"] <= found["grpc.http2.ping_timeout_ms"]


async def test_a_port_is_never_shared() -> None:
    async with relaying() as server:
        other = grpc.aio.server(options=list(options(RelayLimits()).items()))
        with pytest.raises(RuntimeError):
            other.add_insecure_port(server.address)
        await other.stop(None)


async def over(reader: asyncio.StreamReader) -> bool:
    """Whether the server closes the connection within a second; what it says before is read."""
    try:
        async with asyncio.timeout(1):
            while await reader.read(1000):
                pass
    except TimeoutError:
        return False
    return True


@pytest.mark.long
async def test_connections_that_say_nothing_are_bounded_and_closed() -> None:
    limits = RelayLimits(members=2)
    async with relaying(limits, silent_seconds=3) as server, member(server, 1):
        host, port = server.address.split(":")
        opened = [await asyncio.open_connection(host, int(port)) for _ in range(20)]
        taken = [reader for reader, _ in opened if not await over(reader)]
        assert 1 <= len(taken) < connections(limits)
        async with asyncio.timeout(PATIENCE):
            for reader in taken:
                while not await over(reader):
                    pass
        assert server.members() == [1]
        async with member(server, 2):
            assert server.members() == [1, 2]
        for _, writer in opened:
            writer.close()
