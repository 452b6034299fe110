"""The gRPC server of a process: S1's services, with health and reflection, at one address."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import SERVICE_NAME as HEALTH
from grpc_health.v1.health import aio as health
from grpc_reflection.v1alpha import reflection

from api.grpc.calls import Streaming, Unary, streaming, unary
from api.grpc.certificates import server_credentials
from api.grpc.relay_limits import relay_limits
from api.grpc.strangers import Strangers
from infra.base.settings import Settings
from push.relay.core_service_pb2 import DESCRIPTOR
from push.relay.options import options

log = logging.getLogger(__name__)

#: Seconds that calls get to end when the server stops.
GRACE = 2.0
#: Largest message, in bytes, which is gRPC's own default: a report of some thousand channels with 25 users each.
MESSAGE_BYTES = 4 * 1024 * 1024


class GrpcServer:
    """Serves while started. ``address``: where others reach it, ``host:port``."""

    def __init__(
        self, settings: Settings, services: Mapping[str, Mapping[str, Unary | Streaming]],
        more: Sequence[grpc.GenericRpcHandler] = (),
    ) -> None:  # fmt: skip
        """``services``: methods by the names of the contract. ``more``: handlers of what is not S1's API."""
        self._settings = settings
        self._services = services
        self._more = more
        self._health = health.HealthServicer()
        self._server: grpc.aio.Server | None = None

    @property
    def ready(self) -> bool:
        """Whether calls are taken."""
        return self._server is not None

    async def start(self) -> None:
        """Raises RuntimeError when the port is taken, SettingsError for a certificate that is none."""
        limits = relay_limits(self._settings)
        chosen = {**options(limits), "grpc.max_receive_message_length": MESSAGE_BYTES}
        # Half for members, who may leave a call behind; half for all other calls.
        strangers = Strangers(
            each=self._settings.strangers, all=2 * limits.members, seconds=self._settings.body_seconds
        )  # fmt: skip
        server = grpc.aio.server(
            interceptors=[strangers], options=tuple(chosen.items()), maximum_concurrent_rpcs=4 * limits.members
        )
        handlers = [handler(name, methods) for name, methods in self._services.items()]
        server.add_generic_rpc_handlers((*handlers, *self._more))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        names = [*DESCRIPTOR.services_by_name, HEALTH, reflection.SERVICE_NAME]
        reflection.enable_server_reflection(names, server)
        address = f"{self._settings.host}:{self._settings.grpc_listen}"
        credentials = server_credentials(self._settings)
        if credentials is not None:
            server.add_secure_port(address, credentials)
        else:
            server.add_insecure_port(address)
        await server.start()
        self._server = server
        for name in ("", *DESCRIPTOR.services_by_name):
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)
        log.info("gRPC at %s", address)

    async def drain(self) -> None:
        """Tells whoever asks for its health that it goes."""
        await self._health.enter_graceful_shutdown()

    async def stop(self) -> None:
        """Gives calls a moment to end."""
        if self._server is not None:
            server, self._server = self._server, None
            await server.stop(GRACE)


def handler(name: str, methods: Mapping[str, Unary | Streaming]) -> grpc.GenericRpcHandler:
    """The handler of a service of the contract; its methods must be those that are given."""
    service = DESCRIPTOR.services_by_name[name]
    expected = {method.name for method in service.methods}
    if expected != methods.keys():
        raise LookupError(f"{name}: expected the methods {sorted(expected)}, got {sorted(methods)}")
    found: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}
    for method in service.methods:
        taken = GetMessageClass(method.input_type)
        printed = GetMessageClass(method.output_type).SerializeToString
        run: Any = methods[method.name]
        if method.server_streaming:
            found[method.name] = grpc.unary_stream_rpc_method_handler(
                streaming(run, taken), response_serializer=printed
            )
        else:
            found[method.name] = grpc.unary_unary_rpc_method_handler(unary(run, taken), response_serializer=printed)
    return grpc.method_handlers_generic_handler(name, found)
