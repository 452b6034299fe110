"""A relay whose clock is a minute off: it lets nobody in and says by how much, and nobody is locked out by it.
Tests ``api/grpc/relaying.py`` and ``push/relay/tokens.py``."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import grpc.aio
import pytest

from infra.base.settings import Settings
from push.relay.grpc_transport import TICKET_METADATA
from tests.api.grpc.clients import SECONDS, Refused, client, refusal
from tests.client import World, visiting
from tests.parts import Parts
from tests.running import until
from tests.servers import ALL, Process, installation, process
from tests.system.talking import Talker, beside

pytestmark = pytest.mark.long

#: A process of ours whose clock is so many seconds ahead.
_OFF = """
import sys, time
right, off = time.time, float(sys.argv.pop(1))
time.time = lambda: right() + off
from infra.ops.cli import main
main()
"""


class Off(Process):
    """A process whose clock is wrong."""

    def __init__(self, settings: Settings, log: Path, seconds: float) -> None:
        super().__init__(settings, frozenset({"relay"}), log)
        self._seconds = seconds

    @property
    def program(self) -> tuple[str, ...]:
        return (sys.executable, "-c", _OFF, str(self._seconds))


@pytest.fixture
async def world(parts: Parts, tmp_path: Path) -> AsyncIterator[tuple[Settings, World]]:
    async with installation(parts) as settings, AsyncExitStack() as stack:
        api = await stack.enter_async_context(process(settings, ALL, tmp_path / "api.log"))
        await api.ready()
        yield settings, await stack.enter_async_context(visiting(api.url))


async def tried(talker: Talker) -> Refused:
    """How the relay refuses whoever comes from a new listen."""
    found: list[tuple[str, str]] = []

    async def let() -> bool:
        if (place := await talker.listen()) is not None:
            found.append(place)
        return bool(found)

    await until(let, "a listen leads to a relay")
    ((address, token),) = found
    async with client(address) as rpc:
        call = rpc.method("ChatService/Connect")(metadata=((TICKET_METADATA, token),), timeout=SECONDS)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call.read()
    return refusal(caught.value)


@pytest.mark.parametrize(
    ("seconds", "reason", "said"),
    [(60.0, "TOKEN_EXPIRED", "got one of 6"), (-60.0, "TOKEN_NOT_YET_VALID", "ahead: the clocks of two machines")],
    ids=["ahead", "behind"],
)
async def test_it_refuses_clearly_and_locks_nobody_out(
    world: tuple[Settings, World], tmp_path: Path, seconds: float, reason: str, said: str
) -> None:
    settings, visitors = world
    ada = await visitors.person("ada")
    channel = (await ada.do("channels.create", name="Voice", limit=5))["channel"]["id"]
    talker = Talker(ada, channel)
    wrong = Off(beside(settings), tmp_path / "relay.log", seconds)
    await wrong.start()
    try:
        await wrong.ready()
        # The second time too: a listen leads there, and is refused for the clock and for nothing else.
        for _ in range(2):
            refused = await tried(talker)
            assert (refused.status, refused.reason) == ("UNAUTHENTICATED", reason)
            assert said in refused.message and "expected a channel token" in refused.message
    finally:
        await wrong.end()
    async with process(wrong.settings, frozenset({"relay"}), tmp_path / "relay.log") as right:
        await right.ready()
        joining = asyncio.create_task(talker.run())
        try:
            await until(lambda: _joined(talker), "ada is in once the clock is right", 60)
        finally:
            joining.cancel()


async def _joined(talker: Talker) -> bool:
    return talker.joins > 0
