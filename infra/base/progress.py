"""How far the read models have come, as this process knows it: told by Postgres notifications, asked now and then."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import msgspec

from events.core.errors import KlatschError
from events.core.positions import Shard, Vector, encode_vector, parse_vector, reached
from infra.base import away, postgres
from infra.base.settings import Settings

log = logging.getLogger(__name__)

#: What ends a connection; another is made.
_AWAY: tuple[type[Exception], ...] = (*away.POSTGRES, postgres.SchemaMismatch)

#: Name under which the read-model projector keeps its positions.
READ_MODELS = "read_models"
#: Seconds after which the positions are read anyway, should a notification be lost.
_POLL_SECONDS = 1.0
#: Seconds after which a connection that does not answer is given up: it may be dead without saying so.
_READ_SECONDS = 5.0


class ReadModelsBehind(KlatschError):
    """The read models did not reach a position in time; the text says which, and where they are."""


def positions_channel(settings: Settings) -> str:
    """Channel of vectors that the read models have reached: ``rooms/3/1235,users/0/17``."""
    return f"{settings.schema}_positions"


def parked_channel(settings: Settings) -> str:
    """Channel of the streams that were parked."""
    return f"{settings.schema}_parked"


def revoked_channel(settings: Settings) -> str:
    """Channel of the ids of sessions that were closed."""
    return f"{settings.schema}_revoked"


def pages_channel(settings: Settings) -> str:
    """Channel of what pages of history show: ``Invalidation`` as JSON."""
    return f"{settings.schema}_pages"


class Invalidation(msgspec.Struct, frozen=True, omit_defaults=True):
    """What has changed of that which processes keep in memory: what pages of history show, and applications."""

    #: Rooms in which something was said: of theirs only pages that reach the end are not as they were.
    appended: list[str] = []
    #: Rooms of which any page may have changed, or who may read them.
    changed: list[str] = []
    #: Users whose profile has changed.
    users: list[str] = []
    #: Applications that have changed.
    apps: list[str] = []
    #: Plans that have changed.
    plans: list[str] = []
    #: Anything: nothing that was known before holds.
    all: bool = False
    #: With ``all``: only because positions were read before the news of them came, which are on their way.
    coming: bool = False


class Progress:
    """The read models' vector, kept up to date; callbacks on each advance, each change and each revoked session."""

    def __init__(self, settings: Settings) -> None:
        self.vector: Vector = {}
        #: Sessions that were closed and would not have expired yet.
        self.revoked: set[str] = set()
        #: Streams whose events are parked: what Postgres has of them is old, nothing may be decided on it.
        self.parked: set[str] = set()
        self._settings = settings
        self._advanced: list[Callable[[Vector], None]] = []
        self._on_revoked: list[Callable[[str], None]] = []
        self._on_touched: list[Callable[[Invalidation], None]] = []
        self._waiters: list[tuple[Vector, asyncio.Future[None]]] = []
        self._task: asyncio.Task[None] | None = None
        self._fresh = asyncio.Event()
        self._told: set[str] = set()
        #: Sessions that this process has closed, until the read models say so too.
        self._ended: set[str] = set()

    async def start(self) -> None:
        """Reads the positions once, then follows them until stop()."""
        self._task = asyncio.create_task(self._follow(), name="progress")
        await self._fresh.wait()

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    @property
    def fresh(self) -> bool:
        """Whether the connection to Postgres stands, so that revocations arrive at once."""
        return self._fresh.is_set()

    def on_advance(self, callback: Callable[[Vector], None]) -> None:
        """Calls back with the whole vector after each advance."""
        self._advanced.append(callback)

    def on_revoke(self, callback: Callable[[str], None]) -> None:
        """Calls back with the id of each session that is closed."""
        self._on_revoked.append(callback)

    def on_touch(self, callback: Callable[[Invalidation], None]) -> None:
        """Calls back with what has changed, before the positions at which it has; with ``all`` when news were lost."""
        self._on_touched.append(callback)

    def end(self, session: str) -> None:
        """This process has closed a session: it is revoked here at once. ``on_revoke`` is called when the read models
        say so, as the answer to whoever closed it may have to go over a connection of that session."""
        self._ended.add(session)
        self.revoked.add(session)

    async def wait(self, vector: Vector, seconds: float) -> bool:
        """Waits until the read models have reached ``vector``; False when they have not within ``seconds``."""
        if reached(self.vector, vector):
            return True
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (vector, future)
        self._waiters.append(entry)
        try:
            async with asyncio.timeout(seconds):
                await future
            return True
        except TimeoutError:
            return False
        finally:
            self._waiters.remove(entry)

    async def reach(self, vector: Vector, seconds: float) -> None:
        """The same, but raises ReadModelsBehind when they have not."""
        if not await self.wait(vector, seconds):
            have = {shard: self.vector.get(shard, 0) for shard in vector}
            raise ReadModelsBehind(
                f"expected the read models at {encode_vector(vector)} within {seconds:.1f} s, "
                f"got {encode_vector(have)}; see klatsch_projector_lag_events and klatsch_parked_streams"
            )

    async def _follow(self) -> None:
        while True:
            try:
                await self._listen()
            except _AWAY as error:
                self._fresh.clear()
                log.warning("progress: Postgres is away (%r); trying again", error)
                await asyncio.sleep(0.5)

    async def _listen(self) -> None:
        connection = await postgres.connect(self._settings)
        lost = asyncio.Event()
        try:
            await postgres.share(connection, self._settings)
            connection.add_termination_listener(lambda _: lost.set())
            await listen_to(connection, parked_channel(self._settings), self._told_parked)
            await listen_to(connection, pages_channel(self._settings), self._told_touched)
            await listen_to(connection, positions_channel(self._settings), self._told_positions)
            await listen_to(connection, revoked_channel(self._settings), self._told_revoked)
            while not lost.is_set():
                async with asyncio.timeout(_READ_SECONDS):
                    await self._read(connection)
                self._fresh.set()
                try:
                    async with asyncio.timeout(_POLL_SECONDS):
                        await lost.wait()
                except TimeoutError:
                    continue
        finally:
            # From here on notifications are lost: who needs to know must ask.
            self._fresh.clear()
            self._touch(Invalidation(all=True))
            await connection.close(timeout=2)

    async def _read(self, connection: postgres.Connection) -> None:
        sql = postgres.queries("progress")
        # Before the positions: a process that knows a position must know what was parked below it.
        self.parked = {row["stream"] for row in await connection.fetch(sql["parked"], READ_MODELS)}
        rows = await connection.fetch(sql["positions"], READ_MODELS)
        asked = {Shard(row["topic"], row["partition"]): row["next_offset"] for row in rows}
        if any(offset > self.vector.get(shard, -1) for shard, offset in asked.items()):
            # Ahead of the notifications, which may be on their way or lost: what they say must not come later.
            self._touch(Invalidation(all=True))
        self._advance(asked)
        before, self._told = self._told, set()
        revoked = {row["id"] for row in await connection.fetch(sql["revoked"])}
        for session in revoked - (self.revoked - self._ended):
            self._revoke(session)
        self._ended -= revoked
        # What was told while the query ran may not be in its answer.
        self.revoked = revoked | before | self._told | self._ended

    def _told_positions(self, payload: str) -> None:
        self._advance(parse_vector(payload))

    def _told_parked(self, payload: str) -> None:
        self.parked.add(payload)

    def _told_touched(self, payload: str) -> None:
        self._touch(msgspec.json.decode(payload, type=Invalidation))

    def _touch(self, touched: Invalidation) -> None:
        for callback in self._on_touched:
            callback(touched)

    def _told_revoked(self, payload: str) -> None:
        self._told.add(payload)
        self._ended.discard(payload)
        self._revoke(payload)

    def _revoke(self, session: str) -> None:
        self.revoked.add(session)
        for callback in self._on_revoked:
            callback(session)

    def _advance(self, vector: Vector) -> None:
        moved = {shard: offset for shard, offset in vector.items() if offset > self.vector.get(shard, -1)}
        if not moved:
            return
        self.vector.update(moved)
        for wanted, future in self._waiters:
            if not future.done() and reached(self.vector, wanted):
                future.set_result(None)
        for callback in self._advanced:
            callback(self.vector)


async def listen_to(connection: postgres.Connection, channel: str, callback: Callable[[str], None]) -> None:
    """Calls back for each payload of a channel, as the functions above name it."""
    name = await connection.fetchval(postgres.queries("progress")["channel"], channel)
    await connection.add_listener(name, lambda _connection, _pid, _channel, payload: callback(str(payload)))
