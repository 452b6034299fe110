"""Ends connections to this process whose tokens are void since: of a suspended application, of one that has revoked its
tokens or whose key has ended, of users whom it has deactivated or whose tokens it has revoked. Sessions that were
closed are ended by their ids."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from api.core.app_tokens import of_app
from api.core.auth import refusal
from api.core.calls import Services
from api.support.problems import Problem
from infra.base import away
from infra.base.progress import Invalidation

log = logging.getLogger(__name__)

#: Seconds after which all is looked at once more, and then again: a connection whose token was checked before may come
#: after, one by server-sent events some seconds later.
AGAIN_SECONDS = (1.0, 6.0)
#: Seconds until all are looked at again: news get lost, and are read anew, many times in a row.
_PAUSE = 1.0
_AWAY: tuple[type[Exception], ...] = (*away.PARTS, Problem)


class Bearer(Protocol):
    """Whose connection it is, as the token says with which it came."""

    @property
    def app(self) -> str: ...
    @property
    def user(self) -> str: ...
    @property
    def session(self) -> str: ...
    @property
    def issued(self) -> float: ...


class Bearers(Protocol):
    """Those of one kind to this process."""

    def identities(self, user: str | None = None) -> Sequence[Bearer]:
        """Whose there are, of all or of one user: each session once."""


class Cutting:
    """Looks at connections when the read models tell that an application or a user has changed."""

    def __init__(self, services: Services, bearers: Bearers, end: Callable[[str], None]) -> None:
        """``end`` ends the connections of a session."""
        self._services = services
        self._bearers = bearers
        self._end = end
        self._apps: set[str] = set()
        self._users: set[str] = set()
        self._all = False
        self._work = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._later: set[asyncio.Task[None]] = set()
        services.progress.on_touch(self._touched)

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="cutting")

    async def stop(self) -> None:
        tasks = [*self._later, *([] if self._task is None else [self._task])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def look(self, user: str) -> None:
        """Looks at a user's connections soon: one came of which it was not asked whether its token still holds."""
        self._users.add(user)
        self._work.set()

    def _touched(self, touched: Invalidation) -> None:
        self._all = self._all or touched.all
        self._apps.update(touched.apps)
        self._users.update(touched.users)
        if self._all or self._apps or self._users:
            self._work.set()

    async def _run(self) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            apps, users, all_ = self._apps, self._users, self._all
            self._apps, self._users, self._all = set(), set(), False
            if not await self._look(apps, users, all_):
                continue
            if all_:
                await asyncio.sleep(_PAUSE)
            # The loop itself holds no task.
            again = asyncio.create_task(self._again(apps, users, all_))
            self._later.add(again)
            again.add_done_callback(self._later.discard)

    async def _again(self, apps: set[str], users: set[str], all_: bool) -> None:
        """Once more for these, twice, and no further time."""
        for seconds in AGAIN_SECONDS:
            await asyncio.sleep(seconds)
            if not await self._look(apps, users, all_):
                return

    async def _look(self, apps: set[str], users: set[str], all_: bool) -> bool:
        """Whether it could; otherwise all begins again soon, with its second looks."""
        known = self._bearers.identities
        if all_ or apps:
            asked = [one for one in known() if all_ or one.app in apps or one.user in users]
        else:
            asked = [one for user in users for one in known(user)]
        try:
            for identity in await self._void(asked):
                self._end(identity.session)
            return True
        except _AWAY as error:
            log.warning("whether tokens are void is not known, and is asked again: %r", error)
            await asyncio.sleep(_PAUSE)
            self._touched(Invalidation(apps=list(apps), users=list(users), all=all_))
            return False

    async def _void(self, asked: Sequence[Bearer]) -> list[Bearer]:
        """Those who could not come in any more with the token with which they came: what they share is asked once."""
        services = self._services
        apps = {app: await services.apps.get(app) for app in {one.app for one in asked}}
        signed = {one.session: key for one in asked if (key := of_app(one.session)) is not None}
        keys = {key: await services.apps.by_key(key) for key in set(signed.values())}
        await services.app_users.fetch([one.user for one in asked if one.session in signed])
        found = []
        for one in asked:
            void = refusal(apps[one.app], one.issued) is not None
            if not void and one.session in signed:
                account = await services.app_users.get(one.app, one.user)
                void = account is None or keys[signed[one.session]] is None or one.issued < account.tokens_before
            if void:
                found.append(one)
        return found
