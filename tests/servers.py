"""Installations and servers for tests: in this process, or in processes of their own that can be killed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import asyncpg
import uvicorn

from infra.base.installation import prepare
from infra.base.settings import Settings, environment
from infra.embedded.ports import free_port
from infra.ops import roles
from push.transports.ws import uvicorn_options
from tests.parts import Parts, delete_topics

ALL = frozenset({"api", "push", "feed", "project"})
#: All the tests' people come from one address; as accounts they meet the limits that everybody has.
CROWD = "1000000/1"
#: Seconds that a server gets to become ready.
READY_SECONDS = 40.0


@asynccontextmanager
async def installation(parts: Parts) -> AsyncIterator[Settings]:
    """An installation of its own for the length of the block."""
    name = f"t{secrets.token_hex(5)}"
    settings = Settings(
        kafka=parts.kafka, postgres=parts.postgres, prefix=name, schema=name, partitions=2, feed_partitions=2,
        secret=secrets.token_hex(32), port=free_port(), limit_register=CROWD, limit_log_in=CROWD,
        # Tests ask without a pause, as no person does.
        limit_read=CROWD, limit_send=CROWD, limit_write=CROWD,
        # Pages of a search are whole, however busy the machine is.
        search_seconds=60.0,
        # No outcome is unknown only because others have the machine.
        command_seconds=30.0,
    )  # fmt: skip
    await prepare(settings)
    try:
        yield settings
    finally:
        await delete_topics(parts.kafka, name)
        connection = await asyncpg.connect(parts.postgres)
        try:
            for schema in (name, f"{name}_ops"):
                await connection.execute(f'drop schema if exists "{schema}" cascade')
        finally:
            await connection.close()


def url(settings: Settings) -> str:
    return f"http://{settings.address}"


class _Server(uvicorn.Server):
    """Leaves the test runner's signal handlers alone."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serving(settings: Settings, running: frozenset[str] = ALL) -> AsyncIterator[str]:
    """A server of some roles in this process; its URL, once it is ready."""
    async with roles.running(settings, running) as app:
        config = uvicorn.Config(
            app, host=settings.host, port=settings.port, log_config=None, lifespan="off", **uvicorn_options(settings)
        )
        server = _Server(config)
        task = asyncio.create_task(server.serve())
        try:
            await ready(settings)
            yield url(settings)
        finally:
            server.should_exit = True
            await task


async def ready(settings: Settings, ended: asyncio.subprocess.Process | None = None) -> None:
    """Until the server says that it is ready. Fails after READY_SECONDS."""
    said = "nothing"
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as http:
        deadline = asyncio.get_running_loop().time() + READY_SECONDS
        while asyncio.get_running_loop().time() < deadline:
            assert ended is None or ended.returncode is None, "the server has ended"
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                async with http.get(f"{url(settings)}/readyz") as response:
                    if response.status == 200:
                        return
                    said = await response.text()
            await asyncio.sleep(0.05)
    raise AssertionError(f"not ready within {READY_SECONDS} s: {said}")


class Process:
    """``klatsch serve`` in a process of its own."""

    def __init__(self, settings: Settings, running: frozenset[str], log: Path) -> None:
        self.settings = settings
        self.roles = running
        self.url = url(settings)
        self._log = log
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """Process id. Only after ``start``."""
        assert self._process is not None
        return self._process.pid

    @property
    def program(self) -> tuple[str, ...]:
        """How the command line is called."""
        return (sys.executable, "-m", "infra.ops.cli")

    async def start(self) -> None:
        """Start, without waiting until it is ready."""
        with self._log.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *self.program, "serve",
                "--roles", ",".join(sorted(self.roles)), "--port", str(self.settings.port),
                env={**os.environ, **environment(self.settings)}, stdout=output, stderr=output,
            )  # fmt: skip

    async def ready(self) -> None:
        await ready(self.settings, self._process)

    async def end(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Signal it, and wait for its end."""
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(number)
            async with asyncio.timeout(30):
                await process.wait()


@asynccontextmanager
async def process(settings: Settings, running: frozenset[str], log: Path) -> AsyncIterator[Process]:
    """A started server process, killed in the end."""
    server = Process(settings, running, log)
    await server.start()
    try:
        yield server
    finally:
        await server.end()
