"""The monthly partitions of ``messages``: which month an id is of, making them, and putting old ones aside."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import NamedTuple

import asyncpg

from events.core.errors import KlatschError
from infra.base import postgres
from infra.base.postgres import Connection, queries
from infra.base.progress import READ_MODELS, pages_channel
from infra.base.settings import Settings

#: What is before 1970, and what is after 2199 or begins with no UUIDv7: they always exist.
EARLY, LATE = "0000-00", "9999-99"
#: Months after the present one that are made ahead.
AHEAD = 2
#: Seconds to wait until nobody reads the partitioned table, and how often to try: readers behind us wait as long.
_LOCK_SECONDS, _ATTEMPTS = 2, 5


class MonthError(KlatschError):
    """A month cannot be put aside or taken back; the text says expected, actual and what to do."""


class Month(NamedTuple):
    """A partition as operators see it."""

    name: str
    #: ``attached``; ``archived``: kept up to date, but not read; ``gone``: archived, and its table was taken away.
    state: str
    rows: int
    bytes: int


def _first_id(year: int, month: int) -> str:
    """What all UUIDv7 from the month on are not below: 48 bits of Unix milliseconds (RFC 9562 5.7)."""
    stamp = f"{int(datetime(year, month, 1, tzinfo=UTC).timestamp() * 1000):012x}"
    return f"{stamp[:8]}-{stamp[8:]}"


_MONTHS = [(year, month) for year in range(1970, 2200) for month in range(1, 13)]
_NAMES = [EARLY, *(f"{year}-{month:02}" for year, month in _MONTHS), LATE]
#: The first id of each of _NAMES. Text of Python compares like text of Postgres with collation "C".
_FIRST = ["", *(_first_id(*month) for month in _MONTHS), _first_id(2200, 1)]
#: Above every id.
_END = "\U0010ffff"


def month_of(id: str) -> str:
    """The month of a message's id: ``2025-01``, or EARLY or LATE for whatever is no UUIDv7 of 1970 to 2199."""
    return _NAMES[bisect_right(_FIRST, id) - 1]


def bounds(month: str) -> tuple[str, str]:
    """The first id of a month, and that of the next one. Raises ValueError for what is no month."""
    place = _NAMES.index(month)
    return _FIRST[place], _FIRST[place + 1] if place + 1 < len(_FIRST) else _END


def table_of(month: str) -> str:
    """The partition of a month: ``messages_2025_01``."""
    return f"messages_{month.replace('-', '_')}"


def present(offset: int = 0) -> str:
    """The present month, or one so many months after it, before it."""
    today = datetime.now(UTC)
    place = today.year * 12 + today.month - 1 + offset
    return f"{place // 12:04}-{place % 12 + 1:02}"


def ahead() -> set[str]:
    """The months that are to exist now."""
    return {present(offset) for offset in range(AHEAD + 1)}


def is_month(text: str) -> bool:
    """Whether it names a month of 1970 to 2199, as ``2025-01``."""
    return text in _NAMES[1:-1]


def may_be_archived(month: str) -> bool:
    """Whether a month may be put aside: the present one and that before it never are, nor are the ends."""
    return EARLY < month < present(-1)


async def existing(connection: Connection) -> set[str]:
    """All months that have a table, attached or not."""
    return {row["month"] for row in await connection.fetch(queries("months")["tables"])}


async def archived(connection: Connection, months: Iterable[str]) -> set[str]:
    """Those of ``months`` that were put aside."""
    candidates = [month for month in months if may_be_archived(month)]
    if not candidates:
        return set()
    return {row["month"] for row in await connection.fetch(queries("months")["archived"], candidates)}


