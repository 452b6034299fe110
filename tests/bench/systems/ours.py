"""Klatsch itself: ``klatsch up`` on a new data folder, or an installation that runs already."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import psutil

from infra.base import postgres
from infra.base.settings import Settings
from infra.embedded.ports import free_port, is_free
from infra.embedded.process import Process
from infra.ops.supervisor.folder import DataFolder
from infra.ops.supervisor.parts import ANALYTICS, CONTROLLER, KAFKA, POSTGRES, PROJECT, RELAY, ROOT
from infra.ops.supervisor.up import settings_of
from tests.bench.accounting import allocated, listening
from tests.bench.client import Client, Heard, RequestFailed, opened
from tests.bench.http import Http, Poster
from tests.bench.system import NotHere, Person, Way, Wrong
from tests.bench.systems.stores import Stores
from tests.parts import delete_topics

#: Seconds to be ready: a first start of all parts, on a busy machine.
_START_SECONDS = 180.0
_STOP_SECONDS = 60.0
#: Requests at once while people and rooms are made.
_AT_ONCE = 16
#: Members that a room can be made with; more join.
_FIRST_MEMBERS = 200
#: Seconds for the projectors to have everything.
_SETTLE_SECONDS = 120.0
#: Looks, a tenth of a second apart, at which nothing may have moved.
_QUIET_LOOKS = 5


class NotSettled(Wrong):
    """What was acknowledged is not processed everywhere in time."""


class Installation:
    """An installation under an address, whoever started it: what clients do."""

    name = "ours"
    about = "the installation of --url, as it was started"
    ways: tuple[Way, ...] = ("rpc", "http")
    ordered = True

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.host, self.port = parts.hostname or "127.0.0.1", parts.port or 80
        self._pool: asyncio.Queue[Http] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        try:
            for _ in range(_AT_ONCE):
                self._pool.put_nowait(await Http.opened(self.host, self.port))
        except OSError as error:
            raise NotHere(f"expected an installation at {self.host}:{self.port}, got: {error}") from error
        return self

    async def __aexit__(self, *error: object) -> None:
        while not self._pool.empty():
            self._pool.get_nowait().close()

    async def people(self, count: int) -> list[Person]:
        """Registered with names of their own; see system.System."""
        names = [f"b{secrets.token_hex(8)}" for _ in range(count)]
        bodies = [{"username": name, "added_by": "everyone"} for name in names]
        answers = await asyncio.gather(*(self.ask("POST", "/v1/users", body) for body in bodies))
        return [Person(answer["user"]["id"], answer["token"]) for answer in answers]

    async def room(self, members: Sequence[Person]) -> str:
        """Private, without announcements of who joins; see system.System."""
        first, rest = members[:_FIRST_MEMBERS], members[_FIRST_MEMBERS:]
        body = {
            "type": "private", "name": "Benchmark", "members": [person.id for person in first[1:]],
            "settings": {"announcements": False},
        }  # fmt: skip
        made = await self.ask("POST", "/v1/rooms", body, first[0].token)
        room = str(made["room"]["id"])
        await asyncio.gather(
            *(self.ask("PUT", f"/v1/rooms/{room}/members/{person.id}", {}, first[0].token) for person in rest)
        )
        return room

    async def connect(self, person: Person, heard: Heard, **connect: Any) -> Client:
        """See system.System; ``connect`` as in client.Client."""
        host = f"{self.host}:{self.port}"
        return await opened(lambda: Client(host, person.token, heard, connect), self.host, self.port)

    async def poster(self, person: Person) -> Poster:
        """See system.System."""
        return Poster(await Http.opened(self.host, self.port), "/v1/rooms/{room}/messages", person.token)

    async def ask(self, method: str, path: str, body: Any = None, token: str = "") -> Any:
        """One request over one of the kept connections; the decoded answer. Raises RequestFailed."""
        http = await self._pool.get()
        try:
            return await http.json(method, path, body, token)
        except ConnectionError:
            http = await Http.opened(self.host, self.port)
            return await http.json(method, path, body, token)
        finally:
            self._pool.put_nowait(http)

    def processes(self) -> Mapping[str, Sequence[psutil.Process]]:
        """Who listens on the ports that ``up`` gives to its parts, where that is this machine."""
        if self.host not in ("127.0.0.1", "localhost"):
            return {}
        offsets = {
            "api": 0, "project": PROJECT, "analytics": ANALYTICS, "relay": RELAY, "kafka": KAFKA, "postgres": POSTGRES,
        }  # fmt: skip
        return listening({role: self.port + offset for role, offset in offsets.items()})

    def bytes_on_disk(self) -> int | None:
        """Not to be seen from outside."""
        return None

    async def settled(self) -> None:
        """Waits until no projector lags and the emotion worker has had nothing to do for half a second.

        Returns at once where their metrics cannot be had.
        """
        sources = [http for offset in (PROJECT, ANALYTICS) if (http := await self._metrics_of(offset)) is not None]
        try:
            quiet, dealt, deadline = 0, -1.0, time.monotonic() + _SETTLE_SECONDS
            while sources and quiet < _QUIET_LOOKS:
                text = "".join([(await http.request("GET", "/metrics")).body.decode() for http in sources])
                before, dealt = dealt, _sum(text, "klatsch_emotions_records_total{")
                quiet = quiet + 1 if dealt == before and not _sum(text, "klatsch_projector_lag_events{") else 0
                if time.monotonic() > deadline:
                    raise NotSettled(f"expected the projectors to catch up within {_SETTLE_SECONDS:.0f} s")
                await asyncio.sleep(0.1)
        finally:
            for http in sources:
                http.close()

    async def _metrics_of(self, offset: int) -> Http | None:
        """A connection to a part's own port; None where nobody listens, or it has no metrics."""
        try:
            http = await Http.opened(self.host, self.port + offset)
            await http.request("GET", "/metrics")
        except (OSError, RequestFailed):
            return None
        return http


