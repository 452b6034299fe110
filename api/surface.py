"""What clients can do: one row an operation. Its HTTP route, RPC method, OpenAPI entry and docs come from the row."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Literal, NamedTuple

import msgspec

from api import numbers
from api.calls import Asked, Call
from api.limits import LimitName
from api.problems import Problem
from api.tokens import NO_TOKEN
from events.faults import unfit
from producers.limits import unstorable
from producers.users import Scope

#: Who may call an operation at all; what they may see and change within it, its query or decision says.
#: ``anyone`` needs no token, ``user`` any of a user, which service accounts are too, ``service`` one of a service
#: account that has the row's scope, ``operator`` the operator's.
Permission = Literal["anyone", "user", "service", "operator"]

#: Roles of tokens that have each permission.
ROLES: dict[Permission, frozenset[str]] = {
    "anyone": frozenset({"person", "service", "operator"}),
    "user": frozenset({"person", "service"}),
    "service": frozenset({"service"}),
    "operator": frozenset({"operator"}),
}


class Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What an operation takes: path parameters, then query parameters (GET, DELETE) or members of the JSON body.

    A digest of it stands in the log: a member that is added later has a default, and one is never renamed.
    """


class Nothing(Request, frozen=True):
    """An operation without parameters."""


class Operation(NamedTuple):
    """One row of the surface."""

    #: RPC method, ``entity.verb``; also the OpenAPI operationId.
    name: str
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    #: Path with parameters in braces: ``/v1/rooms/{room}``.
    path: str
    permission: Permission
    request: type[Request]
    #: ``run(call, request) -> answer``: a dict for JSON, None for an empty body; raises Problem, Refused, Unavailable.
    run: Callable[[Call, Any], Awaitable[dict[str, Any] | None]]
    summary: str
    #: Members of the answer: name -> view (``Room``, ``[Message]``) or plain type.
    returns: dict[str, str]
    status: int = 200
    #: Largest body in bytes, where it is not the installation's.
    body_bytes: int | None = None
    #: Whether its answer is one that the caller may keep, and ask whether it has changed (RFC 9110 13).
    conditional: bool = False
    #: Whether it is about the push connection that asks, so that it is there over RPC only.
    only_rpc: bool = False
    #: Whether it reads so much that only some may at once (``api/heavy.py``); answers of the past always count.
    heavy: bool = False
    #: What the token of a service must say; a row for services that names none is for nobody.
    scope: Scope | None = None
    #: Which limit it counts against, where that is not ``heavy``, ``read`` (GET) or ``write``.
    limit: LimitName | None = None

    @property
    def counts_as(self) -> LimitName:
        if self.limit is not None:
            return self.limit
        return "heavy" if self.heavy else "read" if self.method == "GET" else "write"

    @property
    def path_parameters(self) -> list[str]:
        return [part[1:-1] for part in self.path.split("/") if part.startswith("{")]


def permit(operation: Operation, call: Call) -> None:
    """Refuses a call that the operation's permission does not allow: deny by default."""
    if operation.permission == "anyone":
        return
    if call.identity is None:
        raise Problem("unauthenticated", NO_TOKEN)
    if call.identity.role not in ROLES[operation.permission]:
        raise Problem("forbidden", f"expected a token of: {operation.permission}; got one of: {call.identity.role}")
    if operation.permission == "service" and operation.scope not in call.identity.scopes:
        held = " ".join(sorted(call.identity.scopes)) or "none"
        raise Problem(
            "forbidden",
            f"expected a token with the scope {operation.scope}, got one with: {held}; an operator makes accounts "
            "with scopes by POST /v1/services",
        )


def convert(operation: Operation, values: dict[str, Any], *, text: bool) -> Request:
    """The request struct from its members. ``text``: values come from path and query, where all is text."""
    if (reason := unstorable(values)) is not None:
        raise Problem("invalid", reason)
    try:
        return numbers.convert(values, operation.request, strict=not text)
    except msgspec.ValidationError as error:
        raise Problem("invalid", unfit(error).replace("`$.", "`").replace(" - at `$`", "")) from error


async def run(operation: Operation, call: Call, request: Request) -> dict[str, Any] | None:
    """Permission, then the operation; a read includes what its user was told to have happened. Of the present."""
    permit(operation, call)
    call.heavy = operation.heavy
    call.asked = Asked(operation.name, request)
    if operation.method == "GET" and call.identity is not None:
        await call.see_own()
    return await operation.run(call, request)
