"""A user's way into another team: what ties them to rooms and people of other teams ends.

The change itself is one event; what follows from it stands in other streams, so it is done after it, step by step. Each
step can be repeated, and does nothing where nothing is left to do: by whoever sends the change again, and by every
process that is told of a changed user, or begins. What was decided on what the read models had before the change (an
invitation that was under way) is met by the second look, some seconds later.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection

from api.core.calls import Call, Services
from api.members import put_out
from api.rooms import waiting_for
from api.support.problems import LATER
from infra.base.postgres import queries
from infra.base.progress import Invalidation
from producers.invitations import WithdrawInvitation
from producers.relationships import SetRelationship

log = logging.getLogger(__name__)

#: Seconds after news of a user until it is looked at whether anything is left: longer than a command takes.
AFTER_SECONDS = 10.0


async def leave_others(call: Call, user: str) -> None:
    """Ends a user's memberships, invitations and friendships beyond their team, as the read models have them.

    Raises Refused, Unavailable, Problem: then part of it may be done, and the rest is done by the next call.
    """
    sql = queries("moving")
    for row in await call.rows(sql["rooms"], user):
        waiting = await waiting_for(call, row["room"])
        await put_out(
            call, row["room"], user, waiting, lambda command: call.step(command, key=None, actor=user, everywhere=True)
        )
    for row in await call.rows(sql["invitations"], user):
        withdrawn = WithdrawInvitation(room=row["room"], user=user)
        await call.step(withdrawn, key=None, actor=row["by"], everywhere=True)
    for row in await call.rows(sql["friends"], user):
        ended = SetRelationship(user=row["user"], other=row["other"], type=None)
        await call.step(ended, key=None, actor=row["user"], everywhere=True)


async def end_what_is_left(call: Call, users: Collection[str] | None) -> None:
    """The same of those of some users, or (None) of all, of whom anything is left. Raises as ``leave_others``."""
    failed: Exception | None = None
    for row in await call.rows(queries("moving")["users"], None if users is None else list(users)):
        try:
            await leave_others(call, row["user"])
        except LATER as error:
            # Others are not to wait for one who cannot be moved now.
            log.warning("what ties %s to another team did not end: %r", row["user"], error)
            failed = failed or error
    if failed is not None:
        raise failed


class Moving:
    """Goes on with what was left undone, when the read models tell that a user has changed, and at the start."""

    def __init__(self, services: Services, *, seconds: float = AFTER_SECONDS) -> None:
        self._services = services
        self._seconds = seconds
        self._users: set[str] = set()
        self._all = True
        self._work = asyncio.Event()
        self._work.set()
        self._task: asyncio.Task[None] | None = None
        services.progress.on_touch(self._touched)

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="moving")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _touched(self, touched: Invalidation) -> None:
        self._all = self._all or touched.all
        self._users.update(touched.users)
        if self._all or self._users:
            self._work.set()

    async def _run(self) -> None:
        while True:
            await self._work.wait()
            await asyncio.sleep(self._seconds)
            self._work.clear()
            users, all_ = self._users, self._all
            self._users, self._all = set(), False
            await self._look(None if all_ else users)

    async def _look(self, users: Collection[str] | None) -> None:
        """Ends what is left of some users; None: of all."""
        try:
            await end_what_is_left(Call(self._services, None), users)
        except LATER as error:
            log.warning("what ties users to another team did not end, and is tried again: %r", error)
            self._all = self._all or users is None
            self._users.update(users or ())
            self._work.set()
