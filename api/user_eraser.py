"""Does what is left to do for erased accounts: names become free, rooms are left, and what they said goes.

Each step is a command that can be repeated, and what is left is asked of the read models: so whichever process comes
next goes on where one has died. Nothing of it is kept but how far it has come.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence
from time import monotonic
from typing import Any

from api import claims
from api.core.calls import Call, Services
from api.members import put_out
from api.rooms import waiting_for
from api.support.problems import LATER, Problem
from events.core.clock import uuid7
from events.handles import email_handle, username_handle
from events.user_erasure import Erasure, erasure_of
from events.users import User
from infra.base import postgres
from infra.base.postgres import Row, lock_key, queries
from infra.base.rows import from_row
from producers.commands import Command, Outcome
from producers.invitations import DeclineInvitation
from producers.messages import HideMessage
from producers.user_erasure import NoteErasure

log = logging.getLogger(__name__)

#: Seconds after which it is asked anyway whether something is left to do.
LOOK_SECONDS = 5.0
#: Accounts of one look.
_ACCOUNTS = 20
#: Rooms and messages of one query.
ROOMS, MESSAGES = 1000, 200
#: Messages that are deleted at the same time, and a second at most: people go on talking beside it.
TOGETHER, A_SECOND = 20, 400
#: Messages after which it is noted how far it has come.
NOTED = 1000


class UserEraser:
    """One task a process. Of several processes one works on an account: the others see its lock."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._call = Call(services, None)
        self._soon = asyncio.Event()
        #: The account that was looked at last: those after it come next, or some that fail would keep out the others.
        self._last = ""
        self._task: asyncio.Task[None] | None = None
        services.erase_soon = self._soon.set

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="erasing")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                rows = await self._call.rows(queries("user_erasure")["waiting"], self._last, _ACCOUNTS)
                done = 0
                for row in rows:
                    done += await self._account(row["id"])
                    self._last = row["id"]
                if done and len(rows) == _ACCOUNTS:
                    # There may be more, and it is not in vain.
                    self._soon.set()
            except LATER as error:
                log.warning("which accounts are erased is not known: %r", error)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._soon.wait()
            self._soon.clear()

    async def _account(self, id: str) -> bool:
        """All that is left to do for one account, unless another process is at it. What fails is tried again later.
        Returns whether it is done, and was not before."""
        try:
            async with self._locked(id) as mine:
                row = await self._call.row(queries("users")["any_by_id"], [id]) if mine else None
                user = None if row is None else from_row(User, row)
                left = None if user is None else erasure_of(user)
                if user is not None and left is not None and left.done is None:
                    await _Account(Call(self._services, None, app=user.app), user, left).finish()
                    return True
        except LATER as error:
            log.warning("erasing %s goes on later: %r", id, error)
        except Exception:
            # Others are not to wait for one of which something unforeseen is true.
            log.exception("erasing %s failed; it is tried again later", id)
        return False

    @contextlib.asynccontextmanager
    async def _locked(self, id: str) -> AsyncIterator[bool]:
        """Whether the account is ours for the length of the block. The lock ends with its connection, however it ends:
        two at one account do the same twice, which changes nothing."""
        key = lock_key(f"{self._services.settings.schema}/erasing/{id}")
        async with postgres.connected(self._services.settings) as connection:
            yield bool(await connection.fetchval("select pg_try_advisory_lock($1)", key))


class _Account:
    """One erased account, and what is left to do for it."""

    def __init__(self, call: Call, user: User, left: Erasure) -> None:
        self._call = call
        self._user = user
        self._messages = left.messages
        #: Rooms in which they were; as noted before the first was left.
        self._rooms = left.rooms
        self._hidden = 0
        self._noted = left.hidden
        self._due = monotonic()

    async def finish(self) -> None:
        """Raises Problem, Refused, Unavailable, and what Postgres raises; then it begins again later."""
        await self._seen()
        await self._free_names()
        await self._decline()
        await self._leave()
        # What they said until they had left.
        await self._seen()
        if self._messages == "hide":
            await self._hide()
        await self._note(done=True)
        log.info("%s is erased: in %d rooms, %d messages", self._user.id, self._rooms, self._hidden)

    async def _seen(self) -> None:
        """Waits until the read models have all that was said and done. Raises Problem ``lagging``."""
        if not await self._call.see_all("users", "rooms", "handles"):
            raise Problem("lagging", "expected the read models to have all of the log within a second")

    async def _free_names(self) -> None:
        rows = await self._rows("names", self._user.id)
        names = [username_handle(row["username"], self._user.app) for row in rows if row["username"]]
        names += [email_handle(row["email"], self._user.app) for row in rows if row["email"]]
        for row in await self._rows("handles", names, self._user.id):
            await claims.release(self._call, row["id"], self._user.id, row["version"])
        for credential in {row["credential"] for row in rows} - {None}:
            await self._call.services.credential_store.remove(credential)

    async def _decline(self) -> None:
        for row in await self._rows("invitations", self._user.id):
            await self._step(DeclineInvitation(room=row["room"]), row["room"])

    async def _leave(self) -> None:
        if self._rooms == 0:
            self._rooms = (await self._rows("rooms_in_all", self._user.id))[0]["count"]
            await self._note(done=False)
        place = ""
        while rows := await self._rows("rooms", self._user.id, place, ROOMS):
            for row in rows:
                await self._leave_one(row["room"])
            place = rows[-1]["room"]

    async def _leave_one(self, room: str) -> None:
        """As anybody leaves: who owned it is followed by the oldest admin, or else the oldest member."""
        waiting = await waiting_for(self._call, room)
        await put_out(self._call, room, self._user.id, waiting, lambda command: self._step(command, room))

    async def _hide(self) -> None:
        """All that they have said, wherever: also where they were no member any more, or never were."""
        place = ""
        while rows := await self._rows("said_in", self._user.app, place, self._user.id, ROOMS):
            for row in rows:
                if row["said"]:
                    await self._hide_in(row["id"])
            place = rows[-1]["id"]

    async def _hide_in(self, room: str) -> None:
        place = -1
        while rows := await self._rows("messages", room, self._user.id, place, self._user.erased, MESSAGES):
            # Gone already: by an earlier attempt of this.
            self._hidden += sum(row["gone"] for row in rows)
            shown = [row["id"] for row in rows if not row["gone"]]
            for start in range(0, len(shown), TOGETHER):
                await self._hide_some(room, shown[start : start + TOGETHER])
            place = rows[-1]["offset"]

    async def _hide_some(self, room: str, messages: Sequence[str]) -> None:
        await asyncio.sleep(self._due - monotonic())
        self._due = max(self._due, monotonic()) + len(messages) / A_SECOND
        hiding = [HideMessage(room=room, message=id, author=self._user.id) for id in messages]
        await asyncio.gather(*(self._step(one, one.message, actor="system") for one in hiding))
        self._hidden += len(messages)
        if self._hidden - self._noted >= NOTED:
            await self._note(done=False)

    async def _note(self, *, done: bool) -> None:
        command = NoteErasure(user=self._user.id, rooms=self._rooms, hidden=self._hidden, done=done)
        await self._call.step(command, actor="system", key=uuid7())
        self._noted = self._hidden

    async def _step(self, command: Command, what: str, *, actor: str | None = None) -> Outcome:
        """Decides a command about a room or a message, once: its key says what it is for."""
        return await self._call.step(command, actor=actor or self._user.id, key=f"erasing:{what}")

    async def _rows(self, query: str, *arguments: Any) -> list[Row]:
        return await self._call.rows(queries("user_erasure")[query], *arguments)
