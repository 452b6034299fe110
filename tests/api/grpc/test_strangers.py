"""What calls of strangers may take. Tests ``api/grpc/strangers.py``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from api.grpc import strangers
from api.grpc.server import GrpcServer
from infra.base.settings import Settings
from infra.embedded.ports import free_port
from push.relay.core_service_pb2 import LoginRequest, LoginResponse
from tests.api.grpc.clients import SECONDS, Client, client, refusal
from tests.api.grpc.test_server import greeting
from tests.running import until

pytestmark = pytest.mark.long


@asynccontextmanager
async def greeted(**fields: Any) -> AsyncIterator[Client]:
    """A client of a server with such settings."""
    settings = Settings(grpc_port=free_port(), **fields)
    server = GrpcServer(settings, greeting())
    await server.start()
    try:
        async with client(f"127.0.0.1:{settings.grpc_port}") as found:
            yield found
    finally:
        await server.stop()


def half_open(found: Client) -> Any:
    """A call of Login that has not sent its request."""
    method = found.channel.stream_unary(
        "/UserService/Login", request_serializer=LoginRequest.SerializeToString,
        response_deserializer=LoginResponse.FromString,
    )  # fmt: skip
    return method(timeout=SECONDS)


async def refused(call: Any) -> tuple[str, str, str]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await asyncio.wait_for(call, SECONDS)
    found = refusal(caught.value)
    return found.status, found.reason, found.message


async def greets(found: Client) -> bool:
    try:
        return bool((await found("UserService/Login", LoginRequest(user_id="ada"))).token)
    except grpc.aio.AioRpcError:
        return False


async def filled(found: Client, places: int) -> list[Any]:
    """Half-open calls in all places. A greeting that looks for a place takes one while it lasts, and a half-open call
    that comes just then is refused: another one comes in its stead."""
    calls: list[Any] = []

    async def full() -> bool:
        calls[:] = [call for call in calls if not call.done()]
        calls.extend(half_open(found) for _ in range(places - len(calls)))
        return not await greets(found) and not any(call.done() for call in calls)

    await until(full, f"{places} calls wait for their requests")
    return calls


async def test_who_does_not_say_what_they_ask_for_is_not_waited_for() -> None:
    async with greeted(body_seconds=0.5) as found:
        assert await refused(half_open(found)) == (
            "DEADLINE_EXCEEDED", "TOO_SLOW", "expected the call's request within 0.5 s, got none"
        )  # fmt: skip


async def test_who_ends_without_a_request_is_told_so() -> None:
    async with greeted() as found:
        call = half_open(found)
        await call.done_writing()
        assert (await refused(call))[:2] == ("INVALID_ARGUMENT", "MALFORMED")


async def test_one_address_has_few_and_gets_them_back() -> None:
    async with greeted(strangers=3) as found:
        calls = await filled(found, 3)
        status, reason, said = await refused(half_open(found))
        assert (status, reason) == ("UNAVAILABLE", "OVERLOADED")
        assert said == "expected fewer than 3 calls of one address that have sent no request yet, got 3"
        # One of them does say what it asks for, and another one leaves.
        await calls[0].write(LoginRequest(user_id="late"))
        assert (await calls[0]).token == "for late"
        calls[1].cancel()
        await until(lambda: greets(found), "the places are free again")
        calls[2].cancel()


async def test_all_together_are_bounded_too() -> None:
    async with greeted(channel_server_members=1) as found:
        calls = await filled(found, 2)
        assert "expected fewer than 2 calls of all that" in (await refused(half_open(found)))[2]
        for call in calls:
            call.cancel()


async def test_whoever_watches_health_is_a_stranger_to_the_end() -> None:
    async with greeted(strangers=2) as found:
        stub: Any = health_pb2_grpc.HealthStub(found.channel)
        watches = [stub.Watch(health_pb2.HealthCheckRequest(), timeout=SECONDS) for _ in range(2)]
        for watch in watches:
            assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.Check(health_pb2.HealthCheckRequest(), timeout=SECONDS)
        assert refusal(caught.value).reason == "OVERLOADED"
        for watch in watches:
            watch.cancel()
        await until(lambda: greets(found), "the places are free again")


async def test_reflection_is_asked_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strangers, "REFLECTION_SECONDS", 0.5)
    async with greeted() as found:
        channel: Any = found.channel
        stub: Any = reflection_pb2_grpc.ServerReflectionStub(channel)
        call = stub.ServerReflectionInfo(timeout=SECONDS)
        await call.write(reflection_pb2.ServerReflectionRequest(list_services=""))
        assert (await call.read()).HasField("list_services_response")
        assert await asyncio.wait_for(call.code(), SECONDS) is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_bytes_that_are_no_question_are_told_as_such() -> None:
    async with greeted() as found:
        method: Any = found.channel.unary_unary("/grpc.health.v1.Health/Check")
        assert (await refused(method(b"\xff" * 8, timeout=SECONDS)))[:2] == ("INVALID_ARGUMENT", "MALFORMED")
