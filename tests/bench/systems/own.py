"""An empty installation in the Kafka and Postgres of another: a scenario fills it, and starts its roles one by one."""

from __future__ import annotations

import os
import secrets
import signal
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Self
from uuid import uuid4

import msgspec
import psutil

from api.core.tokens import mint
from events.core.clock import after, now
from events.core.positions import Shard
from infra.base import postgres
from infra.base.installation import prepare
from infra.base.progress import Progress
from infra.base.settings import Settings, load
from infra.ops.supervisor.parts import GROUPS
from infra.ops.supervisor.up import settings_of
from tests import servers
from tests.bench import logs
from tests.bench.story import Happening
from tests.bench.system import NotHere, Person, System
from tests.bench.systems.ours import Installation, Ours, free_base
from tests.parts import delete_topics

#: Roles that share a process, and their distance from the installation's port, as ``up`` has them.
_GROUPS = {group.name: group for group in GROUPS}
#: Settings that say where Kafka and Postgres are, and how to get in.
_ACCESS = ("kafka", "kafka_user", "kafka_password", "kafka_sasl", "kafka_tls", "kafka_ca", "postgres")
#: Events a second that read models work off at the least: a deadline, not a goal.
_SLOWEST = 500


class Beside(NamedTuple):
    """A Kafka, a Postgres, and their processes by role where they can be seen."""

    #: How to get into the two.
    settings: Settings
    processes: Mapping[str, Sequence[psutil.Process]]

    @classmethod
    def of(cls, system: System) -> Self:
        """Those that a system of ours runs on. Raises NotHere where nobody tells their addresses."""
        settings = settings_of(system.data) if isinstance(system, Ours) else None
        if settings is None:
            if not (os.environ.get("KLATSCH_KAFKA") and os.environ.get("KLATSCH_POSTGRES")):
                raise NotHere(
                    f"expected the Kafka and Postgres of {system.name} in KLATSCH_KAFKA and KLATSCH_POSTGRES, for an "
                    "installation beside it; found nothing there"
                )
            settings = load()
        found = {role: some for role, some in system.processes().items() if role in ("kafka", "postgres")}
        return cls(settings, found)


class Own(Installation):
    """Topics and schema within ``async with``; what was started runs: "api" (with push and feed), "project"."""

    about = "roles of Klatsch, started one by one beside another installation"

    def __init__(self, beside: Beside, folder: Path, **overrides: int) -> None:
        """``overrides``: settings, as ``partitions``. ``folder`` takes the logs of processes."""
        super().__init__(f"http://127.0.0.1:{free_base()}")
        name = f"b{secrets.token_hex(5)}"
        there = {name: getattr(beside.settings, name) for name in _ACCESS}
        found = load(
            **there, prefix=name, schema=name, secret=secrets.token_hex(32), port=self.port,
            api=f"http://{self.host}:{self.port}",
        )  # fmt: skip
        self.settings: Settings = msgspec.structs.replace(found, **overrides)
        self._beside = beside
        self._folder = folder
        self._running: dict[str, servers.Process] = {}

    async def __aenter__(self) -> Self:
        await prepare(self.settings)
        return self

    async def __aexit__(self, *error: object) -> None:
        for group in list(self._running):
            await self.stop(group, signal.SIGKILL)
        await delete_topics(self.settings, self.settings.prefix)
        await postgres.drop(self.settings)

    async def start(self, *groups: str) -> None:
        """Starts processes ("api", "project"); returns when all are ready."""
        for name in groups:
            group = _GROUPS[name]
            settings = msgspec.structs.replace(self.settings, port=self.port + group.offset)
            log = self._folder / f"{self.settings.prefix}-{name}.log"
            self._running[name] = servers.Process(settings, frozenset(group.roles.split(",")), log)
            await self._running[name].start()
        for name in groups:
            await self._running[name].ready()
        if "api" in groups:
            await super().__aenter__()

    async def stop(self, group: str, number: signal.Signals = signal.SIGTERM) -> None:
        """Signals a process and waits for its end."""
        if group == "api":
            await super().__aexit__()
        await self._running.pop(group).end(number)

    async def restart(self, group: str) -> None:
        """A fresh process, which has nothing in memory yet."""
        await self.stop(group)
        await self.start(group)

    async def write(self, happenings: Iterable[Happening]) -> dict[Shard, int]:
        """Appends to the log; the vector up to it. Only while no process has the role api, which owns the shards."""
        assert "api" not in self._running, "expected no owner of the shards, got a running api"
        return await logs.write(self.settings, happenings)

    async def projected(self, vector: Mapping[Shard, int]) -> None:
        """Returns when the read models have reached a vector. Raises ReadModelsBehind."""
        progress = Progress(self.settings)
        await progress.start()
        try:
            await progress.reach(dict(vector), 60 + sum(vector.values()) / _SLOWEST)
        finally:
            await progress.stop()

    def person(self, user: str) -> Person:
        """A user of the log, with a token as if they had logged in."""
        moment = now()
        token = mint(
            self.settings, user=user, session=str(uuid4()), role="person", issued=moment, expires=after(moment, 3600)
        )
        return Person(user, token)

    def processes(self) -> Mapping[str, Sequence[psutil.Process]]:
        """The roles that run, and what they run on."""
        roles = {name: [psutil.Process(process.pid)] for name, process in self._running.items()}
        return {**roles, **self._beside.processes}
