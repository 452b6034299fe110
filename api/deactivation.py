"""Who can use their account at all: an operator, or the application's own server, takes that away and gives it back."""

from __future__ import annotations

from typing import Any

from api.core.calls import Call
from api.core.operation import Operation, Request
from api.credentials import ATTEMPTS, open_sessions
from api.support.problems import Problem
from events.sessions import SessionClosed
from events.users import User, user_key
from producers.commands import Outcome, Refused
from producers.deactivation import DeactivateUser, ReactivateUser
from producers.limits import Id, Reason
from projectors.views import user_view


class DeactivateRequest(Request, frozen=True, kw_only=True):
    user: Id
    #: For those who look into it later; the user and others are not told.
    reason: Reason | None = None


class ReactivateRequest(Request, frozen=True, kw_only=True):
    user: Id


async def deactivate(call: Call, request: DeactivateRequest) -> dict[str, Any]:
    outcome = await _deactivated(call, request)
    # Once this is answered, nobody adds them.
    await call.meet_own("users")
    closed = sum(isinstance(record.data, SessionClosed) for record in outcome.records)
    return {**_shown(outcome, request.user), "closed": closed}


async def _deactivated(call: Call, request: DeactivateRequest) -> Outcome:
    """Decides it, and in the same batch the end of all sessions. Raises Problem, Refused, Unavailable."""
    shows = (user_key(request.user),)
    command = DeactivateUser(user=request.user, reason=request.reason, since=-1, close=[])
    if (first := await call.used(command, shows=shows)) is not None:
        return first
    for _ in range(ATTEMPTS):
        since, close = await open_sessions(call, request.user, None)
        command = DeactivateUser(user=request.user, reason=request.reason, since=since, close=close)
        try:
            return await call.submit(command, shows=shows)
        except Refused as refusal:
            if refusal.code != "outrun":
                raise
    raise Problem("overloaded", "expected no log-in while the user is deactivated, got several", retry_after=1)


async def reactivate(call: Call, request: ReactivateRequest) -> dict[str, Any]:
    outcome = await call.submit(ReactivateUser(user=request.user), shows=(user_key(request.user),))
    await call.meet_own("users")
    return _shown(outcome, request.user)


def _shown(outcome: Outcome, id: str) -> dict[str, Any]:
    return {"user": user_view(outcome.entity(User, user_key(id)))}


OPERATIONS = [
    Operation("users.deactivate", "POST", "/v1/users/{user}/deactivation", "app", DeactivateRequest, deactivate,
              "End all that a user can do; what they have said stays", {"user": "User", "closed": "integer"}),
    Operation("users.reactivate", "DELETE", "/v1/users/{user}/deactivation", "app", ReactivateRequest, reactivate,
              "Let a deactivated user in again", {"user": "User"}),
]  # fmt: skip
