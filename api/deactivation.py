"""Who can use their account, and with which tokens: an operator, or the application's own server, takes that away and
gives it back."""

from __future__ import annotations

from typing import Any

from api.core.calls import Call
from api.core.operation import Operation, Request
from api.ending import closed, ended_once
from api.support.times import as_kept
from events.core.clock import AnyTime
from events.users import User, user_key
from producers.commands import Outcome
from producers.deactivation import DeactivateUser, ReactivateUser, RevokeTokens
from producers.limits import Id, Reason
from projectors.views import user_view


class DeactivateRequest(Request, frozen=True, kw_only=True):
    user: Id
    #: For those who look into it later; the user and others are not told.
    reason: Reason | None = None


class ReactivateRequest(Request, frozen=True, kw_only=True):
    user: Id


class RevokeUserTokensRequest(Request, frozen=True, kw_only=True):
    user: Id
    #: Tokens that were issued before are void: a time that has come. Without it, now.
    before: AnyTime | None = None


async def deactivate(call: Call, request: DeactivateRequest) -> dict[str, Any]:
    outcome = await ended_once(call, DeactivateUser(user=request.user, reason=request.reason, since=-1, close=[]))
    # Once this is answered, nobody adds them.
    await call.meet_own("users")
    return {**_shown(outcome, request.user), "closed": closed(outcome)}


async def reactivate(call: Call, request: ReactivateRequest) -> dict[str, Any]:
    outcome = await call.submit(ReactivateUser(user=request.user), shows=(user_key(request.user),))
    await call.meet_own("users")
    return _shown(outcome, request.user)


async def revoke_tokens(call: Call, request: RevokeUserTokensRequest) -> dict[str, Any]:
    before = None if request.before is None else as_kept(request.before, "/before")
    command = RevokeTokens(user=request.user, before=before, since=-1, close=[])
    outcome = await ended_once(call, command, before)
    # Once this is answered, it holds here; on other nodes when the news have come.
    await call.meet_own("users")
    user = outcome.entity(User, user_key(request.user))
    return {**_shown(outcome, request.user), "tokens_before": user.tokens_before, "closed": closed(outcome)}


def _shown(outcome: Outcome, id: str) -> dict[str, Any]:
    return {"user": user_view(outcome.entity(User, user_key(id)))}


OPERATIONS = [
    Operation("users.deactivate", "POST", "/v1/users/{user}/deactivation", "app", DeactivateRequest, deactivate,
              "End all that a user can do; what they have said stays", {"user": "User", "closed": "integer"}),
    Operation("users.reactivate", "DELETE", "/v1/users/{user}/deactivation", "app", ReactivateRequest, reactivate,
              "Let a deactivated user in again", {"user": "User"}),
    Operation("users.revoke_tokens", "POST", "/v1/users/{user}/revoke-tokens", "app", RevokeUserTokensRequest,
              revoke_tokens, "Make the tokens of a user void, and end their sessions",
              {"user": "User", "tokens_before": "time", "closed": "integer"}),
]  # fmt: skip
