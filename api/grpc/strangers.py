"""Calls of whoever has not shown who they are: they are few, and say in time what they ask for."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager
from inspect import isasyncgen
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message import DecodeError

from api.grpc.inbound import Context, peer_address
from api.grpc.statuses import status_of
from api.support.problems import Problem
from infra.base import request_ids

#: Seconds for everything that reflection is asked in one call: tools ask for all at once.
REFLECTION_SECONDS = 60.0
#: Health and reflection need no token: their calls are those of strangers to the end.
_OPEN = "/grpc."

Run = Callable[[Any, Context], Awaitable[Any]]


class Strangers(grpc.aio.ServerInterceptor):
    """Bounds what a call costs before it has shown a token.

    For the request of a call gRPC waits without end, in memory, while its client answers pings. Here it has some
    seconds for it; until then it is a stranger's, of whom there are so many of one address, and of all. Connect is not
    waited for: it shows its token in the metadata, or is refused.
    """

    def __init__(self, *, each: int, all: int, seconds: float) -> None:
        """``each``: calls of one address (of IPv6 one /64) at once, ``all``: of all together; ``seconds``: for the
        request."""
        self._each = each
        self._all = all
        self._seconds = seconds
        self._calls: Counter[str] = Counter()
        self._total = 0

    async def intercept_service(
        self, continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]], details: grpc.HandlerCallDetails
    ) -> Any:
        """The handler of a call, within these bounds."""
        handler = await continuation(details)
        if handler is None:
            return None
        to_the_end = str(details.method).startswith(_OPEN)
        coding = handler.request_deserializer, handler.response_serializer
        if handler.unary_unary is not None:
            asked = _refusing(self._asked(handler.unary_unary, to_the_end))
            return grpc.stream_unary_rpc_method_handler(asked, *coding)
        if handler.unary_stream is not None:
            asked = _refusing(self._asked(_written(handler.unary_stream), to_the_end))
            return grpc.stream_stream_rpc_method_handler(asked, *coding)
        if to_the_end:
            asked = _refusing(self._conversing(_written(handler.stream_stream)))
            return grpc.stream_stream_rpc_method_handler(asked, *coding)
        return handler

    def _asked(self, method: Run, to_the_end: bool) -> Run:
        """The method of one request, read from the stream as which the call is handled."""

        async def run(_: object, context: Context) -> Any:
            with self._stranger(context) as known:
                request = await self._request(context)
                if not to_the_end:
                    known()
                return await method(request, context)

        return run

    def _conversing(self, method: Run) -> Run:
        async def run(requests: AsyncIterator[Any], context: Context) -> None:
            with self._stranger(context):
                try:
                    async with asyncio.timeout(REFLECTION_SECONDS):
                        await method(requests, context)
                except TimeoutError as error:
                    text = f"expected all questions within {REFLECTION_SECONDS:g} s; ask anew"
                    raise Problem("too_slow", text) from error

        return run

    async def _request(self, context: Context) -> Any:
        """The request. Raises Problem ``too_slow``, ``malformed``."""
        try:
            async with asyncio.timeout(self._seconds):
                request = await context.read()
        except TimeoutError as error:
            text = f"expected the call's request within {self._seconds:g} s, got none"
            raise Problem("too_slow", text) from error
        except DecodeError as error:
            raise Problem("malformed", "expected a message in protobuf, got bytes of another") from error
        if request is grpc.aio.EOF:
            raise Problem("malformed", "expected one request, got the end of the call")
        return request

    @contextmanager
    def _stranger(self, context: Context) -> Iterator[Callable[[], None]]:
        """Counts the call until the block ends, or until what is given is called. Raises Problem ``overloaded``."""
        address = peer_address(context.peer())
        for found, most, whose in ((self._calls[address], self._each, "one address"), (self._total, self._all, "all")):
            if found >= most:
                text = f"expected fewer than {most} calls of {whose} that have sent no request yet, got {found}"
                raise Problem("overloaded", text, retry_after=1)
        self._calls[address] += 1
        self._total += 1
        counted = True

        def known() -> None:
            nonlocal counted
            if counted:
                counted = False
                self._total -= 1
                self._calls[address] -= 1
                # Of an address that has none, nothing is kept.
                if not self._calls[address]:
                    del self._calls[address]

        try:
            yield known
        finally:
            known()


def _refusing(run: Run) -> Run:
    """Ends the call with the problem that is raised."""

    async def refusing(requests: Any, context: Context) -> Any:
        request_ids.begin()
        try:
            return await run(requests, context)
        except Problem as problem:
            await context.abort_with_status(status_of(problem))

    return refusing


def _written(method: Any) -> Run:
    """A method that answers with a stream, as one that writes it."""

    async def writing(request: Any, context: Context) -> None:
        answers = method(request, context)
        if not isasyncgen(answers):
            await answers
            return
        async with aclosing(answers):
            async for one in answers:
                await context.write(one)

    return writing
