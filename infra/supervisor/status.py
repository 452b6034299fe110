"""``klatsch status``: what runs on a data folder, and whether it is well."""

from __future__ import annotations

import re
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import psutil
from rich.console import Console
from rich.text import Text

from infra.embedded.process import accepts
from infra.kafka_access import brokers
from infra.settings import Settings, load, without_password
from infra.supervisor.addresses import host_and_port
from infra.supervisor.disk import Disk, disk
from infra.supervisor.folder import DataFolder
from infra.supervisor.readiness import ask, readiness

_LAG = re.compile(r'^klatsch_projector_lag_events\{[^}]*projector="read_models"[^}]*\} ([0-9.e+]+)$', re.MULTILINE)


class PartStatus(msgspec.Struct, frozen=True):
    """One part: ``detail`` says what is wrong when it is not healthy; ``pid`` is null for what others operate."""

    name: str
    address: str
    pid: int | None
    healthy: bool
    detail: str


class Status(msgspec.Struct, frozen=True):
    """All of an installation. ``lag``: events that the read models have not applied, null when it is not known.

    ``starting``: there are parts that have not been started yet, and so are not among these.
    """

    running: bool
    parts: list[PartStatus]
    lag: int | None
    data: str
    #: Of the data folder; what others operate has disks of its own, which are not known here.
    disk: Disk
    starting: bool = False

    @property
    def exit_code(self) -> int:
        """0: all is well, 3: nothing runs (as service managers have it), 1: something is not well."""
        if not self.running:
            return 3
        well = not self.starting and all(part.healthy for part in self.parts) and not self.disk.full
        return 0 if well else 1


def status(data: Path) -> Status:
    """Asks every part of the installation that runs on a data folder, all at once; a few seconds at most."""
    folder = DataFolder(data)
    owner = folder.owner()
    state = folder.read_state() if owner else None
    room = disk(folder.path)
    if state is None or state["pid"] != owner:
        # Its own is written when the first part is ready; until then there may be one of an earlier start.
        starting = owner is not None
        return Status(running=starting, parts=[], lag=None, data=str(folder.path), disk=room, starting=starting)
    # Loads much; a folder on which nothing runs is told of without.
    from infra import operator_token

    with ThreadPoolExecutor(8) as pool:
        settings = load(state["environment"]) if state["environment"] else None
        # An operator's, before which nothing is hidden; None while the installation is still being set up.
        token = None if settings is None else operator_token.token(settings)
        logs = folder.logs
        parts = list(pool.map(lambda row: _ask(row, settings, token, logs), state["parts"]))
        lag = next((_lag(part.address, token) for part in parts if part.name == "project" and part.healthy), None)
    whole = state.get("whole", True)
    return Status(running=True, parts=parts, lag=lag, data=str(folder.path), disk=room, starting=not whole)


def _ask(row: dict[str, Any], settings: Settings | None, token: str | None, logs: Path) -> PartStatus:
    name, address, pid = row["name"], row["address"], row["pid"]
    shown = without_password(address)
    if pid is not None and not psutil.pid_exists(pid):
        healthy, detail = False, f"{_title(name)} is not reachable at {shown}; it is being started again"
    elif name == "kafka":
        healthy, detail = settings is not None and brokers(settings) > 0, _silent(name, shown, pid, logs)
    elif name == "postgres":
        healthy, detail = accepts(*host_and_port(address, 5432)), _silent(name, shown, pid, logs)
    else:
        healthy, detail = readiness(address, token)
    return PartStatus(name=name, address=shown, pid=pid, healthy=healthy, detail="" if healthy else detail)


def _title(name: str) -> str:
    return {"kafka": "Kafka", "postgres": "Postgres"}.get(name, f"The process {name}")


def _silent(name: str, address: str, pid: int | None, logs: Path) -> str:
    """Why a store may not answer, as far as can be told from here."""
    if pid is None:
        return f"{_title(name)} is not reachable at {address}; others operate it: look there, and at the network"
    return f"{_title(name)} is not reachable at {address}, though its process runs; see {logs / name}.log"


def _lag(address: str, token: str | None) -> int | None:
    try:
        with urllib.request.urlopen(ask(address, "/metrics", token), timeout=3) as answer:
            text = answer.read().decode()
    except OSError:
        return None
    values = _LAG.findall(text)
    return int(sum(map(float, values))) if values else None


def show(found: Status, console: Console) -> None:
    """For people."""
    if not found.running:
        console.print(f"Not running (data in {found.data}). Start it with './klatsch up'.", highlight=False)
        return
    if found.starting:
        ready = f"{len(found.parts)} parts run" if found.parts else "no part is ready yet"
        console.print(f"Starting: {ready}; 'klatsch up' tells how far it is.", highlight=False)
    # No table of rich's: it would fold a DSN that somebody wants to copy.
    for part in found.parts:
        health, style = ("well", "green") if part.healthy else ("not ready", "red")
        line = Text(f"{part.name:<10} {part.pid or '-':<8} ").append(f"{health:<10}", style).append(f" {part.address}")
        console.print(line.append(f"\n{'':<10} {part.detail}") if part.detail else line, soft_wrap=True)
    lag = "unknown" if found.lag is None else f"{found.lag} events"
    console.print(f"Read models lag by: {lag}. Data in {found.data}", highlight=False, soft_wrap=True)
    warning = found.disk.warning(found.data)
    console.print(Text(f"Warning: {warning}", "yellow") if warning else f"Disk: {found.disk.text}", soft_wrap=True)
