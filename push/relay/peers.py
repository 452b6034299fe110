"""How a process asks the relays of others: to serve a channel or not, and to cut members off."""

from __future__ import annotations

from typing import Any

import grpc
import grpc.aio
from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct

from push.relay.core_service_pb2 import Channel
from push.relay.guard import PROOF_METADATA
from push.relay.service import CHAT, PEERS


class RelayPeer:
    """The relay at one address, ``host:port``. All methods raise grpc.aio.AioRpcError, in ``seconds`` at the latest."""

    def __init__(
        self, address: str, proof: str, *, seconds: float = 2.0, credentials: grpc.ChannelCredentials | None = None,
        name: str = "",
    ) -> None:  # fmt: skip
        """``proof``: empty for a server of others, which must not learn it. ``credentials``: for TLS; None: without.
        ``name``: what its certificate must be of; empty: the host of the address."""
        if credentials is None:
            self._channel = grpc.aio.insecure_channel(address)
        else:
            options = [("grpc.ssl_target_name_override", name)] if name else []
            self._channel = grpc.aio.secure_channel(address, credentials, options)
        self._metadata = ((PROOF_METADATA, proof),) if proof else ()
        self._seconds = seconds

    async def close(self) -> None:
        """No call after it."""
        await self._channel.close()

    async def add(self, id: int, name: str, limit: int) -> None:
        """The relay serves a channel from now on."""
        await self._call(f"/{CHAT}/Add", Channel(id=id, name=name, limit=limit), Empty)

    async def remove(self, id: int) -> None:
        """The relay serves a channel no more; refused (FAILED_PRECONDITION) while somebody is in it."""
        await self._call(f"/{CHAT}/Remove", Channel(id=id), Empty)

    async def cut(self, user: str, version: int) -> bool:
        """A user is connected elsewhere with a token of this version. Returns whether an older connection was cut."""
        request = Struct()
        request.update({"user": user, "version": version})
        answer = await self._call(f"/{PEERS}/Cut", request, Struct)
        return bool(answer["cut"])

    async def drop(self, channel: int) -> int:
        """A channel was deleted. Returns how many members were cut off."""
        request = Struct()
        request.update({"channel": channel})
        answer = await self._call(f"/{PEERS}/Drop", request, Struct)
        return int(answer["cut"])

    async def _call(self, method: str, request: Message, answer: type[Message]) -> Any:
        call = self._channel.unary_unary(
            method, request_serializer=type(request).SerializeToString, response_deserializer=answer.FromString
        )
        return await call(request, metadata=self._metadata, timeout=self._seconds)
