"""Unique names behind users: claimed, confirmed, taken over from whom gave them up, given back.

Each step can be repeated, and the process may die between any two: whoever wants a name asks the holder's own stream
whether it is really theirs, and that stream's answer is for good. A claim is released or taken over as it was before
that answer, so that one made again since then stays.
"""

from __future__ import annotations

import logging
from typing import NamedTuple

from api.core.calls import Call
from events.core.clock import now, to_datetime, uuid7
from events.handles import Handle, email_handle, handle_key, handle_parts
from events.users import User, user_key
from producers.commands import Outcome, Refused, Unavailable
from producers.handles import ClaimHandle, ConfirmHandle, ReleaseHandle
from producers.users import AbandonEmail, AbandonRegistration, ChangeProfile

log = logging.getLogger(__name__)


async def claim(call: Call, handle: str, user: str, *, key: str, anew: bool = False) -> int:
    """Claims a name for a user; the claim's version. Raises Refused ``taken``."""
    try:
        return _version(await call.step(ClaimHandle(handle=handle, user=user, anew=anew), actor=user, key=key), handle)
    except Refused as refusal:
        if refusal.code != "taken" or not await _given_up(call, handle, user, refusal):
            raise
        holder, version = refusal.more["holder"], refusal.more["version"]
    takeover = ClaimHandle(handle=handle, user=user, instead_of=holder, version=version)
    return _version(await call.step(takeover, actor=user, key=f"{key}:takeover"), handle)


def _version(outcome: Outcome, handle: str) -> int:
    found = outcome.state[handle_key(handle)]
    # Somebody may have taken over what an earlier call with this key claimed; the user's stream knows.
    return found.version if isinstance(found, Handle) else -1


async def _given_up(call: Call, handle: str, user: str, taken: Refused) -> bool:
    """Whether the holder of a taken name does not have it and never will by what began before now."""
    holder, claimed = taken.more["holder"], to_datetime(taken.more["claimed"])
    username, confirmed = handle_parts(handle).kind == "username", taken.more["state"] == "confirmed"
    if (username and confirmed) or (to_datetime(now()) - claimed).total_seconds() < call.settings.claim_seconds:
        return False
    try:
        # A key of its own each time: an id of an application's may be registered after all, and given up again.
        await call.step(AbandonRegistration(user=holder), actor="system", key=uuid7())
        return True
    except Refused:
        # Registered: then a username is theirs, and an e-mail address may be.
        if not username and await abandoned(call, handle, holder):
            return True
    if not confirmed:
        await call.step(ConfirmHandle(handle=handle, user=holder), actor="system", key=f"{holder}:confirm")
    return False


async def abandoned(call: Call, handle: str, user: str) -> bool:
    """Makes sure that no change begun before gives a registered user this e-mail address; False when it is theirs."""
    try:
        await call.step(AbandonEmail(user=user, handle=handle), actor="system", key=uuid7())
        return True
    except Refused as refusal:
        log.debug("%s stays with %s: %s", handle, user, refusal)
        return False


async def confirm(call: Call, handle: str, user: str, *, key: str) -> None:
    """Confirms a claim once the user has the name. What fails here is made good by whoever wants the name next."""
    try:
        await call.step(ConfirmHandle(handle=handle, user=user), actor=user, key=key)
    except (Refused, Unavailable) as error:
        log.info("%s is not confirmed yet: %s", handle, error)


async def release(call: Call, handle: str, user: str, version: int) -> None:
    """Gives a name back that the user's stream has given up. What fails here is made good in the same way."""
    try:
        command = ReleaseHandle(handle=handle, user=user, version=version)
        await call.step(command, actor=user, key=f"{version}:release")
    except (Refused, Unavailable) as error:
        log.info("%s is not released yet: %s", handle, error)


async def give_up_registration(call: Call, handle: str, user: str, version: int) -> None:
    """Gives the name of a registration back that cannot go on."""
    try:
        await call.step(AbandonRegistration(user=user), actor="system", key=uuid7())
    except (Refused, Unavailable) as error:
        log.info("%s stays claimed: %s", handle, error)
        return
    await release(call, handle, user, version)


class EmailClaims(NamedTuple):
    """The claims around one change of an e-mail address."""

    #: The user as before the claims.
    user: User
    #: Handle of the address that the user is to have, and of the one that they had.
    new: str | None
    old: str | None
    #: Versions of these claims before the change: what was claimed again since is not this change's to release.
    versions: dict[str, int]


async def present(call: Call, user: str | None = None) -> User:
    """What a user, or the caller, is now, as the owner of their shard knows: by a command that changes nothing."""
    id = user or call.user
    return (await call.step(ChangeProfile(user=id), key=uuid7())).entity(User, user_key(id))


async def begin_email(call: Call, address: str | None, *, user: str | None = None) -> EmailClaims:
    """Claims the new address of a user, or of the caller. Then comes the change, then ``end_email``.

    Raises Refused ``taken``.
    """
    before = await present(call, user)
    new = None if address is None else email_handle(address, call.app)
    old = None if before.email is None else email_handle(before.email, call.app)
    versions: dict[str, int] = {}
    if new == old:
        return EmailClaims(before, new, old, versions)
    if old is not None:
        # Before the change, which makes void whatever was to come of claims of the old address up to this version.
        try:
            outcome = await call.step(ConfirmHandle(handle=old, user=before.id), key=uuid7())
            versions[old] = _version(outcome, old)
        except Refused as refusal:
            # An imported address that nobody claimed: then there is nothing to release.
            log.info("%s has no claim: %s", old, refusal)
    if new is not None:
        versions[new] = await claim(call, new, before.id, key=uuid7(), anew=True)
    return EmailClaims(before, new, old, versions)


async def end_email(call: Call, claims: EmailClaims, *, changed: bool) -> None:
    """``changed``: the new address is the user's and the old one anybody's; else the new one is anybody's again."""
    user, new, old, versions = claims
    if changed and new is not None:
        await confirm(call, new, user.id, key=uuid7())
    if changed and old in versions:
        await release(call, old, user.id, versions[old])
    if not changed and new in versions and await abandoned(call, new, user.id):
        await release(call, new, user.id, versions[new])
