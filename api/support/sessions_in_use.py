"""Sessions that end where they are not used: when each ends, in memory, and that it was used, noted now and then."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime

from events.core.clock import from_datetime, now, to_datetime, uuid7
from events.sessions import SessionUsed
from infra.base.postgres import Pool, queries
from producers.commands import ANY_APP, CommandEnvelope, Refused, Unavailable
from producers.engine.router import Producers
from producers.sessions import UseSession

log = logging.getLogger(__name__)

#: Sessions that are kept, those used last: some 10 MB.
SESSIONS = 50_000
#: How often a session in steady use is noted in its length: 24 events a day where it is a day.
NOTES = 24
_HOUR = 3600.0
#: Seconds in which a session that was opened a moment ago comes to the read models.
_YOUNG = 60.0


def whole_seconds(hours: int) -> float:
    """How far ahead the end of a session in use is set: a part longer than its length, as its use is noted only now and
    then; so it never ends before its length has passed."""
    return hours * _HOUR * (1 + 1 / NOTES)


class SessionsInUse:
    """When sessions end, by id. What is known here is at most too early: each use by any node moves the end on."""

    def __init__(
        self, pool: Pool, producers: Producers, *, most: int = SESSIONS, clock: Callable[[], float] = time.time
    ) -> None:
        self._pool = pool
        self._producers = producers
        self._most = most
        self._clock = clock
        self._ends: OrderedDict[str, float] = OrderedDict()
        #: By session: what notes its use.
        self._notes: dict[str, asyncio.Task[None]] = {}

    async def use(self, user: str, session: str, hours: int, issued: float) -> bool:
        """Whether a session may go on, which is used now. ``hours``: its length from now on; 0: it is not moved on.

        ``issued``: when its token was made, in Unix seconds.
        """
        moment = self._clock()
        ends = self._ends.get(session)
        if ends is None or ends <= moment:
            ends = await self._read(user, session)
            if ends is None:
                # Opened a moment ago, or closed, which others tell.
                return moment < issued + _YOUNG
            # Beside this one another use may have moved it on.
            ends = max(ends, self._ends.get(session, 0.0))
            self._keep(session, ends)
        if ends <= moment:
            return False
        if hours and ends < moment + hours * _HOUR and session not in self._notes:
            self._note(user, session, moment + whole_seconds(hours))
        return True

    def _keep(self, session: str, ends: float) -> None:
        self._ends[session] = ends
        self._ends.move_to_end(session)
        while len(self._ends) > self._most:
            self._ends.popitem(last=False)

    async def _read(self, user: str, session: str) -> float | None:
        async with self._pool.acquire(timeout=5) as connection:
            expires = await connection.fetchval(queries("sessions")["ends"], user, session)
        return None if expires is None else to_datetime(expires).timestamp()

    def _note(self, user: str, session: str, ends: float) -> None:
        """Writes it beside the request, which does not wait."""
        self._notes[session] = asyncio.create_task(self._write(user, session, ends))

    async def _write(self, user: str, session: str, ends: float) -> None:
        """The end moves on when that is decided, not before: the session may be closed by then."""
        command = UseSession(user=user, session=session, expires=from_datetime(datetime.fromtimestamp(ends, UTC)))
        envelope = CommandEnvelope(
            command=command, id=uuid7(), actor="system", key=uuid7(), time=now(), traceparent=None, app=ANY_APP,
            via=None,
        )  # fmt: skip
        try:
            outcome = await self._producers.submit(envelope)
            if any(isinstance(record.data, SessionUsed) for record in outcome.records):
                self._keep(session, ends)
            else:
                # It is closed, or others have moved its end further: the next use asks.
                self._ends.pop(session, None)
        except (Refused, Unavailable) as error:
            # The next use notes it.
            log.info("the use of session %s is not noted: %s", session, error)
        finally:
            self._notes.pop(session, None)
