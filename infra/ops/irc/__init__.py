"""Bringing in the logs of IRC channels. ``run`` is the command.

A line goes through files (which there are), content (text), forms (what a line says), clock (when), logs, rooms (which
channel's), plan (what is to be ordered) and importer.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path

from rich.console import Console

from infra.base.settings import Settings
from infra.ops.irc import report, rooms
from infra.ops.irc.client import Client, ImportFailed
from infra.ops.irc.importer import Importer, ImportTally
from infra.ops.irc.logs import BadLog, latest
from infra.ops.irc.meter import Meter
from infra.ops.irc.people import user_id
from infra.ops.irc.plan import ImportPlan
from infra.ops.irc.rooms import ChannelLogs

#: In the place of a secret where no orders are given.
_NOBODY = "00" * 32

__all__ = ["BadLog", "ImportFailed", "run", "url_of"]


def run(
    settings: Settings,
    paths: Sequence[Path],
    *,
    url: str = "",
    channel: str = "",
    encoding: str = "",
    plan: bool = False,
    console: Console | None = None,
) -> int:
    """Imports log files, or folders of them, into the installation at ``url`` (by default the one of ``settings``).

    Each channel becomes a room; ``channel`` (``#ubuntu``) takes one only, and is needed where nothing names it.
    ``encoding``: of lines that are no UTF-8. ``plan``: only says what would be imported, and asks no installation.

    Returns the exit code: 0, 1 when the server refused something, 130 when interrupted. Raises BadLog and ImportFailed;
    what was imported before stays, and the same call goes on from there.
    """
    console = console or Console(soft_wrap=True)
    if not settings.secret and not plan:
        raise ImportFailed(
            "expected the installation's secret, to act as its operator; name its data folder with --data, or set "
            "KLATSCH_SECRET"
        )
    if encoding and not _is_encoding(encoding):
        raise BadLog(f"expected the name of an encoding, such as cp1252, got {encoding!r}")
    try:
        return _run(settings, paths, url or url_of(settings), channel, encoding, plan, console)
    except KeyboardInterrupt:
        console.print("Interrupted. Run the same command again: it continues where it stopped.", highlight=False)
        return 130


def _run(
    settings: Settings, paths: Sequence[Path], url: str, channel: str, encoding: str, plan: bool, console: Console
) -> int:
    with report.ImportBar(console) as bar:
        found = rooms.sort(paths, channel, encoding, bar)
        wanted = [ChannelLogs(name, logs, latest()) for name, logs in found.rooms.items()]
        plans = [read(settings, room, bar) for room in wanted]
    if not any(each.people for each in plans):
        raise BadLog(f"expected lines of people in {', '.join(found.rooms)}, found none{_why(plans)}")
    report.left_out(console, found.left_out)
    refused = False
    for room, each in zip(wanted, plans, strict=True):
        if plan:
            report.planned(console, each, room.logs)
        elif each.people:
            refused = bool(asyncio.run(_import(settings, url, room, each, console)).refused) or refused
        else:
            console.print(f"{room.channel}: no lines of people", highlight=False, markup=False)
    return 1 if refused else 0


def read(settings: Settings, room: ChannelLogs, meter: Meter) -> ImportPlan:
    """What a channel's logs become, without the orders: those are made again when they are given. Raises BadLog."""
    plan, pieces = room.plan(cache(partial(user_id, settings.secret or _NOBODY)))
    meter.stage("plan", sum(log.lines for log in room.logs), "lines")
    for piece in pieces:
        meter.advance(piece.lines)
    return plan


def _is_encoding(name: str) -> bool:
    try:
        # Some are of bytes to bytes, or of text to text: those are none here.
        return bool(b"a".decode(name, errors="replace"))
    except LookupError:
        return False


def _why(plans: Sequence[ImportPlan]) -> str:
    skipped = sum((plan.skipped for plan in plans), Counter[str]())
    return "".join(f"; {count:,} lines: {reason}" for reason, count in skipped.most_common())


async def _import(settings: Settings, url: str, room: ChannelLogs, plan: ImportPlan, console: Console) -> ImportTally:
    began = time.monotonic()
    user = cache(partial(user_id, settings.secret))
    ids = {nick: user(nick) for nick in plan.people}
    async with Client(settings, url, plan.account) as client:
        with report.ImportBar(console) as bar:
            importer = Importer(client, plan, lambda: room.plan(user)[1], ids, bar)
            await importer.run()
        made = await client.room(plan.room)
    report.summary(console, plan, importer.tally, made, time.monotonic() - began)
    return importer.tally


def url_of(settings: Settings) -> str:
    """Where the API of an installation is, from this machine."""
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::", "") else settings.host
    return f"http://{host}:{settings.port}"
