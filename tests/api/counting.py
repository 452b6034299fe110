"""A read's cost in queries and rows: an operation run on a connection that counts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, NamedTuple

from api.core.calls import Call
from api.core.moments import AsOf
from api.core.tokens import Identity
from events.apps import App, default_app
from infra.base.postgres import Connection
from infra.base.settings import Settings
from projectors.as_of.moments import Moment, parse_moment


class Cost(NamedTuple):
    """What a read asked of Postgres."""

    queries: int
    rows: int


class Counted:
    """A connection that counts what it is asked."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.cost = Cost(0, 0)

    def _count(self, rows: int) -> None:
        self.cost = Cost(self.cost.queries + 1, self.cost.rows + rows)

    async def fetch(self, sql: str, *arguments: Any) -> list[Any]:
        found: list[Any] = await self._connection.fetch(sql, *arguments)
        self._count(len(found))
        return found

    async def fetchrow(self, sql: str, *arguments: Any) -> Any:
        self._count(1)
        return await self._connection.fetchrow(sql, *arguments)

    def transaction(self, **options: Any) -> Any:
        return self._connection.transaction(**options)


class WithoutTeams:
    """Applications as a process knows them that has asked before: the default one."""

    async def get(self, app: str) -> App:
        return default_app()

    async def has_teams(self, app: str) -> bool:
        return False


class Reader:
    """Somebody whose reads are counted, with the services that reads need."""

    def __init__(self, settings: Settings, connection: Connection, user: str) -> None:
        self.settings = settings
        self.counted = Counted(connection)
        #: Set by who reads what needs them.
        self.feed: Any = None
        self.progress: Any = None
        self.apps = WithoutTeams()
        self.call = Call(self, Identity(user, "session", "person", 2**40))  # type: ignore[arg-type]  # what reads need of Services

    @property
    def pool(self) -> Reader:
        return self

    @asynccontextmanager
    async def acquire(self, timeout: float) -> AsyncIterator[Counted]:
        yield self.counted

    @contextmanager
    def counting(self) -> Iterator[list[Cost]]:
        """What the block costs, in the list after it."""
        before, found = self.counted.cost, list[Cost]()
        yield found
        after = self.counted.cost
        found.append(Cost(after.queries - before.queries, after.rows - before.rows))

    def then(self, moment: Mapping[Any, int] | str) -> AsOf:
        """A past moment: next offsets of shards, or a time."""
        found = parse_moment(moment) if isinstance(moment, str) else Moment(vector=dict(moment))
        return AsOf(self.counted, found)  # type: ignore[arg-type]  # it counts what a Connection is asked
