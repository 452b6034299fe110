"""What clients can do: one row an operation. Its HTTP route, RPC method, OpenAPI entry and docs come from the row."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Literal, NamedTuple

import msgspec

from api.core.app_tokens import USER_HEADER
from api.core.calls import Call
from api.core.limits import LimitName
from api.core.moments import AsOf
from api.core.tokens import NO_TOKEN, Identity
from api.support import numbers
from api.support.problems import Problem
from events.core.derived_ids import DEFAULT_APP
from events.core.faults import Fault
from events.core.type_faults import unfit
from producers.commands import ANY_APP
from producers.limits import unstorable
from producers.users import Scope

#: Who may call an operation at all; what they may see and change within it, its query or decision says.
#: ``anyone`` needs no token, ``user`` any of a user, which service accounts are too, ``service`` one of a service
#: account that has the row's scope, ``server`` one of an application's own server, ``operator`` the operator's,
#: ``account`` one of a user or the operator's, ``app`` one of an application's own server or the operator's.
Permission = Literal["anyone", "user", "service", "server", "operator", "account", "app"]

#: Roles of tokens that have each permission.
ROLES: dict[Permission, frozenset[str]] = {
    "anyone": frozenset({"person", "service", "server", "operator"}),
    "user": frozenset({"person", "service", "server"}),
    "service": frozenset({"service"}),
    "server": frozenset({"server"}),
    "operator": frozenset({"operator"}),
    "account": frozenset({"person", "service", "server", "operator"}),
    "app": frozenset({"server", "operator"}),
}
#: Permissions of those who have no push connection.
HTTP_ONLY: frozenset[Permission] = frozenset({"server", "operator", "app"})


class Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What an operation takes: path parameters, then query parameters (GET, DELETE) or members of the JSON body.

    A digest of it stands in the log: a member that is added later has a default, and one is never renamed.
    """


class NoParameters(Request, frozen=True):
    """An operation without parameters."""


class NoPast(NamedTuple):
    """There is no past of this; ``because`` says it to the caller."""

    because: str


#: ``run(call, request, then) -> answer`` as of a moment; raises Problem.
AnswerAsOf = Callable[[Call, Any, AsOf], Awaitable[dict[str, Any]]]


class Operation(NamedTuple):
    """One row of the operations."""

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
    #: Whether it reads so much that only some may at once (``api/support/heavy.py``); answers of the past always count.
    heavy: bool = False
    #: What the token of a service must say; a row for services that names none is for nobody.
    scope: Scope | None = None
    #: Which limit it counts against, where that is not ``heavy``, ``read`` (GET) or ``write``.
    limit: LimitName | None = None
    #: What it answers of a past moment, or why nothing: every GET has one. Where it is a function, that stands in the
    #: domain's file of ``api/as_of``, and the registry puts it here.
    as_of: AnswerAsOf | NoPast | None = None
    #: Whether apps do it by themselves, or it says itself whether somebody is there: it does not tell that they are.
    unattended: bool = False
    #: Whether there is nothing of it in other applications than the default one.
    default_app: bool = False

    @property
    def has_past(self) -> bool:
        """Whether it answers of a past moment too."""
        return self.as_of is not None and not isinstance(self.as_of, NoPast)

    @property
    def counts_as(self) -> LimitName:
        if self.limit is not None:
            return self.limit
        return "heavy" if self.heavy else "read" if self.method == "GET" else "write"

    @property
    def path_parameters(self) -> list[str]:
        return [part[1:-1] for part in self.path.split("/") if part.startswith("{")]


def permit(operation: Operation, identity: Identity | None) -> None:
    """Refuses a call that the operation's permission does not allow: deny by default."""
    if operation.permission == "anyone":
        return
    if identity is None:
        raise Problem("unauthenticated", NO_TOKEN)
    if identity.role not in ROLES[operation.permission]:
        raise Problem("forbidden", f"expected a token of: {operation.permission}; got one of: {identity.role}")
    if identity.role == "server" and operation.permission in ("user", "account") and not identity.user:
        fault: Fault = {
            "header": USER_HEADER, "expected": "the id of the user for whom the server acts", "actual": "none"
        }  # fmt: skip
        raise Problem("invalid", errors=[fault])
    if operation.default_app and identity.app not in (DEFAULT_APP, ANY_APP):
        raise Problem(
            "forbidden",
            f"expected a token of the default application, got one of another, which has no "
            f"{operation.name.partition('.')[0]}",
        )
    if operation.permission == "service" and operation.scope not in identity.scopes:
        held = " ".join(sorted(identity.scopes)) or "none"
        raise Problem(
            "forbidden",
            f"expected a token with the scope {operation.scope}, got one with: {held}; an operator makes accounts "
            "with scopes by POST /v1/services",
        )


def convert(operation: Operation, values: dict[str, Any], *, text: bool) -> Request:
    """The request struct from its members. ``text``: values come from path and query, where all is text."""
    if (fault := unstorable(values)) is not None:
        raise Problem("invalid", errors=[fault])
    try:
        return numbers.convert(values, operation.request, strict=not text)
    except msgspec.ValidationError as error:
        raise Problem("invalid", errors=unfit(values, operation.request, text=text)) from error
