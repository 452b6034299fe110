"""Ending the sessions of a user in one batch with what they end for, and no log-in of meanwhile is missed."""

from __future__ import annotations

import asyncio

from msgspec.structs import replace

from api.claims import present
from api.core.calls import Call
from api.support.problems import Problem
from events.core.clock import Time, uuid7
from events.core.positions import Shard
from events.sessions import SessionClosed
from events.users import user_key
from infra.base.postgres import queries
from producers.commands import Outcome, Refused
from producers.ending import SESSIONS, EndingCommand
from producers.engine.router import partition_of
from producers.sessions import CloseSession

#: Log-ins that may come between reading somebody's sessions and ending them, before it is put off.
_ATTEMPTS = 5
#: Sessions that are ended at the same time where there are too many for one command.
_TOGETHER = 50


async def ended_with(
    call: Call, command: EndingCommand, *, keep: str | None = None, before: Time | None = None
) -> Outcome:
    """Decides the command with the user's open sessions, but ``keep``: with those opened ``before``, where it is given.

    Its ``since`` and ``close`` are set here. Raises Problem, Refused, Unavailable.
    """
    for _ in range(_ATTEMPTS):
        since, close = await _open(call, command.user, keep, before)
        try:
            return await call.submit(replace(command, since=since, close=close), shows=(user_key(command.user),))
        except Refused as refusal:
            if refusal.code != "outrun":
                raise
    raise Problem("overloaded", "expected no log-in while sessions are ended, got several", retry_after=1)


async def ended_once(call: Call, command: EndingCommand, before: Time | None = None) -> Outcome:
    """The same; or what the command came to when the caller's key was first used. Raises Problem, Refused,
    Unavailable."""
    if (first := await call.used(command, shows=(user_key(command.user),))) is not None:
        return first
    return await ended_with(call, command, before=before)


def closed(outcome: Outcome) -> int:
    """How many sessions ended with it."""
    return sum(isinstance(record.data, SessionClosed) for record in outcome.records)


async def _open(call: Call, user: str, keep: str | None, before: Time | None) -> tuple[int, list[str]]:
    """The user's version, and the sessions that are open as of it."""
    while True:
        found = await present(call, user)
        await call.catch_up({Shard("users", partition_of(user, call.settings.partitions)): found.version + 1})
        rows = await call.rows(queries("sessions")["open_ids"], user, SESSIONS + 2, before)
        ids = [row["id"] for row in rows if row["id"] != keep]
        if len(ids) <= SESSIONS:
            return found.version, ids
        for start in range(0, len(ids), _TOGETHER):
            part = [CloseSession(user=user, session=session) for session in ids[start : start + _TOGETHER]]
            await asyncio.gather(*(call.step(one, key=uuid7()) for one in part))