async def ensure(connection: Connection, schema: str, months: Iterable[str]) -> set[str]:
    """Makes the tables of months that have none, and returns all that exist. Safe to run by several at once.

    Readers and writers of other months do not wait for it. An archived month's table stays outside.
    """
    wanted = set(months)
    async with connection.transaction():
        await connection.execute(queries("months")["lock"], f"klatsch {schema} months")
        found = await existing(connection)
        aside = await archived(connection, wanted - found)
        for month in sorted(wanted - found):
            await connection.execute(f"create table {table_of(month)} (like messages including all)")
            if month not in aside:
                await connection.execute(_attach(month))
    return found | wanted


def _attach(month: str) -> str:
    """SQL takes no parameters here; both bounds are hexadecimal digits."""
    first, end = bounds(month)
    return f"alter table messages attach partition {table_of(month)} for values from ('{first}') to ('{end}')"


async def listing(connection: Connection) -> list[Month]:
    """All months, the oldest first. Counts rows: takes its time."""
    found = []
    for row in await connection.fetch(queries("months")["states"]):
        rows = 0
        if row["state"] != "gone":
            rows = await connection.fetchval(f"select count(*) from {table_of(row['month'])}")  # noqa: S608 - a name of ours
        found.append(Month(row["month"], row["state"], rows, row["bytes"]))
    return found


async def detach(connection: Connection, settings: Settings, month: str) -> None:
    """Puts a month aside: its messages are no longer read, and its table may be dumped. Raises MonthError."""
    _check(month)
    state = await _state(connection, month)
    if state == "archived":
        raise MonthError(f"{month}: expected a month that is attached, found it archived already")
    if state != "attached":
        raise MonthError(f"{month}: expected a month with messages, found no table {table_of(month)}; see 'months'")
    await _switch(connection, settings, "archive", month, f"alter table messages detach partition {table_of(month)}")


async def attach(connection: Connection, settings: Settings, month: str) -> None:
    """Takes an archived month back: its messages are read again. Raises MonthError."""
    _check(month)
    state = await _state(connection, month)
    if state == "attached":
        raise MonthError(f"{month}: expected an archived month, found it attached already")
    if state == "gone":
        missing = f"{settings.schema}.{table_of(month)}"
        raise MonthError(f"{month}: expected the table {missing}, found none; bring it back from your copy")
    if state is None:
        raise MonthError(f"{month}: expected an archived month, found none; see 'months'")
    await _switch(connection, settings, "unarchive", month, _attach(month))


def _check(month: str) -> None:
    if not is_month(month):
        raise MonthError(f"expected a month such as 2025-01, got {month!r}")
    if not may_be_archived(month):
        raise MonthError(f"{month}: expected a month before {present(-1)}; later ones are written to")


async def _state(connection: Connection, month: str) -> str | None:
    rows = await connection.fetch(queries("months")["states"])
    return next((row["state"] for row in rows if row["month"] == month), None)


async def _switch(connection: Connection, settings: Settings, note: str, month: str, statement: str) -> None:
    """Notes the state and changes it in one transaction, between turns of the projector."""
    for attempt in range(_ATTEMPTS):
        try:
            async with connection.transaction():
                # A turn takes the positions first too: so none is under way, and the next one reads what is noted.
                await connection.execute(queries("months")["between_turns"], READ_MODELS)
                await connection.execute(f"set local lock_timeout = '{_LOCK_SECONDS}s'")
                await connection.execute(statement)
                await connection.execute(queries("months")[note], month)
                await connection.execute(queries("projectors")["notify"], pages_channel(settings), ['{"all":true}'])
            return
        except asyncpg.LockNotAvailableError as error:
            if attempt + 1 == _ATTEMPTS:
                raise MonthError(f"{month}: messages are being read all the time; try again later") from error


@asynccontextmanager
async def connected(settings: Settings) -> AsyncIterator[postgres.Connection]:
    """A connection for the commands above, to an installation that exists. Raises MonthError."""
    async with postgres.connected(settings) as connection:
        if not await connection.fetchval(queries("months")["installed"]):
            raise MonthError(f"expected an installation in schema {settings.schema}, found none; see 'install'")
        yield connection
