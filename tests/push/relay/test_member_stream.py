"""What passes over the stream of a member, what ends it, and what becomes of who does not keep up."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

import msgspec
import pytest
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from push.relay.core.limits import RelayLimits
from push.relay.core_service_pb2 import Message
from push.relay.grpc_transport import TICKET_METADATA
from tests.push.conftest import until
from tests.push.relay.relaying import ChatMember, RelayServer, member, refused, relaying

#: For senders that fill what transports hold for who does not read: 4 MB.
UNHURRIED = RelayLimits(
    members=2, queue_frames=10, queue_bytes=70_000, bytes_second=100_000_000, frames_second=100_000, linger_seconds=0.1
)

# Each starts a server.
pytestmark = pytest.mark.long


@pytest.fixture
async def server() -> AsyncIterator[RelayServer]:
    async with relaying() as found:
        yield found


@pytest.mark.parametrize("forged", [2, 3, 4_294_967_295])
async def test_nobody_speaks_for_another(server: RelayServer, forged: int) -> None:
    async with member(server, 1) as one, member(server, 2) as two:
        await one.say(b"first")
        await one.say(b"forged", user_id=forged)
        assert await one.ended() == (
            "INVALID_ARGUMENT", f"user_id: expected 0, or the member's own number 1, got {forged}",
        )  # fmt: skip
        await until(lambda: server.members() == [2])
        await two.call.done_writing()
        assert [(each.user_id, each.data) for each in await two.rest()] == [(1, b"first")]


async def test_a_frame_that_is_too_large_costs_the_others_nothing(server: RelayServer) -> None:
    async with member(server, 1) as one, member(server, 2) as two, member(server, 3) as three:
        await one.say(b"x" * 65536)
        await one.say(b"x" * 65537)
        assert await one.ended() == ("INVALID_ARGUMENT", "data: expected at most 65536 bytes, got 65537")
        await two.say(b"after")
        assert [(each.user_id, len(each.data)) for each in await three.received(2)] == [(1, 65536), (2, 5)]


async def test_a_frame_beyond_what_the_server_reads_ends_its_sender_alone(server: RelayServer) -> None:
    async with member(server, 1) as one, member(server, 2) as two:
        await one.say(b"x" * 400_000)
        assert (await one.ended())[0] == "RESOURCE_EXHAUSTED"
        await until(lambda: server.members() == [2])
        assert not two.call.done()


async def test_who_sends_too_fast_is_cut_and_the_others_go_on() -> None:
    async with relaying(RelayLimits(frames_second=5)) as server, member(server, 1) as one, member(server, 2) as two:
        for place in range(6):
            await one.call.write(Message(data=b"%d" % place))
        assert await one.ended() == ("RESOURCE_EXHAUSTED", "expected at most 5 frames a second, got more")
        status = Status.FromString((await one.trailing())["grpc-status-details-bin"])
        info, retry = ErrorInfo(), RetryInfo()
        assert [status.details[0].Unpack(info), status.details[1].Unpack(retry)] == [True, True]
        assert (info.reason, retry.retry_delay.ToSeconds()) == ("RATE_LIMITED", 2)
        assert [each.data for each in await two.received(5)] == [b"%d" % place for place in range(5)]
        await until(lambda: server.members() == [2])


async def test_bytes_count_too() -> None:
    async with relaying(RelayLimits(bytes_second=66_000)) as server, member(server, 1) as one:
        await one.say(bytes(60_000))
        await one.say(bytes(60_000))
        assert await one.ended() == ("RESOURCE_EXHAUSTED", "expected at most 66000 bytes a second, got more")


async def test_who_does_not_read_loses_the_oldest_frames_and_is_told_how_many() -> None:
    limits = RelayLimits(queue_frames=10, queue_bytes=70_000, bytes_second=100_000_000, frames_second=100_000)
    async with relaying(limits) as server, member(server, 1) as one, member(server, 2) as two:
        # Far more than transports hold for who does not read: 4 MB.
        count, waiting, most = 2_000, server.queue_of(2), 0
        async with member(server, 3) as three:
            for place in range(count):
                await one.say(place.to_bytes(4) + bytes(8_000))
                most = max(most, waiting.size)
                if place % 5 == 4:
                    assert len(await three.received(5)) == 5
        assert 60_000 < most <= 70_000
        await two.call.done_writing()
        found = [int.from_bytes(each.data[:4]) for each in await two.rest()]
        dropped = int((await two.trailing())["frames-dropped"])
        assert found == sorted(found) and found[0] == 0
        assert len(found) + dropped == count and dropped > 1_000
        # The oldest are dropped: the last ones are there.
        assert found[-5:] == list(range(count - 5, count))


async def test_a_member_who_never_reads_can_be_cut(server: RelayServer) -> None:
    async with member(server, 1) as one, member(server, 2):
        for _ in range(150):
            await one.say(bytes(3_000))
        assert server.relay.cut("user-2", 100)
        await until(lambda: server.members() == [1])
        assert await server.relay.drain(20.0)


async def test_the_count_is_exact_for_who_is_cut_off_and_does_not_read() -> None:
    limits = msgspec.structs.replace(UNHURRIED, members=3, queue_frames=20, queue_bytes=200_000)
    async with (
        relaying(limits) as server,
        member(server, 1) as one,
        member(server, 2) as two,
        member(server, 3) as three,
    ):
        for _ in range(80):
            for _ in range(10):
                await one.say(bytes(8_000))
            assert len(await three.received(10)) == 10
        held = server.queue_of(2)
        assert server.relay.cut("user-2", 1_000)
        # Until the status is under way, which the frames before it hold up.
        await until(lambda: not held)
        found = len(await two.rest())
        assert (await two.ended())[0] == "ABORTED"
        assert found + int((await two.trailing())["frames-dropped"]) == 800 and found < 790


async def filled(server: RelayServer, sender: ChatMember, number: int) -> None:
    """More is said than transports hold for the member with this number, who does not read."""
    waiting = server.queue_of(number)
    for _ in range(800):
        await sender.say(bytes(8_000))
    await until(lambda: waiting.dropped > 50)


async def test_who_has_left_and_does_not_read_holds_one_of_a_bounded_number_of_calls() -> None:
    async with relaying(UNHURRIED) as server, member(server, 1) as one:
        held: list[ChatMember] = []
        for number in (2, 3, 4):
            other = ChatMember(server.address, ((TICKET_METADATA, server.issuer.token(number)),))
            held.append(other)
            await other.joined()
            await filled(server, one, number)
            assert server.relay.cut(f"user-{number}", 1_000)
            assert server.members() == [1]
        code, said = await refused(server, (TICKET_METADATA, server.issuer.token(5)))
        assert (code, said) == ("UNAVAILABLE", "expected fewer than 4 calls here, try again")
        # A lost connection ends its call, and one that is read is told why it ended.
        await held[0].connection.close()
        assert len(await held[1].rest()) > 100 and (await held[1].ended())[0] == "ABORTED"
        await until(lambda: server.relay._calls < 4)
        async with member(server, 6):
            assert server.members() == [1, 6]
        await held[2].connection.close()


async def test_nothing_that_is_said_is_logged(server: RelayServer, caplog: pytest.LogCaptureFixture) -> None:
    marker = "a secret that is said"
    caplog.set_level(logging.DEBUG)
    async with member(server, 1) as one, member(server, 2) as two:
        await one.say(marker.encode())
        assert [each.data for each in await two.received(1)] == [marker.encode()]
        await one.say(marker.encode(), user_id=7)
        await one.ended()
        await two.say(marker.encode() * 20_000)
        await two.ended()
    assert marker not in caplog.text


async def test_a_fault_ends_the_call_with_an_id_and_without_its_text(
    server: RelayServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> bytes:
        raise RuntimeError(marker)

    marker = "a secret that is said"

    async with member(server, 1) as one:
        monkeypatch.setattr("push.relay.relay.relayed", broken)
        await one.say(b"x")
        code, said = await one.ended()
        assert code == "INTERNAL" and said.startswith("a fault of the server, logged as ")
        assert "RuntimeError in a call to the relay" in caplog.text and marker not in caplog.text + said
