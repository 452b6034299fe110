"""The server itself: health, reflection, TLS, its port. Tests ``api/grpc/server.py``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
import trustme
from google.protobuf.empty_pb2 import Empty
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from api.grpc.calls import Streaming, Unary
from api.grpc.inbound import Context
from api.grpc.server import GrpcServer, handler
from infra.base.settings import Settings
from infra.embedded.ports import free_port
from push.relay.core_service_pb2 import DESCRIPTOR, LoginRequest, LoginResponse, RegisterRequest
from tests.api.grpc.clients import SECONDS, Client, client, refusal

# Each starts a server.
pytestmark = pytest.mark.long


class Greeting:
    """A UserService that answers without anything behind it."""

    async def login(self, message: LoginRequest, context: Context) -> LoginResponse:
        return LoginResponse(token=f"for {message.user_id}")

    async def register(self, message: object, context: Context) -> Empty:
        raise ValueError("a secret of the server")


def greeting() -> dict[str, dict[str, Unary | Streaming]]:
    one = Greeting()
    return {"UserService": {"Login": one.login, "Register": one.register}}


@pytest.fixture
def settings() -> Settings:
    return Settings(grpc_port=free_port())


async def test_health_says_that_it_serves_and_then_that_it_goes(settings: Settings) -> None:
    server = GrpcServer(settings, greeting())
    await server.start()
    async with client(f"127.0.0.1:{settings.grpc_port}") as found:
        stub: Any = health_pb2_grpc.HealthStub(found.channel)
        for name in ("", "UserService", "ChannelService", "ChatService"):
            answer = await stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=SECONDS)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        await server.drain()
        answer = await stub.Check(health_pb2.HealthCheckRequest(service=""), timeout=SECONDS)
        assert answer.status == health_pb2.HealthCheckResponse.NOT_SERVING
        await server.stop()
    assert not server.ready


async def test_reflection_names_the_services(rpc: Client) -> None:
    channel: Any = rpc.channel
    stub: Any = reflection_pb2_grpc.ServerReflectionStub(channel)
    asked = reflection_pb2.ServerReflectionRequest(list_services="")
    async for answer in stub.ServerReflectionInfo(iter([asked]), timeout=SECONDS):
        names = {one.name for one in answer.list_services_response.service}
        assert set(DESCRIPTOR.services_by_name) < names and "grpc.health.v1.Health" in names


async def test_what_a_method_raises_is_told_by_its_id_only(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    server = GrpcServer(settings, greeting())
    await server.start()
    async with client(f"127.0.0.1:{settings.grpc_port}") as found:
        refused = await found.refused("UserService/Register", RegisterRequest())
    await server.stop()
    assert (refused.status, refused.reason) == ("INTERNAL", "INTERNAL") and "secret" not in refused.message
    assert "a secret of the server" in caplog.text


@pytest.mark.parametrize("path", ["UserService/Register", "ChannelService/List", "ChatService/Add"])
async def test_bytes_that_are_no_message_are_told_as_such(rpc: Client, path: str) -> None:
    method: Any = rpc.channel.unary_stream(f"/{path}")
    call = method(b"\xff" * 8, timeout=SECONDS)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call.read()
    found = refusal(caught.value)
    assert found.status == "INVALID_ARGUMENT" and found.reason in ("MALFORMED", "INVALID"), found
    assert "8 bytes" in found.message and "Decode" not in found.message


async def test_a_port_that_is_taken_is_an_error(settings: Settings) -> None:
    first, second = (GrpcServer(settings, greeting()) for _ in range(2))
    await first.start()
    with pytest.raises(RuntimeError, match=str(settings.grpc_port)):
        await second.start()
    await first.stop()


async def test_with_a_certificate_it_is_served_over_tls_only(tmp_path: Path) -> None:
    authority = trustme.CA()
    issued = authority.issue_cert("localhost")
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    certificate.write_bytes(b"".join(one.bytes() for one in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(key)
    settings = Settings(grpc_port=free_port(), grpc_certificate=str(certificate), grpc_key=str(key))
    server = GrpcServer(settings, greeting())
    await server.start()
    trusted = grpc.ssl_channel_credentials(authority.cert_pem.bytes())
    async with grpc.aio.secure_channel(f"localhost:{settings.grpc_port}", trusted) as channel:
        answer = await Client(channel)("UserService/Login", LoginRequest(user_id="ada"))
        assert answer.token == "for ada"
    async with client(f"127.0.0.1:{settings.grpc_port}") as plain:
        refused = await plain.refused("UserService/Login", LoginRequest())
        assert refused.status == "UNAVAILABLE"
    await server.stop()


def test_methods_that_are_none_of_the_contract_s_are_refused() -> None:
    with pytest.raises(LookupError, match="Register"):
        handler("UserService", {"Login": Greeting().login})
