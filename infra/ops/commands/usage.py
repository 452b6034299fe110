"""``klatsch usage``: what applications used, as tables and files for those who bill it, and counted anew."""

from __future__ import annotations

import csv
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any, Literal, TextIO

import msgspec

from events.core.clock import from_datetime, now, to_datetime
from infra.base import installation
from infra.base.settings import Settings
from infra.ops.commands.applications import path_of
from infra.ops.commands.asking import ask
from infra.ops.commands.errors import CannotDo
from infra.ops.commands.filters import parse_time
from infra.ops.commands.rebuilding import told
from infra.ops.irc import url_of
from projectors.usage import recount
from projectors.usage.counting import METRICS, Length

Say = Callable[[str], None]

#: Days that are asked for at once: fewer than the operation gives, of each length.
_DAYS: dict[Length, int] = {"hour": 30, "day": 365}
#: Columns of a file, the first ones say of what.
COLUMNS = ("app", "window", "start", *METRICS)


async def show(settings: Settings, app: str, *, since: str, until: str, window: Length, url: str, say: Say) -> None:
    """Says an application's usage, a line a window, then the totals. Raises CannotDo."""
    url = url or url_of(settings)
    path, begin, end = await path_of(settings, url, app), *_bounds(since, until)
    if gone := await _erased(settings, url, path):
        say(gone)
        return
    say("  ".join([f"{'start (UTC)':<16}", *(f"{name:>{_width(name)}}" for name in METRICS)]))
    pages = 0
    async for page in _pages(settings, url, path, begin, end, window):
        for one in page["windows"]:
            say(_line(one["start"][:16].replace("T", " "), one))
        pages += 1
    # Users who were active in several of them would be counted several times.
    say(_line("total", page["totals"]) if pages == 1 else f"No totals of more than {_DAYS[window]} days.")


def _width(name: str) -> int:
    return max(len(name), 10)


def _line(first: str, values: dict[str, Any]) -> str:
    return "  ".join([f"{first:<16}", *(f"{values[name]:>{_width(name)},}" for name in METRICS)])


async def export(
    settings: Settings, app: str, *, since: str, until: str, window: Length, form: Literal["csv", "json"], url: str,
    out: TextIO, say: Say,
) -> None:  # fmt: skip
    """Writes a row, or a JSON object, for each window, as they come; says aside how far it is. Raises CannotDo."""
    url = url or url_of(settings)
    path, begin, end = await path_of(settings, url, app), *_bounds(since, until)
    table, count = csv.writer(out, lineterminator="\n"), 0
    if form == "csv":
        table.writerow(COLUMNS)
    if gone := await _erased(settings, url, path):
        say(gone)
        return
    async for page in _pages(settings, url, path, begin, end, window):
        for one in page["windows"]:
            row = {"app": page["app"], "window": window, **one}
            if form == "csv":
                table.writerow([row[name] for name in COLUMNS])
            else:
                out.write(msgspec.json.encode({name: row[name] for name in COLUMNS}).decode() + "\n")
        out.flush()
        count += len(page["windows"])
        say(f"{count:,} windows up to {page['until']}")


async def _erased(settings: Settings, url: str, path: str) -> str:
    """What is said of an application that is erased, and its usage with it; empty: it is there. Raises CannotDo."""
    found = (await ask(settings, url, "GET", path))["app"]
    if found["state"] != "erased":
        return ""
    told = (await ask(settings, url, "GET", f"{path}/receipt"))["receipt"]
    return f"{found['name']} ({found['id']}) was erased at {told['erased']}, and its usage with it."


async def _pages(
    settings: Settings, url: str, path: str, begin: str, end: str, window: Length
) -> AsyncIterator[dict[str, Any]]:
    """Answers of the operation, one after the other."""
    while begin < end:
        upto = min(end, from_datetime(to_datetime(begin) + timedelta(days=_DAYS[window])))
        query = {"since": begin, "until": upto, "window": window}
        page = await ask(settings, url, "GET", f"{path}/usage", query=query)
        yield page
        begin = page["until"]


def _bounds(since: str, until: str) -> tuple[str, str]:
    """From when to when, whole days where only days are given: ``--until`` is not part of it. Raises CannotDo."""
    end = parse_time(until, "--until") if until else now()
    begin = parse_time(since, "--from") if since else f"{end[:7]}-01T00:00:00.000Z"
    if begin >= end:
        raise CannotDo(f"expected --from before --until, got {begin} and {end}")
    return begin, end


async def rebuild(settings: Settings, *, say: Say) -> None:
    """Counts the whole log anew. Raises CannotDo."""
    await installation.prepare(settings)
    count = await told(recount.rebuild(settings))
    say(f"{count:,} records counted anew; the tables of usage are those of the log.")