def _sum(metrics: str, prefix: str) -> float:
    return sum(float(line.rpartition(" ")[2]) for line in metrics.splitlines() if line.startswith(prefix))


class Ours(Installation):
    """``klatsch up`` with the defaults, in a new data folder and on free ports.

    Where KLATSCH_KAFKA or KLATSCH_POSTGRES name servers, it uses them, under a prefix and a schema of its own.
    """

    about = "klatsch up with its defaults (all roles, embedded Kafka and Postgres unless KLATSCH_* name others)"

    def __init__(self, folder: Path, stores: Stores | None = None) -> None:
        """``stores``: to whom its Kafka and Postgres are lent."""
        super().__init__(f"http://127.0.0.1:{free_base()}")
        self._stores = stores
        self.data = folder / "data"
        self._own = f"b{secrets.token_hex(5)}"
        arguments = ["up", "--data", str(self.data), "--port", str(self.port)]
        self._process = Process(
            "klatsch up", [sys.executable, "-m", "infra.ops.cli", *arguments], folder / "up.log",
            env=self._environment(), cwd=ROOT, grace=_STOP_SECONDS,
        )  # fmt: skip

    def _environment(self) -> dict[str, str]:
        # Crowds come from one address and send without a pause: what is measured is the work, not the limit.
        found = {**os.environ, "PYTHONUNBUFFERED": "1", "KLATSCH_LIMITS": "false"}
        if os.environ.get("KLATSCH_KAFKA") or os.environ.get("KLATSCH_POSTGRES"):
            found |= {"KLATSCH_PREFIX": self._own, "KLATSCH_SCHEMA": self._own}
        return found

    async def __aenter__(self) -> Self:
        try:
            await asyncio.to_thread(self.start)
            await super().__aenter__()
        except BaseException:
            # Interrupted too: the thread that waits for it sees it end.
            await self.__aexit__()
            raise
        settings = settings_of(self.data)
        if self._stores is not None and settings is not None:
            self._stores.lend(settings)
        return self

    def start(self) -> None:
        """Returns when ``up`` says that all is ready. Raises ProcessError."""
        self._process.log.unlink(missing_ok=True)
        self._process.spawn()
        self._process.wait_until(lambda: "Ready after" in self._process.log.read_text(), _START_SECONDS)

    def stop(self) -> None:
        """Ends all parts in order; what they have stored stays."""
        self._process.stop()

    async def __aexit__(self, *error: object) -> None:
        await super().__aexit__(*error)
        settings = settings_of(self.data)
        await asyncio.to_thread(self.stop)
        if settings is not None:
            await self._remove_from_others(settings)
        # Where the embedded Postgres may have had to put its data.
        server = self.data / "postgres" / "server"
        if server.is_symlink():
            shutil.rmtree(server.resolve())

    async def _remove_from_others(self, settings: Settings) -> None:
        if os.environ.get("KLATSCH_KAFKA"):
            await delete_topics(settings, settings.prefix)
        if os.environ.get("KLATSCH_POSTGRES"):
            await postgres.drop(settings)

    def processes(self) -> Mapping[str, Sequence[psutil.Process]]:
        """As the supervisor has noted them; those of other servers by the ports they listen on."""
        state = DataFolder(self.data).read_state() or {"parts": [], "pid": None}
        rows = [*state["parts"], {"name": "supervisor", "pid": state["pid"], "address": ""}]
        found = {row["name"]: [psutil.Process(row["pid"])] for row in rows if row["pid"]}
        strangers = {row["name"]: row["address"] for row in rows if not row["pid"] and row["address"]}
        return {**found, **listening(strangers)}

    def bytes_on_disk(self) -> int | None:
        """Kafka's segments and Postgres' cluster; None where they are not embedded."""
        if os.environ.get("KLATSCH_KAFKA") or os.environ.get("KLATSCH_POSTGRES"):
            return None
        return allocated(self.data / "kafka") + allocated((self.data / "postgres" / "server").resolve())


def free_base() -> int:
    """A port from which all that ``up`` needs are free."""
    # gRPC's is the third.
    offsets = (PROJECT, ANALYTICS, 3, RELAY, KAFKA, POSTGRES, CONTROLLER)
    while True:
        base = free_port()
        if all(is_free(base + offset) for offset in offsets):
            return base
