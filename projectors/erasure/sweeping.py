"""Removes the rows of an erased application, in pieces that hold nobody up; begun again after a crash, it goes on.

First all turns of the read models that are under way are waited for: each one after it asks whether an application is
erased (``passing.py``), so none adds a row from there on. What has rows of others hanging on it goes last, so that
nothing is left that could not be found any more.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from events.core.positions import Shard
from infra.base import months
from infra.base.postgres import Connection, Row, queries
from infra.base.progress import READ_MODELS, pages_channel
from infra.base.settings import Settings
from projectors.core.passing import note, passed_over
from projectors.core.source import entry_of
from projectors.erasure.rules import By, found_by
from projectors.rebuild import fresh
from projectors.rebuild.building import alone
from projectors.usage import storing

#: Rows that one transaction removes at most, and users or rooms whose rows are looked for at once.
ROWS, ROOTS = 2000, 200
#: Offsets that are looked through at once.
OFFSETS = 5000

#: Makes the vault forget some ids. Raises where it cannot.
Forget = Callable[[Sequence[str]], Awaitable[None]]


async def pending(connection: Connection) -> list[str]:
    """Erased applications of which there may be rows yet, or nothing says that they are gone."""
    return [row["id"] for row in await connection.fetch(queries("app_erasure")["pending"])]


async def sweep(settings: Settings, app: str, forget: Forget) -> dict[str, int]:
    """Removes the rows of an application; returns how many went by table, those of earlier attempts included.

    Raises RebuildError while a rebuild or a verification is at work: both stand on the same rows.
    """
    async with alone(settings) as connection:
        # Another process may have done it since it was seen to be pending.
        if app in await pending(connection):
            await connection.execute("set enable_seqscan = off")
            sweeper = _Sweeper(connection, settings, app, forget)
            await sweeper.begin()
            await sweeper.run()
        removed = await connection.fetchval(queries("app_erasure")["rows_of"], app)
    return dict(sorted(removed.items())) if removed is not None else {}


class _Sweeper:
    def __init__(self, connection: Connection, settings: Settings, app: str, forget: Forget) -> None:
        self._connection = connection
        self._settings = settings
        self._app = app
        self._forget = forget
        self._sql = queries("app_erasure")

    async def begin(self) -> None:
        """From here on no turn adds rows; what waited for a fix is gone."""
        connection = self._connection
        async with connection.transaction():
            await connection.execute(queries("months")["between_turns"], READ_MODELS)
            await connection.execute(self._sql["begin"], self._app)
            await self._parked()
        # What a rebuild has left was folded with its rows.
        for name in fresh.BESIDE:
            await fresh.drop(connection, fresh.beside(self._settings, name))

    async def run(self) -> None:
        await self._rooms()
        await self._users()
        await self._forget_all([row["secret"] for row in await self._connection.fetch(self._sql["secrets"], self._app)])
        await self._pieces("handles", self._sql["handles"], self._app)
        # Whoever counts from here on finds that it is erased.
        async with self._connection.transaction():
            await storing.lock(self._connection, storing.shards(self._settings))
        for table, column in found_by(By.APP):
            await self._pieces(table, _deleting(table, f'"{column}" = $1'), self._app)
        await self._changes()
        async with self._connection.transaction():
            await self._connection.execute(self._sql["end"], self._app)
            channel = pages_channel(self._settings)
            await self._connection.execute(queries("projectors")["notify"], channel, ['{"all":true}'])

    async def _parked(self) -> None:
        """Events of the application that wait for a fix, whatever they wait for."""
        gone: list[tuple[Any, ...]] = []
        events: Counter[tuple[str, str]] = Counter()
        for row in await self._connection.fetch(self._sql["parked"]):
            place = (row["topic"], row["partition"], row["offset"])
            entry = entry_of(Shard(*place[:2]), place[2], row["stream"].encode(), row["value"])
            if passed_over(entry, (self._app,)) is not None:
                gone.append((row["consumer"], *place))
                events[self._app, row["topic"]] += row["consumer"] == READ_MODELS
        await self._connection.executemany(queries("projectors")["unpark"], gone)
        await note(self._connection, +events)
        await self._count("parked", len(gone))

    async def _rooms(self) -> None:
        # Also of months that were put aside.
        tables = sorted(map(months.table_of, await months.existing(self._connection)))
        async for rooms in self._roots("rooms"):
            ids = [row["id"] for row in rooms]
            for table in tables:
                await self._messages(table, ids)
            for table, column in found_by(By.ROOM):
                await self._pieces(table, _deleting(table, f'"{column}" = any($1)'), ids)
            await self._pieces("rooms", _deleting("rooms", "id = any($1)"), ids)

    async def _messages(self, table: str, rooms: list[str]) -> None:
        """A month's, with what they held before."""
        # S608 here and below: names of ours; every value is a parameter.
        select = f"select id from {table} where room = any($1) limit $2"  # noqa: S608
        while True:
            async with self._piece():
                ids = [row["id"] for row in await self._connection.fetch(select, rooms, ROWS)]
                revisions = await self._connection.execute(self._sql["revisions"], ids)
                await self._connection.execute(f"delete from {table} where id = any($1)", ids)  # noqa: S608
                await self._count("revisions", _number(revisions))
                await self._count("messages", len(ids))
            if len(ids) < ROWS:
                return

    async def _users(self) -> None:
        async for users in self._roots("users"):
            ids = [row["id"] for row in users]
            for table, column in found_by(By.USER):
                await self._pieces(table, _deleting(table, f'"{column}" = any($1)'), ids)
            # Before their rows, which alone name them.
            await self._forget_all([row["credential"] for row in users if row["credential"] is not None])
            await self._pieces("users", _deleting("users", "id = any($1)"), ids)

    async def _forget_all(self, ids: list[str]) -> None:
        if ids:
            # Counted as they go, before whoever follows the topic removes them too; what is repeated after a crash
            # finds none, and forgets them once more.
            await self._pieces("credentials", _deleting("credentials", "id = any($1)"), ids)
            await self._forget(ids)

    async def _roots(self, table: str) -> AsyncIterator[Sequence[Row]]:
        """The application's users or rooms, some at a time."""
        after = ""
        while rows := await self._connection.fetch(self._sql[table], self._app, after, ROOTS):
            yield rows
            after = rows[-1]["id"]

    async def _pieces(self, table: str, sql: str, *arguments: Any) -> None:
        while True:
            async with self._piece():
                gone = _number(await self._connection.execute(sql, *arguments, ROWS))
                await self._count(table, gone)
            if gone < ROWS:
                return

    async def _changes(self) -> None:
        """Each is an event that no row tells of from then on."""
        for partition in range(self._settings.partitions):
            last = await self._connection.fetchval(self._sql["last_change"], partition)
            for start in range(0, -1 if last is None else last + 1, OFFSETS):
                async with self._piece():
                    await self._change_range(partition, start)

    async def _change_range(self, partition: int, start: int) -> None:
        connection = self._connection
        rows = await connection.fetch(self._sql["changes"], partition, start, start + OFFSETS, self._app)
        events = Counter({(self._app, row["topic"]): row["events"] for row in rows})
        pairs = [(row["topic"], stream) for row in rows for stream in row["streams"]]
        if pairs:
            topics, streams = map(list, zip(*pairs, strict=True))
            for row in await connection.fetch(self._sql["skipped"], topics, streams, READ_MODELS):
                events[self._app, row["topic"]] += row["events"]
                await self._count("skipped", row["rows"])
        await note(connection, +events)
        await self._count("changes", sum(row["events"] for row in rows))

    async def _count(self, table: str, rows: int) -> None:
        if rows:
            await self._connection.execute(self._sql["removed"], self._app, table, rows)

    @asynccontextmanager
    async def _piece(self) -> AsyncIterator[None]:
        """A transaction, and a rest as long as it took: at most half of a core of Postgres'."""
        began = time.monotonic()
        async with self._connection.transaction():
            yield
        await asyncio.sleep(time.monotonic() - began)


def _deleting(table: str, where: str) -> str:
    """Removes up to so many rows of a table, as the last parameter says."""
    # S608: names of ours; every value is a parameter.
    return f"delete from {table} where ctid = any(array(select ctid from {table} where {where} limit $2))"  # noqa: S608


def _number(status: str) -> int:
    """The number of rows that a statement has changed, from what Postgres says of it: ``DELETE 17``."""
    return int(status.rpartition(" ")[2])
