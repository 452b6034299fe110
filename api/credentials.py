"""Passwords of people: showing the current one, changing it, and an operator's reset."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from api.core.calls import Call
from api.core.operation import Operation, Request
from api.ending import closed, ended_with
from api.support.problems import Problem, either
from events.core.faults import wrong
from events.handles import email_handle, handle_parts, username_handle
from events.users import User, UserPasswordChanged, user_key
from infra.base.postgres import Row, queries
from producers.commands import Outcome
from producers.credentials import ChangePassword
from producers.limits import Id, Username
from projectors.views import self_view, user_view

#: Long passwords cost the same to hash; the bound is for the request. RFC 9106 sets none; NIST asks for at least 64.
Password = Annotated[str, msgspec.Meta(min_length=8, max_length=512)]
#: A password that is compared, whatever was once allowed.
GivenPassword = Annotated[str, msgspec.Meta(min_length=1, max_length=512)]
#: The id of no credential: a command with it is answered if it is a repetition, and refused if not.
_NONE = "-"


class ChangeMyPassword(Request, frozen=True, kw_only=True):
    #: Your current password, where you have one.
    current: GivenPassword | None = None
    #: The new one: at least 8 characters, or more where the installation asks for it.
    password: Password


class ResetPassword(Request, frozen=True, kw_only=True):
    #: Whose password it is: this of the default application, or `user`.
    username: Username | None = None
    #: Their id, in any application.
    user: Id | None = None
    #: The new one: at least 8 characters, or more where the installation asks for it.
    password: Password


def check_new(call: Call, password: str | None) -> None:
    """Refuses a new password that is shorter than this installation asks for."""
    least = call.settings.password_chars
    if password is not None and len(password) < least:
        raise Problem("invalid", errors=[wrong("/password", f"at least {least} characters", f"{len(password)}")])


async def holder(call: Call, handle: str) -> Row | None:
    """The user whose name or e-mail address it is, with the hash to verify; None when it is nobody's."""
    row = await call.row(queries("users")["holder"], handle)
    if row is None or handle_parts(handle).kind == "username":
        return row
    # Else it is claimed for a change that has not happened.
    return row if row["email"] is not None and email_handle(row["email"], row["app"]) == handle else None


async def prove(call: Call, password: str | None, member: str, purpose: str) -> str | None:
    """The credential of the caller, whose password this is; None where the account has none. Raises Problem.

    ``member`` of the request has the password; ``purpose`` says what it is needed for.
    """
    assert call.identity is not None
    await call.see_all("users")
    row = await call.row(queries("users")["own"], call.user)
    if row is None:
        raise Problem("not_found", "expected your own user, found none yet; try again")
    if row["credential"] is None:
        if password is not None:
            raise Problem("invalid", errors=[wrong(f"/{member}", "none, as the account has none", "one")])
        return None
    if password is None:
        raise Problem("invalid", errors=[wrong(f"/{member}", f"your current password to {purpose}", "none")])
    with call.services.login_throttle.proof(
        call.identity.session, username_handle(row["username"] or call.user, call.app)
    ) as guess:
        right = await call.services.passwords.verify(row["hash"], password, guess.lane)
        guess.settle(right)
    if not right:
        errors = [wrong(f"/{member}", "the account's current password", "another")]
        raise Problem("forbidden", "expected the account's current password, got another", errors=errors)
    credential: str = row["credential"]
    return credential


async def change(call: Call, request: ChangeMyPassword) -> dict[str, Any]:
    assert call.identity is not None
    if call.identity.role != "person":
        raise Problem("forbidden", f"expected a person, got a {call.identity.role} account, which has no password")
    check_new(call, request.password)
    outcome = await _repeated(call, call.user)
    if outcome is None:
        try:
            was = await prove(call, request.current, "current", "change it")
        except Problem:
            # The same call beside this one may have come first: then the password is another already.
            outcome = await _repeated(call, call.user)
            if outcome is None:
                raise
        else:
            hash = await call.services.passwords.hash(request.password, f"user/{call.user}")
            outcome = await _change(call, call.user, was, hash, keep=call.identity.session)
    return {"user": self_view(await _changed(call, call.user, outcome))}


async def reset(call: Call, request: ResetPassword) -> dict[str, Any]:
    check_new(call, request.password)
    # Another may have registered them a moment ago.
    await call.see_all("users", "handles")
    row = await _whose(call, request)
    outcome = await _repeated(call, row["id"])
    if outcome is None:
        hash = await call.services.passwords.hash(request.password, call.user)
        outcome = await _change(call, row["id"], row["credential"], hash, keep=None)
    user = await _changed(call, row["id"], outcome)
    return {"user": user_view(user), "closed": closed(outcome)}


async def _whose(call: Call, request: ResetPassword) -> Row:
    """Id and credential of the user whom an operator names. Raises Problem."""
    either(username=request.username, user=request.user)
    if request.username is not None:
        row = await holder(call, username_handle(request.username, call.app))
        member, expected, named = "username", "the name of a user", request.username
    else:
        row = await call.row(queries("users")["own"], request.user)
        member, expected, named = "user", "the id of a user", str(request.user)
    if row is None:
        errors = [wrong(f"/{member}", expected, "an unknown one")]
        raise Problem("not_found", f"expected {expected}, found no user {named}", errors=errors)
    return row


async def _repeated(call: Call, user: str) -> Outcome | None:
    """What the call came to when it was made before with the same key; None when it was not.

    By then the current password is another, so that it cannot be shown again.
    """
    command = ChangePassword(user=user, was=_NONE, credential=_NONE, since=-1, close=[])
    return await call.used(command, shows=(user_key(user),))


async def _change(call: Call, user: str, was: str | None, hash: str, keep: str | None) -> Outcome:
    """Decides it, and in the same batch the end of all sessions but ``keep``. Raises Problem, Refused, Unavailable."""
    async with call.services.credential_store.keeping(hash, vital=True) as credential:
        changing = ChangePassword(user=user, was=was, credential=credential, since=-1, close=[])
        outcome = await ended_with(call, changing, keep=keep)
        if outcome.repeated:
            await call.services.credential_store.remove(credential)
        return outcome


async def _changed(call: Call, user: str, outcome: Outcome) -> User:
    """The user afterwards. The hash that nothing names any more goes, now or when the call is repeated."""
    event = outcome.record(UserPasswordChanged).data
    if event.was is not None:
        await call.services.credential_store.remove(event.was)
    return outcome.entity(User, user_key(user))


OPERATIONS = [
    Operation("users.change_password", "PUT", "/v1/users/me/password", "user", ChangeMyPassword, change,
              "Change your password, or set the first one; your other sessions end, this one continues",
              {"user": "Self"}),
    Operation("users.reset_password", "POST", "/v1/password-resets", "operator", ResetPassword, reset,
              "Give a person another password; all of their sessions end", {"user": "User", "closed": "integer"}),
]  # fmt: skip
