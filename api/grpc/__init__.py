"""Operations over gRPC: the services of S1 (``schemas/proto/core_service.proto``), as a third transport."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from api.core.calls import Services
from api.core.operation import Operation
from api.grpc.calls import Calls, Streaming, Unary
from api.grpc.channels import ChannelService
from api.grpc.relaying import ReportedRelay
from api.grpc.server import GrpcServer
from api.grpc.users import UserService
from infra.base.settings import Settings


def grpc_server(
    settings: Settings, services: Services, operations: Iterable[Operation], relay: ReportedRelay
) -> GrpcServer:
    """The server of a process with all of S1's services."""
    calls = Calls(services, operations)
    methods: dict[str, Mapping[str, Unary | Streaming]] = {
        "UserService": UserService(calls).methods,
        "ChannelService": ChannelService(calls).methods,
    }
    return GrpcServer(settings, methods, relay.handlers)
