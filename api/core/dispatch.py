"""One pipeline for all transports: the steps from a call to its answer, in one order, each once.

What a transport has to do is in ``transport.py``. What each step may refuse is told in ``STEPS``, and in
docs/pipeline.md; tests/api/core/test_dispatch.py compares what clients see of it over each transport.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from time import perf_counter
from typing import Any, NamedTuple, TypeVar
from weakref import WeakValueDictionary

import msgspec

from api.core import moments, places
from api.core.auth import app_of
from api.core.calls import Asked, Call, Services
from api.core.limits import Allowance
from api.core.moments import AS_OF, AsOf
from api.core.operation import NoPast, Operation, Request, convert, permit
from api.core.places import KEY_HEADER, KEY_MEMBER, POSITION_HEADER
from api.core.tokens import Identity
from api.core.transport import Answer, Disconnected, Inbound, Parsed, Refusal
from api.support import problems
from api.support.metrics import REQUESTS
from api.support.problems import Problem
from events.core.derived_ids import DEFAULT_APP, named_room
from events.core.faults import found, quoted, wrong
from events.core.positions import BadPosition, encode_vector, parse_vector
from infra.base import kafka
from producers.commands import ANY_APP

#: What a key is.
KEY_WORDS = "1-128 printable ASCII characters without spaces"
_KEY = re.compile(r"[\x21-\x7e]{1,128}")

T = TypeVar("T")


class Step(NamedTuple):
    """One step, as the documentation and the tests know it; ``dispatch`` calls a function of its name."""

    name: str
    about: str
    #: Codes of the problems with which it refuses a call.
    problems: tuple[str, ...]


_OF_TOKENS = (
    "unauthenticated", "token_expired", "token_not_yet_valid", "token_revoked", "suspended", "forbidden", "not_found",
    "overloaded",
)  # fmt: skip

#: In their order. Of any of them a part that is away makes ``unavailable``, and a fault of ours ``internal``.
STEPS = (
    Step(
        "identify",
        "Who calls, by their token, and for whom, where it is an application's server; without one, of which "
        "application, by its API key.",
        _OF_TOKENS,
    ),
    Step(
        "count",
        "One more call against the operation's limit, of the account and of its application, or of the address where "
        "the token is no good or none is needed. A token that is no good is refused only now.",
        ("rate_limited",),
    ),
    Step(
        "permit", "Whether such a caller may call this operation at all.", ("unauthenticated", "forbidden", "invalid")
    ),
    Step(
        "read",
        "The transport reads the members of the request, with key and position, wherever it has them.",
        ("malformed", "too_large", "invalid", "not_found"),
    ),
    Step("check_form", "The idempotency key and the name of a past moment: their form.", ("invalid",)),
    Step("convert", "The members become the operation's request, or each fault is told with its place.", ("invalid",)),
    Step("take_turn", "What one push connection changes in one room happens in the order in which it asked.", ()),
    Step("wait", "Until the read models have reached the position that the caller names.", ("invalid", "lagging")),
    Step(
        "run",
        "The operation, which has refusals of its own. Before it a read waits for what its caller was told to have "
        "happened, or, with `as_of`, for the moment; heavy reads take turns for connections to Postgres.",
        ("invalid", "lagging", "token_revoked", "rate_limited", "overloaded"),
    ),
    Step("printed", "The transport encodes the answer: it is part of the time that is measured.", ()),
)


class Dispatcher:
    """Takes calls through all steps."""

    def __init__(self, services: Services, acted: Callable[[str], object] = lambda connection: None) -> None:
        """``acted`` is called with each push connection whose user does something: see ``Operation.unattended``."""
        self._services = services
        self._acted = acted
        self._turns: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def dispatch(self, operation: Operation, inbound: Inbound, printed: Callable[[Answer], T]) -> T | Refusal:
        """What ``printed`` makes of the answer, or why there is none. Raises Disconnected, and nothing else."""
        started, outcome, allowance = perf_counter(), "ok", None
        try:
            identity, app, no_good = await self._identify(inbound)
            allowance = await self._count(operation, identity, inbound)
            if allowance is not None:
                allowance.check()
            if no_good is not None:
                raise no_good
            # Before the body is read: nobody learns what is expected of others.
            permit(operation, identity)
            self._note(operation, inbound)
            parsed = await inbound.read(operation)
            key, moment = _check_form(operation, parsed)
            request = _in_app(app, convert(operation, parsed.values, text=operation.method in ("GET", "DELETE")))
            call = Call(
                self._services, identity, key=key, traceparent=inbound.traceparent, connection=inbound.connection,
                address=inbound.address, app=app,
            )  # fmt: skip
            async with self._take_turn(operation, inbound, parsed):
                await _wait(call, parsed.position)
                members = await _run(operation, call, request, moment)
            position = encode_vector(call.position) if call.position else ""
            answer = Answer(
                operation, members, position, call.repeated, moment is not None, call.stream_token, allowance
            )
            return printed(answer)
        except (Disconnected, asyncio.CancelledError):
            outcome = "disconnected"
            raise
        except Exception as error:
            problem = problems.of(error)
            outcome = problem.code
            return Refusal(problem, allowance)
        finally:
            REQUESTS.labels(operation.name, inbound.transport, outcome).observe(perf_counter() - started)

    async def _identify(self, inbound: Inbound) -> tuple[Identity | None, str, Problem | None]:
        """Who asks, in which application, or why a token or an API key is no good: such a call is counted before it is
        refused."""
        try:
            identity = await inbound.identify()
            if identity is not None:
                return identity, identity.app, None
            api_key = inbound.api_key
            app = DEFAULT_APP if api_key is None else await app_of(self._services, api_key, inbound.address)
            return None, app, None
        except Problem as problem:
            return None, DEFAULT_APP, problem

    async def _count(self, operation: Operation, identity: Identity | None, inbound: Inbound) -> Allowance | None:
        """Without a good token, and where none is needed, the address counts. None for operators."""
        if operation.permission == "anyone" and identity is not None and identity.role != "operator":
            identity = None
        past = operation.method == "GET" and inbound.past
        name = "heavy" if past else operation.counts_as
        return await self._services.count(name, identity, inbound.address)

    def _note(self, operation: Operation, inbound: Inbound) -> None:
        if inbound.connection is not None and operation.method != "GET" and not operation.unattended:
            self._acted(inbound.connection)

    def _take_turn(self, operation: Operation, inbound: Inbound, parsed: Parsed) -> AbstractAsyncContextManager[Any]:
        """A client may send two messages without waiting between; reads and other rooms do not wait for them."""
        room = parsed.values.get("room")
        if inbound.connection is None or operation.method == "GET" or not isinstance(room, str):
            return nullcontext()
        place = (inbound.connection, room)
        turn = self._turns.get(place)
        if turn is None:
            turn = self._turns[place] = asyncio.Lock()
        return turn


def _in_app(app: str, request: Request) -> Request:
    """The request with the id of the room that the application calls by a name of its own."""
    room = getattr(request, "room", None)
    if app in (DEFAULT_APP, ANY_APP) or not isinstance(room, str):
        return request
    return msgspec.structs.replace(request, room=named_room(app, room))


def _check_form(operation: Operation, parsed: Parsed) -> tuple[str | None, str | None]:
    """The key, and the moment as text. Raises Problem ``invalid``."""
    key = parsed.key
    if key is not None and not (isinstance(key, str) and _KEY.fullmatch(key)):
        raise Problem("invalid", errors=[places.header(KEY_HEADER, KEY_WORDS, found(key, (KEY_MEMBER,)))])
    moment = parsed.values.pop(AS_OF, None) if operation.method == "GET" else None
    if not isinstance(moment, str | None):
        raise Problem("invalid", errors=[wrong(f"/{AS_OF}", "a string", found(moment))])
    return key, moment


async def _wait(call: Call, position: Any) -> None:
    """Read your writes: waits until the read models have reached the position that the caller names."""
    if position is None or position == "":
        return
    if not isinstance(position, str):
        raise Problem("invalid", errors=[places.header(POSITION_HEADER, "a string", found(position))])
    try:
        vector = parse_vector(position)
    except BadPosition as error:
        raise Problem("invalid", errors=[places.position(position)]) from error
    if any(s.topic not in kafka.EVENT_TOPICS or s.partition >= call.settings.partitions for s in vector):
        raise Problem("invalid", errors=[places.position(position)])
    await call.catch_up(vector)


async def _run(operation: Operation, call: Call, request: Request, moment: str | None) -> dict[str, Any] | None:
    call.asked = Asked(operation.name, request)
    if moment is not None:
        return await _as_of(operation, call, request, moment)
    call.heavy = operation.heavy
    if operation.method == "GET" and call.identity is not None:
        # A read includes what its user was told to have happened.
        await call.see_own()
    return await operation.run(call, request)


async def _as_of(operation: Operation, call: Call, request: Request, text: str) -> dict[str, Any]:
    """What the operation answers as of the moment that ``text`` names. Raises Problem."""
    row = operation.as_of
    if row is None or isinstance(row, NoPast):
        what = f"none with {operation.name}" + (f": {row.because}" if row is not None else "")
        raise Problem("invalid", f"{AS_OF}: expected {what}", errors=[wrong(f"/{AS_OF}", what, quoted(text))])
    moment = await moments.reached(call, text)
    call.heavy = True
    # One state of the read models: what they know now and what is derived from it must agree.
    async with (
        call.reading() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        return await row(call, request, AsOf(connection, moment))
