"""Bringing in the logs of an IRC channel. ``run`` is the command; the parts are lines, logs, people, plan, importer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from infra.irc import logs
from infra.irc.client import Client, ImportFailed
from infra.irc.importer import Importer, Tally
from infra.irc.logs import BadLog
from infra.irc.people import user_id
from infra.irc.plan import Plan, make
from infra.irc.report import Bar, summary
from infra.settings import Settings

__all__ = ["BadLog", "ImportFailed", "run", "url_of"]


def run(
    settings: Settings, paths: Sequence[Path], *, url: str = "", channel: str = "", console: Console | None = None
) -> int:
    """Imports log files, or folders of them, into the installation at ``url`` (by default the one of ``settings``).

    ``channel`` (``#ubuntu``) is needed where no line names it. Returns the exit code: 0, 1 when the server refused
    something, 130 when interrupted. Raises BadLog and ImportFailed; what was imported before stays, and the same call
    goes on from there.
    """
    console = console or Console(soft_wrap=True)
    if not settings.secret:
        raise ImportFailed(
            "expected the installation's secret, to act as its operator; name its data folder with --data, or set "
            "KLATSCH_SECRET"
        )
    plan = read(settings, paths, channel)
    try:
        tally = asyncio.run(_import(settings, url or url_of(settings), plan, console))
    except KeyboardInterrupt:
        console.print("Interrupted. Give the same command again: it goes on where it was.", highlight=False)
        return 130
    return 1 if tally.refused else 0


def read(settings: Settings, paths: Sequence[Path], channel: str = "") -> Plan:
    """What the files become. Raises BadLog."""
    found = [logs.read(path) for path in logs.find(paths)]
    name = channel or logs.channel_of(found)
    if name is None:
        raise BadLog("expected a line that names the channel (joins do, and topics), found none; name it: --channel")
    plan = make(name, found, lambda nick: user_id(settings.secret, nick))
    if not plan.people:
        raise BadLog(f"expected lines of people in {name}, found none in {len(found)} files")
    return plan


async def _import(settings: Settings, url: str, plan: Plan, console: Console) -> Tally:
    began = time.monotonic()
    ids = {nick: user_id(settings.secret, nick) for nick in plan.people}
    async with Client(settings, url, plan.account) as client:
        with Bar(console) as bar:
            importer = Importer(client, plan, ids, bar)
            await importer.run()
        room = await client.room(plan.room)
    summary(console, plan, importer.tally, room, time.monotonic() - began)
    return importer.tally


def url_of(settings: Settings) -> str:
    """Where the API of an installation is, from this machine."""
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::", "") else settings.host
    return f"http://{host}:{settings.port}"
