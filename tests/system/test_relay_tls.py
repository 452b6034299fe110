"""TLS between processes: an API and two relays with a certificate that is signed by itself.
Tests ``api/grpc/certificates.py`` and ``api/grpc/relays.py``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from msgspec.structs import replace

from infra.base import postgres
from infra.base.settings import Settings
from push.relay.grpc_transport import NUMBER_METADATA, TICKET_METADATA
from tests.api.grpc.certified import self_signed
from tests.api.grpc.clients import SECONDS, Client
from tests.client import visiting
from tests.parts import Parts
from tests.running import until
from tests.servers import ALL, installation, process
from tests.system.talking import Talker, beside

pytestmark = pytest.mark.long

NAME = "chat.example.org"


def _certificate(settings: Settings) -> bytes:
    return Path(settings.grpc_certificate).read_bytes()


@asynccontextmanager
async def connected(settings: Settings, address: str, token: str) -> AsyncIterator[Any]:
    """A call of Connect over TLS, which is let in."""
    trusted = grpc.ssl_channel_credentials(_certificate(settings))
    options = [("grpc.ssl_target_name_override", NAME)]
    async with grpc.aio.secure_channel(address, trusted, options) as channel:
        call = Client(channel).method("ChatService/Connect")(metadata=((TICKET_METADATA, token),))
        assert NUMBER_METADATA in dict(await asyncio.wait_for(call.initial_metadata(), SECONDS))
        yield call
        call.cancel()


async def listened(talker: Talker) -> tuple[str, str]:
    found: list[tuple[str, str]] = []

    async def let() -> bool:
        if (place := await talker.listen()) is not None:
            found.append(place)
        return bool(found)

    await until(let, "a listen")
    return found[0]


async def test_processes_call_one_another_over_tls(parts: Parts, tmp_path: Path) -> None:
    async with installation(parts) as plain, AsyncExitStack() as stack:
        # Reports are rare: what happens here happens by calls of one process to another.
        settings = replace(
            self_signed(plain, tmp_path, NAME), grpc_name=NAME, channel_report_seconds=3600.0,
            channel_server_seconds=7200.0,
        )  # fmt: skip
        ours = [settings, beside(settings), beside(settings)]
        roles = [ALL, frozenset({"relay"}), frozenset({"relay"})]
        processes = [
            await stack.enter_async_context(process(own, running, tmp_path / f"{n}.log"))
            for n, (own, running) in enumerate(zip(ours, roles, strict=True))
        ]
        for one in processes:
            await one.ready()
        world = await stack.enter_async_context(visiting(processes[0].url))
        ada = await world.person("ada")
        first, second = [(await ada.do("channels.create", name="V", limit=2))["channel"]["id"] for _ in range(2)]
        # The API gives the channel to a relay: Add.
        address, token = await listened(Talker(ada, first))
        call = await stack.enter_async_context(connected(settings, address, token))
        async with postgres.connected(settings) as connection:
            await connection.execute("update channel_servers set busy = 1 where address = $1", address)
        # The relay where she connects later tells the first one: Cut.
        other, token = await listened(Talker(ada, second))
        assert other != address
        later = await stack.enter_async_context(connected(settings, other, token))
        assert await asyncio.wait_for(call.code(), SECONDS) is grpc.StatusCode.ABORTED
        # And deleting tells the relay: Drop.
        await ada.do("channels.delete", channel=second)
        assert await asyncio.wait_for(later.code(), SECONDS) is grpc.StatusCode.NOT_FOUND
