"""How a method of a service runs an operation: through the pipeline, and its refusal as gRPC's status."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message import DecodeError, Message

from api.core.calls import Services
from api.core.dispatch import Dispatcher
from api.core.operation import Operation
from api.core.places import over_grpc
from api.core.transport import Answer, Disconnected, Refusal
from api.grpc.inbound import POSITION, Context, GrpcInbound
from api.grpc.statuses import status_of
from api.sessions import CURRENT
from api.support import problems
from api.support.problems import Problem
from infra.base import request_ids

log = logging.getLogger(__name__)

#: A method that answers with one message, or with a stream of them.
Unary = Callable[[Any, Context], Awaitable[Message]]
Streaming = Callable[[Any, Context], AsyncIterator[Message]]


class Calls:
    """Runs operations for all services."""

    def __init__(self, services: Services, operations: Iterable[Operation]) -> None:
        self._services = services
        self._operations = {operation.name: operation for operation in operations}
        self._dispatcher = Dispatcher(services)

    async def run(
        self, context: Context, name: str, members: Callable[[], dict[str, Any]], fields: Mapping[str, str] = {}
    ) -> dict[str, Any]:
        """What the operation answers, with its position in the trailing metadata; a refusal ends the call.

        ``fields``: how the message names members that the operation names otherwise.
        """
        inbound = GrpcInbound(self._services, context, members)
        reply = await self._dispatcher.dispatch(self._operations[name], inbound, _itself)
        if isinstance(reply, Refusal):
            await context.abort_with_status(status_of(over_grpc(reply.problem, fields)))
            raise AssertionError("an ended call goes on")
        if reply.position:
            context.set_trailing_metadata(((POSITION, reply.position),))
        return reply.members or {}

    async def log_out(self, context: Context, token: str) -> None:
        """Closes the session of a token that the client is not given; what is closed already is well."""
        inbound = GrpcInbound(self._services, context, lambda: {"session": CURRENT}, token)
        reply = await self._dispatcher.dispatch(self._operations["sessions.close"], inbound, _itself)
        if isinstance(reply, Refusal) and reply.problem.code != "token_revoked":
            log.warning("a session that nobody has the token of stays open until it expires: %s", reply.problem.code)


def _itself(answer: Answer) -> Answer:
    return answer


def unary(method: Unary, taken: type[Message]) -> Unary:
    """The method, of bytes, with an id for each call; what it raises becomes a status without its text."""

    async def guarded(raw: bytes, context: Context) -> Message:
        request_ids.begin()
        try:
            return await method(parsed(taken, raw), context)
        except (grpc.aio.AbortError, Disconnected):
            raise
        except Exception as error:
            await context.abort_with_status(status_of(problems.of(error)))
            raise AssertionError("an ended call goes on") from error

    return guarded


def parsed(taken: type[Message], raw: bytes) -> Message:
    """The message. Raises Problem ``malformed``, where gRPC itself would end the call with a status without a type."""
    try:
        return taken.FromString(raw)
    except DecodeError as error:
        name = taken.DESCRIPTOR.full_name
        raise Problem("malformed", f"expected a message {name} in protobuf, got {len(raw)} bytes of another") from error


def streaming(method: Streaming, taken: type[Message]) -> Streaming:
    """The same for a method that answers with a stream."""

    async def guarded(raw: bytes, context: Context) -> AsyncIterator[Message]:
        request_ids.begin()
        try:
            async for one in method(parsed(taken, raw), context):
                yield one
        except (grpc.aio.AbortError, Disconnected):
            raise
        except Exception as error:
            await context.abort_with_status(status_of(problems.of(error)))

    return guarded
