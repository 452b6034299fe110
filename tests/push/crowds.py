"""All SDKs at once on one server, each as a user of its own: what one of them fails does not hide the others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.push.feeding import Feed
from tests.push.sdks import (
    Go,
    GoProtobuf,
    Java,
    JavaScript,
    JavaScriptProtobuf,
    Python,
    PythonProtobuf,
    Sdk,
)
from tests.push.server import token

CLIENTS: tuple[Any, ...] = (JavaScript, JavaScriptProtobuf, Python, PythonProtobuf, Go, GoProtobuf, Java)

Step = Callable[[str, Sdk], Awaitable[None]]


class Crowd:
    """One client of each SDK, by the name that is also its user's."""

    def __init__(self, clients: tuple[Any, ...]) -> None:
        self.sdks: dict[str, Sdk] = {}
        self.outcomes: dict[str, BaseException | None] = {client.name: None for client in clients}
        self._clients = clients
        self._started: list[Sdk] = []

    async def start(self, url: str, credential: Callable[[str], str] = token, **options: Any) -> None:
        """Start those that are still in it, once more where they ran before. Options may depend on the name."""

        async def one(client: Any) -> None:
            try:
                own = {key: value(client.name) if callable(value) else value for key, value in options.items()}
                sdk = await client.start(url, credential(client.name), **own)
            except (Exception, pytest.skip.Exception, pytest.fail.Exception) as error:
                self._lost(client.name, error)
            else:
                self._started.append(sdk)
                self.sdks[client.name] = sdk

        await asyncio.gather(*(one(client) for client in self._clients if self.outcomes[client.name] is None))

    async def each(self, step: Step) -> None:
        """Have all do this, side by side. Who fails is in no further step."""

        async def one(name: str, sdk: Sdk) -> None:
            try:
                await step(name, sdk)
            except (Exception, pytest.fail.Exception) as error:
                error.add_note(f"events of {name}: {sdk.events[-8:]}")
                self._lost(name, error)

        await asyncio.gather(*(one(name, sdk) for name, sdk in list(self.sdks.items())))

    async def feed(self, feed: Feed, *texts: str) -> None:
        """The same deltas for everybody."""
        for name in list(self.sdks):
            await feed.send(name, *texts)

    async def stop(self) -> None:
        """Stop whatever was started."""
        await asyncio.gather(*(sdk.stop() for sdk in self._started), return_exceptions=True)

    def _lost(self, name: str, error: BaseException) -> None:
        self.outcomes[name] = error
        self.sdks.pop(name, None)


@asynccontextmanager
async def crowd(subtests: pytest.Subtests, clients: tuple[Any, ...] = CLIENTS) -> AsyncIterator[Crowd]:
    """A crowd, of which each client's outcome is a subtest."""
    found = Crowd(clients)
    try:
        yield found
    finally:
        await found.stop()
    for name, outcome in found.outcomes.items():
        with subtests.test(client=name):
            if outcome is not None:
                raise outcome
