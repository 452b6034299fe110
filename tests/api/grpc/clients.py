"""A client of S1's services, made of the contract's descriptor; how a refusal is read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import grpc.aio
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from grpc_status import rpc_status

from push.relay.core_service_pb2 import DESCRIPTOR

#: Seconds in which a call is answered, on a busy machine too.
SECONDS = 30.0


class Refused(NamedTuple):
    """A status that is no success, with what its details say."""

    status: str
    message: str
    #: ErrorInfo's reason and type; empty where there is none.
    reason: str
    type: str
    #: BadRequest: description by field.
    fields: dict[str, str]
    #: RetryInfo, in seconds; None where there is none.
    retry: float | None


class Client:
    """Calls methods by name: ``client("UserService/Login", LoginRequest(...))``."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.channel = channel

    def method(self, path: str) -> Any:
        """The method as grpc.aio gives it."""
        service, _, name = path.partition("/")
        found = DESCRIPTOR.services_by_name[service].methods_by_name[name]
        kinds = {False: "unary", True: "stream"}
        make = getattr(self.channel, f"{kinds[found.client_streaming]}_{kinds[found.server_streaming]}")
        return make(
            f"/{path}",
            request_serializer=GetMessageClass(found.input_type).SerializeToString,
            response_deserializer=GetMessageClass(found.output_type).FromString,
        )

    async def __call__(self, path: str, message: Message, token: str = "", **metadata: str) -> Any:
        """The answer; a list of all that a stream brings."""
        given = [(name.replace("_", "-"), value) for name, value in metadata.items()]
        if token:
            given.append(("authorization", f"Bearer {token}"))
        call = self.method(path)(message, metadata=given, timeout=SECONDS)
        return await call if not hasattr(call, "__aiter__") else [one async for one in call]

    async def refused(self, path: str, message: Message, token: str = "", **metadata: str) -> Refused:
        """What a call that must be refused is refused with."""
        try:
            answer = await self(path, message, token, **metadata)
        except grpc.aio.AioRpcError as error:
            return refusal(error)
        raise AssertionError(f"{path}: expected a refusal, got {answer}")


def refusal(error: grpc.aio.AioRpcError) -> Refused:
    """What an error of a call says."""
    info, retry, bad = ErrorInfo(), RetryInfo(), BadRequest()
    status = rpc_status.from_call(error)  # type: ignore[arg-type]
    for one in status.details if status is not None else ():
        for detail in (info, retry, bad):
            one.Unpack(detail)
    return Refused(
        error.code().name, error.details() or "", info.reason, info.metadata.get("type", ""),
        {one.field: one.description for one in bad.field_violations},
        retry.retry_delay.ToMilliseconds() / 1000 if retry.HasField("retry_delay") else None,
    )  # fmt: skip


@asynccontextmanager
async def client(address: str) -> AsyncIterator[Client]:
    async with grpc.aio.insecure_channel(address) as channel:
        yield Client(channel)
