"""What a process knows of applications: kept in memory until the read models tell that one has changed.

Every request with a token of an application asks here, so that it costs no query. Who waits for a position does not get
what was before it: the news of a change come before the positions.
"""

from __future__ import annotations

import logging
import re
import time
from base64 import urlsafe_b64encode
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from api.support.sealing import SealBroken, Sealer
from events.apps import App, default_app, keys_of, settings_of
from events.core.clock import now
from events.core.derived_ids import DEFAULT_APP
from infra.base import away
from infra.base.postgres import Pool, Row, queries
from infra.base.progress import Invalidation, Progress
from infra.base.rows import from_row
from producers.apps import API_KEY

log = logging.getLogger(__name__)

#: Applications that are kept, those used last.
APPS = 10_000
#: Keys of which it is kept that they are nobody's, and for how many seconds: one that was made a moment ago, by another
#: process, or whose secret comes to a new Postgres only now, is found then at the latest.
UNKNOWN, UNKNOWN_SECONDS = 1_000, 5.0
#: What else is nobody's key.
_KEY = re.compile(API_KEY, re.ASCII)


def shown_secret(secret: bytes) -> str:
    """A secret as operators are shown it, and as servers of applications keep it."""
    return "ks_" + urlsafe_b64encode(secret).decode().rstrip("=")


class AppSecret(NamedTuple):
    """Whose a valid API key is, with the secret that signs tokens for it."""

    app: str
    secret: bytes


class _Entry(NamedTuple):
    app: App
    #: API keys with their secrets: those that were asked for. A dict of one would take 180 bytes more.
    secrets: tuple[tuple[str, bytes], ...] = ()


class Apps:
    """Applications by id and by API key; empty, and unused, while news of changes do not come."""

    def __init__(
        self, pool: Pool, progress: Progress, sealer: Sealer, *, most: int = APPS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._pool = pool
        self._progress = progress
        self._sealer = sealer
        self._most = most
        self._clock = clock
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        #: The application of each key whose secret is kept.
        self._of_key: dict[str, str] = {}
        #: Until when a key is held to be nobody's.
        self._unknown: OrderedDict[str, float] = OrderedDict()
        #: How often something has changed: what was read before is not kept after.
        self._changes = 0
        progress.on_touch(self._touched)

    def __len__(self) -> int:
        return len(self._entries)

    async def get(self, app: str) -> App | None:
        """An application; the default one is always there."""
        if (entry := self._entry(app)) is not None:
            return entry.app
        before = self._changes
        row = await self._row("by_id", app)
        if row is None and app != DEFAULT_APP:
            return None
        found = default_app() if row is None else from_row(App, row)
        self._keep(before, found)
        return found

    async def get_known(self, app: str) -> App | None:
        """The same; while Postgres is away, as it was known last."""
        try:
            return await self.get(app)
        except away.POSTGRES:
            entry = self._entries.get(app)
            if entry is None or self._progress.fresh:
                raise
            return entry.app

    async def has_teams(self, app: str) -> bool:
        """Whether an application has teams, as far as ``get_known`` knows."""
        found = await self.get_known(app)
        return found is not None and found.teams > 0

    async def session_hours(self, app: str) -> int:
        """For how many hours a session of an application goes on after its last use, likewise; 0: as its token says."""
        found = await self.get_known(app)
        return 0 if found is None else settings_of(found.settings).session_hours

    async def by_key(self, key: str) -> AppSecret | None:
        """Whose key it is; None where it is nobody's, any more or yet, or its secret does not open.

        Whether its application is served, ``get`` says.
        """
        if self.is_unknown(key):
            return None
        entry = self._entry(self._of_key.get(key, ""))
        if entry is None:
            entry = await self._read(key)
        if entry is None:
            return None
        held = keys_of(entry.app).get(key)
        if held is None or not held.holds(now()):
            return None
        return AppSecret(entry.app.id, dict(entry.secrets)[key])

    def knows(self, key: str) -> bool:
        """Whether ``by_key`` answers without a query."""
        return self._progress.fresh and self._of_key.get(key) in self._entries

    def is_unknown(self, key: str) -> bool:
        """Whether it is nobody's key by its form, or was so a moment ago."""
        return _KEY.fullmatch(key) is None or self._unknown.get(key, 0.0) > self._clock()

    async def _read(self, key: str) -> _Entry | None:
        before = self._changes
        row = await self._row("by_key", key)
        secret = None if row is None else self._opened(row, key)
        if row is None or secret is None:
            self._note_unknown(before, key)
            return None
        return self._keep(before, from_row(App, row), (key, secret))

    async def _row(self, query: str, argument: str) -> Row | None:
        async with self._pool.acquire(timeout=5) as connection:
            return await connection.fetchrow(queries("apps")[query], argument)

    def _opened(self, row: Row, key: str) -> bytes | None:
        """The secret of a row; None where the vault does not have it, or it does not open, which the log says."""
        app = from_row(App, row)
        try:
            if row["sealed"] is None:
                log.warning("application %s: expected the secret of %s in the vault, it is not there", app.id, key)
                return None
            return self._sealer.open(row["sealed"], id=keys_of(app)[key].secret, app=app.id)
        except SealBroken as error:
            log.error("%s", error)
            return None

    def _entry(self, app: str) -> _Entry | None:
        entry = self._entries.get(app) if self._progress.fresh else None
        if entry is not None:
            self._entries.move_to_end(app)
        return entry

    def _keep(self, before: int, app: App, *secrets: tuple[str, bytes]) -> _Entry:
        """Keeps what was read when ``before`` changes had come, unless more have; both keys of one after the other."""
        entry = _Entry(app, secrets)
        if before != self._changes or not self._progress.fresh:
            return entry
        if (known := self._entries.get(app.id)) is not None:
            entry = _Entry(app, tuple({**dict(known.secrets), **dict(secrets)}.items()))
        self._entries[app.id] = entry
        self._entries.move_to_end(app.id)
        self._of_key |= {key: app.id for key, _ in entry.secrets}
        while len(self._entries) > self._most:
            self._forget(next(iter(self._entries)))
        return entry

    def _note_unknown(self, before: int, key: str) -> None:
        if before != self._changes:
            return
        self._unknown[key] = self._clock() + UNKNOWN_SECONDS
        self._unknown.move_to_end(key)
        if len(self._unknown) > UNKNOWN:
            self._unknown.popitem(last=False)

    def _forget(self, app: str) -> None:
        entry = self._entries.pop(app, None)
        for key, _ in () if entry is None else entry.secrets:
            self._of_key.pop(key, None)

    def _touched(self, touched: Invalidation) -> None:
        if touched.all:
            self._entries.clear()
            self._of_key.clear()
        for app in touched.apps:
            self._forget(app)
        if touched.all or touched.apps:
            self._unknown.clear()
            self._changes += 1
