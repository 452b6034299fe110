"""A call as gRPC has it: metadata, and a message for members. Parses, no more: see ``api/core/dispatch.py``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import grpc.aio

from api.core.auth import identify
from api.core.calls import Services
from api.core.operation import Operation
from api.core.tokens import Identity
from api.core.transport import Parsed
from api.support.problems import Problem
from push.transports.door import network

#: Metadata of any call.
AUTHORIZATION, KEY, POSITION = "authorization", "idempotency-key", "klatsch-position"

Context = grpc.aio.ServicerContext[Any, Any]


class GrpcInbound:
    """Implements transport.Inbound. ``members`` gives the operation's members, and may raise Problem."""

    transport = "grpc"
    connection = None
    past = False
    traceparent = None
    api_key = None

    def __init__(
        self, services: Services, context: Context, members: Callable[[], dict[str, Any]], token: str | None = None
    ) -> None:
        """``token``: of who calls, instead of the one in the metadata."""
        self._services = services
        self._token = token
        self._metadata = context.invocation_metadata() or ()
        self._members = members
        self.address = peer_address(context.peer())

    async def identify(self) -> Identity | None:
        shown = self._one(AUTHORIZATION) if self._token is None else f"Bearer {self._token}"
        return await identify(self._services, shown, self.address)

    async def read(self, operation: Operation) -> Parsed:
        return Parsed(self._members(), self._one(KEY), self._one(POSITION))

    def _one(self, name: str) -> str | None:
        """The value of metadata that may be there once. Raises Problem ``invalid``, of a token ``unauthenticated``."""
        found = [value for key, value in self._metadata if key == name]
        if len(found) > 1:
            code = "unauthenticated" if name == AUTHORIZATION else "invalid"
            raise Problem(code, f"metadata `{name}`: expected it once, got it {len(found)} times")
        return str(found[0]) if found else None


def peer_address(peer: str) -> str:
    """Where a call comes from, as limits count it: of ``ipv4:10.0.0.1:50000`` the address, of IPv6 its /64; else ""."""
    kind, _, place = peer.partition(":")
    if kind not in ("ipv4", "ipv6"):
        return ""
    return network(unquote(place).rpartition(":")[0].strip("[]"))
