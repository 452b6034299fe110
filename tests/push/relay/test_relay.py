"""Who is in a channel over gRPC, and how a connection begins and is cut off."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import grpc
import grpc.aio
import pytest

from push.relay.grpc_transport import TICKET_METADATA
from tests.push.conftest import until
from tests.push.relay.relaying import RelayServer, member, refused, relaying

# Each starts a server.
pytestmark = pytest.mark.long


@pytest.fixture
async def server() -> AsyncIterator[RelayServer]:
    async with relaying() as found:
        yield found


async def test_what_a_member_says_goes_to_all_others_in_one_order(server: RelayServer) -> None:
    async with AsyncExitStack() as stack:
        one, two, three = [await stack.enter_async_context(member(server, number)) for number in (1, 2, 3)]
        assert server.members() == [1, 2, 3]
        for place in range(20):
            await one.say(b"a%d" % place, user_id=0, timestamp=place)
            await two.say(b"b%d" % place, user_id=2, timestamp=1000 + place)
        heard = await three.received(40)
        assert {(each.user_id, each.data[:1]) for each in heard} == {(1, b"a"), (2, b"b")}
        assert [each.timestamp for each in heard if each.user_id == 1] == list(range(20))
        assert [each.data for each in await two.received(20)] == [b"a%d" % place for place in range(20)]
        assert [each.timestamp for each in await one.received(20)] == list(range(1000, 1020))


async def test_half_close_is_quitting(server: RelayServer) -> None:
    async with member(server, 1) as one, member(server, 2) as two:
        await one.say(b"bye")
        assert [each.data for each in await two.received(1)] == [b"bye"]
        await two.say(b"and you")
        # Which of the two comes first, the frame or the end, is nobody's to say.
        assert [each.data for each in await one.received(1)] == [b"and you"]
        await one.call.done_writing()
        assert await one.rest() == []
        assert (await one.ended())[0] == "OK"
        assert (await one.trailing())["frames-dropped"] == "0"
        await until(lambda: server.members() == [2])
    await until(lambda: server.members() == [])
    assert server.told == [("joined", "name1"), ("joined", "name2"), ("left", "name1"), ("left", "name2")]


async def test_cancelling_is_quitting(server: RelayServer) -> None:
    async with member(server, 1) as one:
        one.call.cancel()
        await until(lambda: server.members() == [])


async def test_a_token_is_needed_and_good_once(server: RelayServer) -> None:
    assert await refused(server) == ("UNAUTHENTICATED", "expected one channel-token in the metadata, got 0")
    token = server.issuer.token(1)
    code, said = await refused(server, (TICKET_METADATA, token), (TICKET_METADATA, token))
    assert code == "UNAUTHENTICATED" and "got 2" in said
    code, said = await refused(server, (TICKET_METADATA, "x" * 5000))
    assert code == "UNAUTHENTICATED" and "expected at most 4096 characters, got 5000" in said
    code, said = await refused(server, (TICKET_METADATA, server.issuer.token(1, secret="b" * 64)))
    assert code == "UNAUTHENTICATED" and "of this installation" in said
    code, said = await refused(server, (TICKET_METADATA, server.issuer.token(1, timestamp=time.time() - 11)))
    assert code == "UNAUTHENTICATED" and "expected a channel token of the last 10 s" in said
    code, said = await refused(server, (TICKET_METADATA, server.issuer.token(1, server="relay-2")))
    assert code == "UNAUTHENTICATED" and "for server 'relay-1'" in said
    async with member(server, 1, token=token):
        code, said = await refused(server, (TICKET_METADATA, token))
        assert (code, said) == ("UNAUTHENTICATED", "expected a channel token that was not used, got one that was")
        assert server.members() == [1]


async def test_a_channel_that_is_not_served_here(server: RelayServer) -> None:
    code, said = await refused(server, (TICKET_METADATA, server.issuer.token(1, channel=9)))
    assert (code, said) == ("UNAVAILABLE", "channel 9 is not served here: call Listen again")


async def test_a_full_channel_takes_no_one_but_who_is_in_it(server: RelayServer) -> None:
    async with member(server, 1, 2) as one, member(server, 2, 2):
        code, said = await refused(server, (TICKET_METADATA, server.issuer.token(3, 2)))
        assert (code, said) == ("FAILED_PRECONDITION", "expected fewer than 2 members, got 2")
        async with member(server, 1, 2):
            assert (await one.ended())[0] == "ABORTED"
            assert server.members(2) == [2, 1]


async def test_connecting_elsewhere_cuts_the_earlier_connection(server: RelayServer) -> None:
    old = server.issuer.token(1)
    async with member(server, 1, 1) as one, member(server, 1, 2):
        code, said = await one.ended()
        assert code == "ABORTED" and "connected elsewhere" in said
        assert (server.members(1), server.members(2)) == ([], [1])
        code, said = await refused(server, (TICKET_METADATA, old))
        assert code == "UNAUTHENTICATED" and "of the user's latest Listen, 3, got one of 1" in said
        assert server.members(2) == [1]


async def test_cut_ends_older_connections_only(server: RelayServer) -> None:
    async with member(server, 1) as one:
        assert not server.relay.cut("user-1", 1) and not server.relay.cut("user-2", 9)
        assert server.members() == [1]
        assert server.relay.cut("user-1", 2)
        assert (await one.ended())[0] == "ABORTED"


async def test_a_deleted_channel_lets_go_of_all(server: RelayServer) -> None:
    async with member(server, 1) as one, member(server, 2) as two, member(server, 3, 2):
        assert server.relay.drop(1) == 2
        assert await one.ended() == await two.ended() == ("NOT_FOUND", "the channel was deleted")
        assert [found.id for found in server.relay.served()] == [2]
        assert server.members(2) == [3]
        code, _ = await refused(server, (TICKET_METADATA, server.issuer.token(1)))
        assert code == "UNAVAILABLE"


async def test_draining_sends_everybody_to_listen_again(server: RelayServer) -> None:
    async with member(server, 1) as one, member(server, 2) as two:
        await one.say(b"last words")
        assert [each.data for each in await two.received(1)] == [b"last words"]
        assert await server.relay.drain()
        for each in (one, two):
            assert await each.ended() == ("UNAVAILABLE", "this server ends: call Listen again")
        assert not server.relay.ready and server.members() == []
        code, said = await refused(server, (TICKET_METADATA, server.issuer.token(3)))
        assert (code, said) == ("UNAVAILABLE", "this server ends: call Listen again")


async def test_many_calls_without_a_token_are_refused_and_leave_nothing(server: RelayServer) -> None:
    async with member(server, 1) as one, member(server, 2) as two:
        pool = [("grpc.use_local_subchannel_pool", 1)]
        connections = [grpc.aio.insecure_channel(server.address, options=pool) for _ in range(20)]
        # None of them is closed by its client.
        calls: list[Any] = [
            each.stream_stream("/ChatService/Connect")(timeout=60) for each in connections for _ in range(50)
        ]
        assert {(await call.code()).name for call in calls} == {"UNAUTHENTICATED"}
        assert server.members() == [1, 2]
        await one.say(b"still here")
        assert [each.data for each in await two.received(1)] == [b"still here"]
        await asyncio.gather(*(each.close() for each in connections))
