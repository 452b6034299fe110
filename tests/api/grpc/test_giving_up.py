"""Calls that a client gives up are given up by the server, and may be repeated. Tests ``api/grpc/calls.py`` and
``api/grpc/inbound.py``."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio
import pytest
from prometheus_client import REGISTRY

from infra.base import postgres
from infra.base.postgres import Connection
from infra.base.settings import Settings
from push.relay.core_service_pb2 import Channel
from tests.api.grpc.clients import SECONDS, Client
from tests.api.grpc.test_channels import Account, account
from tests.running import until

#: Seconds after which a client gives up in these tests; what it asks for cannot come before.
PATIENCE = 4.0


@pytest.fixture
async def ada(rpc: Client) -> Account:
    return await account(rpc, "ada")


@asynccontextmanager
async def locked(settings: Settings) -> AsyncIterator[Connection]:
    """Nobody reads channels within the block; gives a connection that sees who tries to."""
    async with postgres.connected(settings) as holder, postgres.connected(settings) as watcher, holder.transaction():
        await holder.execute("lock table channels in access exclusive mode")
        yield watcher


async def reading(watcher: Connection) -> bool:
    """Whether a query of the API's waits for channels."""
    sql = (
        "select count(*) from pg_locks l join pg_stat_activity a using (pid) "
        "where l.relation = 'channels'::regclass and not l.granted and a.query like '%from channels where%'"
    )
    return bool(await watcher.fetchval(sql))


async def no_longer_reading(watcher: Connection) -> bool:
    return not await reading(watcher)


def given_up(operation: str) -> float:
    """How many calls of the operation have ended because their client was gone."""
    labels = {"operation": operation, "transport": "grpc", "outcome": "disconnected"}
    return REGISTRY.get_sample_value("klatsch_request_seconds_count", labels) or 0


def asked(ada: Account, path: str, message: Channel, **metadata: str) -> Callable[[float | None], Any]:
    """Makes the call, with a deadline after so many seconds or without."""
    given = [("authorization", f"Bearer {ada.token}"), *((name.replace("_", "-"), v) for name, v in metadata.items())]
    return lambda seconds: ada.rpc.method(path)(message, metadata=given, timeout=seconds)


async def code(call: Any) -> grpc.StatusCode:
    """With which status it ends, and not by an answer."""
    found: grpc.StatusCode = await call.code()
    return found


@pytest.mark.parametrize("by", ["deadline", "cancel"])
@pytest.mark.parametrize(
    ("method", "operation"), [("List", "channels.list"), ("Listen", "channels.listen")], ids=["list", "listen"]
)
async def test_what_a_client_gives_up_is_read_no_further(
    ada: Account, installed: Settings, by: str, method: str, operation: str
) -> None:
    made = await ada.channel()
    ask = asked(ada, f"ChannelService/{method}", made if method == "Listen" else Channel())
    # The read models have it: what waits below waits for the lock and for nothing else.
    await ada("ChannelService/List", made)
    before = given_up(operation)
    async with locked(installed) as watcher:
        call = ask(PATIENCE if by == "deadline" else SECONDS)
        await until(lambda: reading(watcher), "the call waits for Postgres")
        if by == "cancel":
            call.cancel()
        expected = grpc.StatusCode.DEADLINE_EXCEEDED if by == "deadline" else grpc.StatusCode.CANCELLED
        assert await code(call) is expected

        async def ended() -> bool:
            return given_up(operation) == before + 1

        # While nobody can read: so that it was not answered, and its connection to Postgres is free for others.
        await until(ended, "the server gives the call up")
        await until(lambda: no_longer_reading(watcher), "its query is cancelled")
    # And it has not happened: listening is not refused as a second one would be.
    assert await ada.listen(made.id)


async def test_what_timed_out_is_repeated_with_its_key(ada: Account, installed: Settings) -> None:
    """Whether a Create that timed out has happened nobody knows: its key tells."""
    name, key = f"Voice {secrets.token_hex(5)}", secrets.token_hex(8)
    ask = asked(ada, "ChannelService/Create", Channel(name=name, limit=5), idempotency_key=key)
    # A deadline that hits anything from before the start to after the end of the work.
    for seconds in (0.001, 0.003, 0.01, 0.03):
        await code(ask(seconds))
    first, again = await ask(SECONDS), await ask(SECONDS)
    assert first == again and first.name == name
    named = [one.id for one in await ada("ChannelService/List", Channel()) if one.name == name]
    assert named == [first.id]
    refused = await ada.rpc.refused(
        "ChannelService/Create", Channel(name="Another", limit=5), ada.token, idempotency_key=key
    )
    assert (refused.status, refused.reason) == ("FAILED_PRECONDITION", "KEY_REUSED")
