"""The operations over RPC, and all that push asks of the API. Parses data and prints answers: see ``dispatch.py``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import msgspec

from api.core.auth import authenticate, in_use
from api.core.calls import Call, Services
from api.core.dispatch import Dispatcher
from api.core.limits import Allowance
from api.core.moments import AS_OF
from api.core.operation import NoParameters, Operation
from api.core.places import KEY_MEMBER, POSITION_MEMBER, over_rpc
from api.core.tokens import REVOKED, Identity, Role
from api.core.transport import Answer, Parsed
from api.support import problems
from api.support.address import client_address
from api.support.objects import decode_object
from api.support.problems import Problem
from events.core.faults import quoted
from events.users import Account
from infra.base import away, request_ids
from producers.plan_limits import reached
from push.delivery.bounds import FeedUnavailable
from push.presence.presence_hub import PresenceHub
from push.protocol.backend import BadToken, BadTokenKind, Limited, RpcError
from push.protocol.backend import ConnectionIdentity as PushIdentity
from push.transports.http import count

#: Beside an operation's own answer: what HTTP has in a header.
REPEATED_MEMBER = "repeated"

#: Seconds after which it is worth trying whether a connection of the application has ended.
_ROOM_SECONDS = 5.0
#: The operation whose answer is a client's snapshot.
SNAPSHOT = "sync.get"
#: What push makes of a token that is refused; of every other problem: "invalid".
_KINDS: dict[str, BadTokenKind] = {
    "token_expired": "expired",
    "token_not_yet_valid": "early",
    "token_revoked": "revoked",
}


class RpcBackend:
    """Implements push.protocol.backend.Backend."""

    def __init__(self, services: Services, operations: list[Operation], presence_hub: PresenceHub) -> None:
        self._services = services
        self._operations = {operation.name: operation for operation in operations}
        self._dispatcher = Dispatcher(services, presence_hub.acted)

    async def authenticate(self, token: str, scope: Mapping[str, Any]) -> PushIdentity:
        """The identity behind a token. Raises BadToken, Limited, Unavailable."""
        address = client_address(scope)
        try:
            identity = await authenticate(self._services, token, address)
            allowance = await self._services.count("connect", identity, address)
            connections = (await self._services.plans.of(identity.app)).limits.connections
        except Problem as problem:
            _check(self._services.limits.count("connect", None, address), scope)
            raise BadToken(_KINDS.get(problem.code, "invalid"), problem.detail) from problem
        except away.PARTS as error:
            raise FeedUnavailable(
                f"Postgres does not say whether the token holds, and what its plan allows: {type(error).__name__}"
            ) from error
        _check(allowance, scope)
        if identity.role in ("operator", "server"):
            # Neither is a user: nothing is ever fed to one.
            raise BadToken("invalid", f"expected a token of a user, got one of: {identity.role}")
        data = msgspec.json.encode({"user": identity.user})
        return PushIdentity(
            user=identity.user, session=identity.session, expires=identity.expires, role=identity.role,
            scopes=identity.scopes, app=identity.app, issued=identity.issued, kind=identity.kind,
            sliding=identity.sliding, address=address, connections=connections, data=data,
        )  # fmt: skip

    def admit(self, identity: PushIdentity) -> None:
        """Raises Limited where the plan allows no further connection: a later one may come in."""
        most = identity.connections
        if most is None:
            return
        used = self._services.connections(identity.app)
        if used >= most:
            problem = problems.of(reached("connections", most, used))
            raise Limited(_ROOM_SECONDS, msgspec.json.encode(problems.document(problem)), status=402)

    async def rpc(self, identity: PushIdentity, method: str, data: bytes, connection: str) -> bytes:
        """Runs an operation; JSON in, JSON out. Raises RpcError with the problem document."""
        request_ids.begin()
        operation = self._operations.get(method, _UNKNOWN)
        reply = await self._dispatcher.dispatch(
            operation, _RpcInbound(self._services, identity, method, data, connection), _printed
        )
        if isinstance(reply, bytes):
            return reply
        problem = over_rpc(reply.problem)
        kind = problems.PROBLEMS[problem.code]
        document = msgspec.json.encode(problems.document(problem))
        raise RpcError(kind.rpc, f"{problem.code}: {problem.detail}", document) from problem

    async def snapshot(self, identity: PushIdentity) -> bytes:
        """What ``GET /v1/sync`` answers. Raises Limited; FeedUnavailable when it cannot be told at present."""
        inbound = _RpcInbound(self._services, identity, SNAPSHOT)
        reply = await self._dispatcher.dispatch(self._operations[SNAPSHOT], inbound, _printed)
        if isinstance(reply, bytes):
            return reply
        problem = reply.problem
        if problem.code == "rate_limited":
            raise _limited(problem) from problem
        raise FeedUnavailable(f"{problem.code}: {problem.detail}") from problem


class _RpcInbound:
    """Implements transport.Inbound."""

    transport = "rpc"
    traceparent = None
    api_key = None

    def __init__(
        self, services: Services, identity: PushIdentity, method: str, data: bytes = b"", connection: str | None = None
    ) -> None:
        self._services = services
        self._identity = identity
        self._method = method
        self.connection = connection
        self.address = identity.address
        self._values: dict[str, Any] = {}
        self._fault: Problem | None = None
        try:
            self._values = decode_object(data or b"{}")
        except Problem as problem:
            # Told when its turn comes: it is counted first, as a request over HTTP is.
            self._fault = problem

    @property
    def past(self) -> bool:
        return self._values.get(AS_OF) is not None

    async def identify(self) -> Identity:
        """Who connected, unless the session has been closed since: an end of the connection may be on its way."""
        identity = self._identity
        if identity.session in self._services.progress.revoked:
            raise Problem("token_revoked", REVOKED)
        role: Role = "service" if identity.role == "service" else "person"
        kind = cast(Account, identity.kind)
        found = Identity(
            identity.user,
            identity.session,
            role,
            identity.expires,
            identity.scopes,
            identity.app,
            kind,
            identity.issued,
            identity.sliding,
        )
        if identity.sliding:
            await in_use(self._services, found)
        return found

    async def read(self, operation: Operation) -> Parsed:
        if self._fault is not None:
            raise self._fault
        if operation is _UNKNOWN:
            detail = f"expected the name of an operation, got {quoted(self._method)}; see the reference"
            raise Problem("not_found", detail)
        values = self._values
        return Parsed(values, values.pop(KEY_MEMBER, None), values.pop(POSITION_MEMBER, None))


def _printed(answer: Answer) -> bytes:
    members = answer.members or {}
    if answer.position:
        members = {**members, POSITION_MEMBER: answer.position}
    if answer.repeated:
        members = {**members, REPEATED_MEMBER: True}
    return msgspec.json.encode(members)


async def _nothing(call: Call, request: NoParameters) -> None:
    """Never called: such a call is refused when it is read."""


#: Stands for a method that names no operation, in the limits and in metrics.
_UNKNOWN = Operation("unknown", "GET", "", "user", NoParameters, _nothing, "", {})


def _check(allowance: Allowance | None, scope: Mapping[str, Any]) -> None:
    """Raises Limited when nothing was left; what is left, the answer to ``scope`` says either way."""
    if allowance is None:
        return
    count(scope, allowance.headers)
    try:
        allowance.check()
    except Problem as problem:
        raise _limited(problem) from problem


def _limited(problem: Problem) -> Limited:
    return Limited(problem.retry_after or 1.0, msgspec.json.encode(problems.document(problem)))
