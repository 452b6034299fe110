"""The surface over RPC: the same operations, permissions and errors on a push connection. What push asks of the API."""

from __future__ import annotations

from asyncio import Lock
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from time import perf_counter
from typing import Any
from weakref import WeakValueDictionary

import msgspec

from api import past, problems, surface
from api.address import client_address
from api.auth import authenticate
from api.calls import Call, Services
from api.http import decode_object, translate, wait_for
from api.limits import Allowance
from api.metrics import REQUESTS
from api.problems import Problem
from api.surface import Operation
from api.tokens import REVOKED, Identity, Role
from events.positions import encode_vector
from infra import away
from push.backend import BadToken, BadTokenKind, Limited, RpcError
from push.backend import Identity as PushIdentity
from push.bounds import Unavailable
from push.gathering import Gathering

#: Members of every RPC's data beside the operation's own: what HTTP has in headers.
KEY_MEMBER = "idempotency_key"
POSITION_MEMBER = "position"
REPEATED_MEMBER = "repeated"

#: The operation whose answer is a client's snapshot.
SNAPSHOT = "sync.get"
#: Beside reads: what apps do by themselves, from which it does not follow that somebody is there; and what says itself
#: whether somebody is.
UNATTENDED = frozenset({"members.read", "sessions.renew", "presence.set"})


#: What push makes of a token that is refused; of every other problem: "invalid".
_KINDS: dict[str, BadTokenKind] = {
    "token_expired": "expired",
    "token_not_yet_valid": "early",
    "token_revoked": "revoked",
}


class Rpc:
    """Implements push.backend.Backend."""

    def __init__(self, services: Services, operations: list[Operation], gathering: Gathering) -> None:
        self._services = services
        self._gathering = gathering
        self._operations = {operation.name: operation for operation in operations}
        self._locks: WeakValueDictionary[tuple[str, str], Lock] = WeakValueDictionary()

    async def authenticate(self, token: str, scope: Mapping[str, Any]) -> PushIdentity:
        """The identity behind a token. Raises BadToken, Limited, Unavailable."""
        address = client_address(scope)
        try:
            identity = await authenticate(self._services, token)
        except Problem as problem:
            _check(self._services.limits.count("connect", None, address))
            raise BadToken(_KINDS.get(problem.code, "invalid"), problem.detail) from problem
        except away.PARTS as error:
            raise Unavailable(f"Postgres does not say whether the session is open: {type(error).__name__}") from error
        if identity.role == "operator":
            # An operator is no user: nothing is ever fed to one.
            raise BadToken("invalid", "expected a token of a user, got one of: operator")
        _check(self._services.limits.count("connect", identity, address))
        data = msgspec.json.encode({"user": identity.user})
        return PushIdentity(
            user=identity.user, session=identity.session, expires=identity.expires, role=identity.role,
            scopes=identity.scopes, address=address, data=data,
        )  # fmt: skip

    async def rpc(self, identity: PushIdentity, method: str, data: bytes, connection: str) -> bytes:
        """Runs an operation; JSON in, JSON out. Raises RpcError with the problem document."""
        started, outcome = perf_counter(), "ok"
        try:
            if identity.session in self._services.progress.revoked:
                raise Problem("token_revoked", REVOKED)
            values = decode_object(data or b"{}")
            async with self._order(connection, method, values):
                return await self._run(identity, method, values, connection)
        except Exception as error:
            problem = translate(error)
            outcome = problem.code
            kind = problems.PROBLEMS[problem.code]
            document = msgspec.json.encode(problems.document(problem))
            raise RpcError(kind.rpc, f"{problem.code}: {problem.detail}", document) from error
        finally:
            name = method if method in self._operations else "unknown"
            REQUESTS.labels(name, "rpc", outcome).observe(perf_counter() - started)

    def _order(self, connection: str, method: str, values: dict[str, Any]) -> AbstractAsyncContextManager[Any]:
        """What one connection asks to change in one room happens in the order in which it asked.

        A client may send two messages without waiting between; reads and other rooms do not wait for them.
        """
        operation, room = self._operations.get(method), values.get("room")
        if operation is None or operation.method == "GET" or not isinstance(room, str):
            return nullcontext()
        key = (connection, room)
        lock = self._locks.get(key)
        if lock is None:
            lock = self._locks[key] = Lock()
        return lock

    async def snapshot(self, identity: PushIdentity) -> bytes:
        """What ``GET /v1/sync`` answers. Raises Limited; push.bounds.Unavailable when it cannot be told at present."""
        try:
            return await self._run(identity, SNAPSHOT, {})
        except Problem as problem:
            if problem.code == "rate_limited":
                raise _limited(problem) from problem
            raise Unavailable(f"{problem.code}: {problem.detail}") from problem

    async def _run(
        self, identity: PushIdentity, method: str, values: dict[str, Any], connection: str | None = None
    ) -> bytes:
        operation = self._operations.get(method)
        if operation is None:
            raise Problem("not_found", f"expected the name of an operation, got {method[:80]!r}; see the reference")
        role: Role = "service" if identity.role == "service" else "person"
        holder = Identity(identity.user, identity.session, role, identity.expires, identity.scopes)
        moment = values.pop(past.AS_OF, None) if operation.method == "GET" else None
        allowance = self._services.limits.take(operation, holder, identity.address, past=moment is not None)
        if allowance is not None:
            allowance.check()
        if not isinstance(moment, str | None):
            raise Problem("invalid", f"{past.AS_OF}: expected text")
        key = values.pop(KEY_MEMBER, None)
        position = values.pop(POSITION_MEMBER, None)
        if not isinstance(key, str | None) or not isinstance(position, str | None) or (key is not None and not key):
            raise Problem("invalid", f"{KEY_MEMBER} and {POSITION_MEMBER}: expected text")
        if key is not None and (len(key) > 128 or not key.isascii() or not key.isprintable() or " " in key):
            raise Problem("invalid", f"{KEY_MEMBER}: expected 1-128 printable ASCII characters without spaces")
        call = Call(self._services, holder, key=key, connection=connection, address=identity.address)
        surface.permit(operation, call)
        if connection is not None and operation.method != "GET" and method not in UNATTENDED:
            self._gathering.acted(connection)
        request = surface.convert(operation, values, text=operation.method in ("GET", "DELETE"))
        await wait_for(call, position)
        if moment is None:
            answer = await surface.run(operation, call, request) or {}
        else:
            answer = await past.answer(operation, call, request, moment)
        if call.position:
            answer = {**answer, POSITION_MEMBER: encode_vector(call.position)}
        if call.repeated:
            answer = {**answer, REPEATED_MEMBER: True}
        return msgspec.json.encode(answer)


def _check(allowance: Allowance | None) -> None:
    """Raises Limited when nothing was left."""
    if allowance is None:
        return
    try:
        allowance.check()
    except Problem as problem:
        raise _limited(problem) from problem


def _limited(problem: Problem) -> Limited:
    return Limited(problem.retry_after or 1.0, msgspec.json.encode(problems.document(problem)))
