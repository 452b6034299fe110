"""A push server with a small backend of the tests' own, in the test's process or, to be killed, in one of its own.

A token is JSON: ``{"user": ..., "session": ..., "expires": <Unix seconds>}``.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route

import push
from infra.base.settings import Settings, environment, load
from push.delivery.hub import Hub
from push.protocol.backend import BadToken, ConnectionIdentity, RpcError
from push.transports.ws import uvicorn_options


def token(user: str, session: str = "s1", seconds: float = 3600.0) -> str:
    """A token for the test backend."""
    return json.dumps({"user": user, "session": session, "expires": time.time() + seconds})


class TestBackend:
    """Tokens as above; rpc methods echo, wait and refuse; a snapshot is the user's present place."""

    __test__ = False

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self.revoked: set[str] = set()
        #: Whether no token can be looked up at present.
        self.away = False
        #: Sessions whose tokens are not valid yet.
        self.early: set[str] = set()
        #: Short names for tokens.
        self.aliases: dict[str, str] = {}
        self.calls: list[tuple[str, str, bytes]] = []
        self.release = asyncio.Event()

    async def authenticate(self, token: str, scope: Mapping[str, Any]) -> ConnectionIdentity:
        if self.away:
            raise OSError("Postgres does not answer")
        try:
            found = json.loads(self.aliases.get(token, token))
            identity = ConnectionIdentity(
                user=found["user"], session=found["session"], expires=found["expires"], data=b'{"hello":\n"you"}'
            )
        except (ValueError, TypeError, KeyError) as error:
            raise BadToken("invalid") from error
        if identity.session in self.revoked:
            raise BadToken("revoked")
        if identity.expires < time.time():
            raise BadToken("expired")
        if identity.session in self.early:
            raise BadToken("early")
        return identity

    def admit(self, identity: ConnectionIdentity) -> None:
        """There is always room."""

    async def rpc(self, identity: ConnectionIdentity, method: str, data: bytes, connection: str) -> bytes:
        self.calls.append((identity.user, method, data))
        if method == "echo":
            return data
        if method == "wait":
            await self.release.wait()
            return b"{}"
        raise RpcError(409, "taken", b'{"type":"urn:test:taken","status":409}')

    async def snapshot(self, identity: ConnectionIdentity) -> bytes:
        here = self._hub.here(identity.user)
        return json.dumps({"cursor": here.cursor, "epoch": here.epoch, "user": identity.user}, indent=1).encode()


class Running:
    """A server in this process."""

    def __init__(self, hub: Hub, backend: TestBackend, port: int, server: uvicorn.Server) -> None:
        self.hub = hub
        self.backend = backend
        self.port = port
        self.server = server

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/v1/connection"

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def subscriptions(self, user: str) -> int:
        """How many connections of a user get their deltas."""
        return len(self.hub._partition(user).ring.user_state(user).subscriptions)


class _Server(uvicorn.Server):
    """Leaves the test runner's signal handlers alone."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _config(
    settings: Settings, hub: Hub, backend: TestBackend, port: int, routes: Sequence[Route] = ()
) -> uvicorn.Config:
    app = Starlette(routes=[*push.routes(hub, backend, settings), *routes])
    return uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", **uvicorn_options(settings))


@asynccontextmanager
async def serving(
    settings: Settings, port: int = 0, ring_records: int = 4096, routes: Sequence[Route] = ()
) -> AsyncIterator[Running]:
    """A hub and a server in this process, with further routes."""
    hub = Hub(settings, ring_records=ring_records)
    backend = TestBackend(hub)
    port = port or free_port()
    server = _Server(_config(settings, hub, backend, port, routes))
    await hub.start()
    task = asyncio.create_task(server.serve())
    try:
        while not server.started:
            assert not task.done(), "the server did not start"
            await asyncio.sleep(0.01)
        yield Running(hub, backend, port, server)
    finally:
        await hub.stop()
        server.should_exit = True
        await task


class Process:
    """A server in a process of its own."""

    def __init__(self, settings: Settings, port: int) -> None:
        self._settings = settings
        self.port = port
        self.url = f"ws://127.0.0.1:{port}/v1/connection"
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Returns when it accepts connections."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.push.server", str(self.port), env={**os.environ, **environment(self._settings)}
        )
        deadline = time.monotonic() + 30
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                assert time.monotonic() < deadline and self._process.returncode is None, "the server did not start"
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return

    async def kill(self) -> None:
        """kill -9."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGKILL)
            await self._process.wait()
            self._process = None


async def _main(port: int) -> None:
    settings = load()
    hub = Hub(settings)
    await hub.start()
    await uvicorn.Server(_config(settings, hub, TestBackend(hub), port)).serve()


if __name__ == "__main__":
    import uvloop

    uvloop.run(_main(int(sys.argv[1])))
