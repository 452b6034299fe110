"""What processes of one installation ask of a relay, and nobody else may. Tests ``push/relay/service.py``,
``push/relay/peers.py`` and ``push/relay/guard.py``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf.struct_pb2 import Struct
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_status.rpc_status import aio as rpc_status

from push.relay.core_service_pb2 import Channel, User
from push.relay.peers import RelayPeer
from tests.push.relay.relaying import PROOF, RelayServer, member, relaying

# Each starts a server.
pytestmark = pytest.mark.long


@pytest.fixture
async def server() -> AsyncIterator[RelayServer]:
    async with relaying() as found:
        yield found


@asynccontextmanager
async def peer_of(server: RelayServer, proof: str = PROOF) -> AsyncIterator[RelayPeer]:
    found = RelayPeer(server.address, proof, seconds=30)
    try:
        yield found
    finally:
        await found.close()


@pytest.fixture
async def peer(server: RelayServer) -> AsyncIterator[RelayPeer]:
    async with peer_of(server) as found:
        yield found


async def fails(call: Awaitable[object]) -> tuple[str, str]:
    """The status of a call that fails."""
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await call
    return failed.value.code().name, failed.value.details() or ""


async def test_adding_twice_is_once(server: RelayServer, peer: RelayPeer) -> None:
    await peer.add(7, "seven", 3)
    await peer.add(7, "seven at last", 4)
    assert [(one.id, one.name, one.limit) for one in server.relay.served()] == [
        (1, "one", 25), (2, "two", 2), (7, "seven at last", 4),
    ]  # fmt: skip
    async with member(server, 1, 7):
        assert server.members(7) == [1]


@pytest.mark.parametrize(
    ("id", "limit", "said"),
    [(7, 0, "limit: expected 1 to 25, got 0"), (7, 26, "limit: expected 1 to 25, got 26"),
     (0, 5, "id: expected 1 or more, got 0")],
)  # fmt: skip
async def test_what_no_channel_is(server: RelayServer, peer: RelayPeer, id: int, limit: int, said: str) -> None:
    assert await fails(peer.add(id, "x", limit)) == ("INVALID_ARGUMENT", said)
    assert len(server.relay.served()) == 2


async def test_a_channel_is_added_empty(peer: RelayPeer) -> None:
    channel = Channel(id=7, limit=5, users=[User(id="ada")])
    assert await fails(peer._call("/ChatService/Add", channel, Struct)) == (
        "INVALID_ARGUMENT", "users: expected none, got 1",
    )  # fmt: skip


async def test_a_channel_is_removed_when_nobody_is_in_it(server: RelayServer, peer: RelayPeer) -> None:
    async with member(server, 1) as one:
        code, said = await fails(peer.remove(1))
        assert (code, said) == ("FAILED_PRECONDITION", "expected nobody in the channel, got 1")
        assert server.members() == [1] and not one.call.done()
        await one.call.done_writing()
        await one.ended()
        await peer.remove(1)
        await peer.remove(1)
        assert [found.id for found in server.relay.served()] == [2]


async def test_cut_and_drop_of_other_processes(server: RelayServer, peer: RelayPeer) -> None:
    async with member(server, 1) as one, member(server, 2) as two:
        assert not await peer.cut("user-1", 1)
        assert await peer.cut("user-1", 5)
        assert (await one.ended())[0] == "ABORTED"
        assert await peer.drop(1) == 1
        assert (await two.ended())[0] == "NOT_FOUND"
        assert await peer.drop(1) == 0


CALLS: list[Callable[[RelayPeer], Awaitable[object]]] = [
    lambda peer: peer.add(7, "seven", 3), lambda peer: peer.remove(2), lambda peer: peer.cut("user-1", 9),
    lambda peer: peer.drop(1),
]  # fmt: skip


@pytest.mark.parametrize("proof", ["", "another", PROOF + "x"])
@pytest.mark.parametrize("call", CALLS)
async def test_nobody_else_may(server: RelayServer, call: Callable[[RelayPeer], Awaitable[object]], proof: str) -> None:
    async with member(server, 1) as one, peer_of(server, proof) as stranger:
        code, said = await fails(call(stranger))
        assert code == "PERMISSION_DENIED" and "expected a process of this installation" in said
        assert [found.id for found in server.relay.served()] == [1, 2] and server.members() == [1]
        assert not one.call.done()


async def test_nobody_else_may_without_metadata(server: RelayServer) -> None:
    async with grpc.aio.insecure_channel(server.address) as connection:
        call: Any = connection.unary_unary("/ChatService/Remove", request_serializer=Channel.SerializeToString)
        assert (await fails(call(Channel(id=1), timeout=30)))[0] == "PERMISSION_DENIED"


@pytest.mark.parametrize(
    ("method", "fields", "said"),
    [("Cut", {}, "user: expected text of 1 to 128 characters, got NoneType"),
     ("Cut", {"user": "u"}, "version: expected a whole number of at most 2^53, got None"),
     ("Cut", {"user": "u", "version": 1.5}, "version: expected a whole number of at most 2^53, got another"),
     ("Drop", {"channel": "one"}, "channel: expected a whole number of at most 2^53, got another")],
)  # fmt: skip
async def test_members_of_a_struct_are_checked(peer: RelayPeer, method: str, fields: dict[str, Any], said: str) -> None:
    request = Struct()
    request.update(fields)
    assert await fails(peer._call(f"/klatsch.relay.Peers/{method}", request, Struct)) == ("INVALID_ARGUMENT", said)


async def test_a_refusal_says_its_type_to_programs(server: RelayServer) -> None:
    async with grpc.aio.insecure_channel(server.address) as connection:
        call: Any = connection.stream_stream("/ChatService/Connect")(timeout=30)
        assert (await call.code()).name == "UNAUTHENTICATED"
        status = await rpc_status.from_call(call)
        assert status is not None
        info = ErrorInfo()
        assert status.details[0].Unpack(info)
        assert (info.reason, info.domain) == ("CHANNEL_TOKEN_INVALID", "klatsch") and info.metadata["request_id"]
