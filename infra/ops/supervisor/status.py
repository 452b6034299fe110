"""``klatsch status``: what runs on a data folder, and whether it is well."""

from __future__ import annotations

import re
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import psutil
from rich.console import Console
from rich.text import Text

from infra.base.disk import Disk, disks, folders
from infra.base.kafka_access import brokers
from infra.base.settings import Settings, load, without_password
from infra.embedded.process import accepts
from infra.ops.supervisor.addresses import host_and_port
from infra.ops.supervisor.folder import DataFolder
from infra.ops.supervisor.readiness import ask, readiness

_LAG = re.compile(r'^klatsch_projector_lag_events\{[^}]*projector="read_models"[^}]*\} ([0-9.e+]+)$', re.MULTILINE)

_USAGE = re.compile(r"^klatsch_usage_lag_records ([0-9.e+]+)$", re.MULTILINE)
_EMOTIONS = re.compile(r"^klatsch_emotions_lag_records ([0-9.e+]+)$", re.MULTILINE)

#: The time in how a part ended, and for how long people are told that it was started again.
_AT, NEWS = re.compile(r" at (\S+Z)$"), timedelta(minutes=15)

_STORES = {"kafka": "Kafka", "postgres": "Postgres"}


class PartStatus(msgspec.Struct, frozen=True):
    """One part: ``detail`` says what is wrong when it is not healthy; ``pid`` is null for what others operate.

    ``restarts``: how often it was started again because it had ended; ``ended``: how and when it last did.
    ``grpc``: ``host:port`` where it serves gRPC, if it does.
    """

    name: str
    address: str
    pid: int | None
    healthy: bool
    detail: str
    restarts: int = 0
    ended: str = ""
    grpc: str = ""


class Status(msgspec.Struct, frozen=True):
    """All of an installation. ``lag``: events that the read models have not applied, null when it is not known.

    ``starting``: there are parts that have not been started yet, and so are not among these.
    """

    running: bool
    parts: list[PartStatus]
    lag: int | None
    data: str
    #: Of the data folder, and of Postgres' where it lies elsewhere; those of what others operate are not known here.
    disks: list[Disk]
    #: Events at which the emotion worker has not looked; null when it is not known, or no worker runs.
    emotions_lag: int | None = None
    #: Records that are not counted yet; null likewise.
    usage_lag: int | None = None
    starting: bool = False

    @property
    def exit_code(self) -> int:
        """0: all is well, 3: nothing runs (as service managers have it), 1: something is not well."""
        if not self.running:
            return 3
        well = (
            not self.starting and all(part.healthy for part in self.parts) and not any(one.full for one in self.disks)
        )
        return 0 if well else 1


def status(data: Path) -> Status:
    """Asks every part of the installation that runs on a data folder, all at once; a few seconds at most."""
    folder = DataFolder(data)
    owner = folder.owner()
    state = folder.read_state() if owner else None
    settings = load(state["environment"]) if state and state["environment"] else Settings()
    room = disks([folder.path, *folders(settings)], settings.disk_floor)
    if state is None or state["pid"] != owner:
        # Its own is written when the first part is ready; until then there may be one of an earlier start.
        starting = owner is not None
        return Status(running=starting, parts=[], lag=None, data=str(folder.path), disks=room, starting=starting)
    # Loads much; a folder on which nothing runs is told of without.
    from infra.ops import operator_token

    with ThreadPoolExecutor(8) as pool:
        # An operator's, before which nothing is hidden; None while the installation is still being set up.
        known = settings if state["environment"] else None
        token = None if known is None else operator_token.token(known)
        logs = folder.logs
        parts = list(pool.map(lambda row: _ask(row, known, token, logs), state["parts"]))
        projector, workers = pool.map(lambda name: _metrics(name, parts, token), ("project", "analytics"))
    whole = state.get("whole", True)
    return Status(
        running=True,
        parts=parts,
        lag=_lag(_LAG, projector),
        emotions_lag=_lag(_EMOTIONS, workers),
        usage_lag=_lag(_USAGE, workers),
        data=str(folder.path),
        disks=room,
        starting=not whole,
    )


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
    again = {"restarts": row.get("restarts", 0), "ended": row.get("ended", "")}
    return PartStatus(
        name=name, address=shown, pid=pid, healthy=healthy, detail="" if healthy else detail,
        grpc=row.get("grpc", ""), **again,
    )  # fmt: skip


def _title(name: str) -> str:
    return _STORES.get(name, f"The process {name}")


def _silent(name: str, address: str, pid: int | None, logs: Path) -> str:
    """Why a store may not answer, as far as can be told from here."""
    if pid is None:
        return f"{_title(name)} is not reachable at {address}; others operate it: look there, and at the network"
    return f"{_title(name)} is not reachable at {address}, though its process runs; see {logs / name}.log"


def _metrics(name: str, parts: list[PartStatus], token: str | None) -> str:
    """What a role tells of itself; empty where nothing does. Without a store that is what was true when it went."""
    address = next((part.address for part in parts if part.name == name), None)
    if address is None or any(part.name in _STORES and not part.healthy for part in parts):
        return ""
    try:
        with urllib.request.urlopen(ask(address, "/metrics", token), timeout=3) as answer:
            return str(answer.read().decode())
    except OSError:
        return ""


def _lag(pattern: re.Pattern[str], metrics: str) -> int | None:
    values = pattern.findall(metrics)
    return int(sum(map(float, values))) if values else None


def _events(lag: int | None) -> str:
    return "unknown" if lag is None else f"{lag} {'event' if lag == 1 else 'events'}"


def _again(part: PartStatus) -> str:
    """How often it was started again, for as long as that is news; ``--json`` tells it for ever."""
    if not part.restarts:
        return ""
    at = _AT.search(part.ended)
    if at and datetime.now(UTC) - datetime.fromisoformat(at[1]) > NEWS:
        return ""
    times = "once" if part.restarts == 1 else f"{part.restarts} times"
    return f"started again {times} since 'up'; the one before {part.ended}"


def show(found: Status, console: Console) -> None:
    """For people."""
    if not found.running:
        console.print(f"Not running (data in {found.data}). Start it with './klatsch up'.", highlight=False)
        return
    if found.starting:
        number = len(found.parts)
        ready = f"{number} {'part runs' if number == 1 else 'parts run'}" if number else "no part is ready yet"
        console.print(f"Starting: {ready}; 'klatsch up' shows the progress.", highlight=False)
    # No table of rich's: it would fold a DSN that somebody wants to copy.
    for part in found.parts:
        health, style = ("well", "green") if part.healthy else ("not ready", "red")
        line = Text(f"{part.name:<10} {part.pid or '-':<8} ").append(f"{health:<10}", style).append(f" {part.address}")
        if part.grpc:
            line.append(f", gRPC at {part.grpc}")
        for words in (part.detail, _again(part)):
            if words:
                line.append(f"\n{'':<10} {words}")
        console.print(line, soft_wrap=True)
    behind = f"Read models lag by: {_events(found.lag)}."
    if any(part.name == "analytics" for part in found.parts):
        behind += f" Emotions lag by: {_events(found.emotions_lag)}, usage by: {_events(found.usage_lag)}."
    console.print(f"{behind} Data in {found.data}", highlight=False, soft_wrap=True)
    for one in found.disks:
        style, word = ("red", "Problem") if one.full else ("yellow", "Warning")
        text = Text(f"{word}: {one.warning}", style) if one.warning else f"Disk of {one.folder}: {one.text}"
        console.print(text, soft_wrap=True, highlight=False)
