"""A server program of the bench as a child process, and what its adapters share: people, rooms, connections."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import psutil

from infra.embedded.ports import free_port
from infra.embedded.process import Process, accepts
from infra.ops.supervisor.parts import ROOT
from tests.bench.client import Client, Heard, opened
from tests.bench.http import Http, Poster
from tests.bench.system import Person, Sender, Way

_START_SECONDS = 30.0


class Program:
    """A system whose server speaks our push protocol as far as the bench needs it. Subclasses say what is started."""

    name: str
    about: str
    ways: tuple[Way, ...] = ("rpc",)
    ordered = True
    path = "/v1/connection"

    def __init__(self, folder: Path) -> None:
        self.host, self.port = "127.0.0.1", free_port()
        self._folder = folder
        self._process: Process | None = None
        #: Variables of the process, where not ours.
        self._environment: Mapping[str, str] | None = None

    async def command(self) -> Sequence[str | Path]:
        """What to start; whatever it needs is made before. Raises NotHere."""
        raise NotImplementedError

    async def removed(self) -> None:
        """After the end: removes what ``command`` made."""

    async def __aenter__(self) -> Self:
        command = await self.command()
        process = self._process = Process(
            self.name, command, self._folder / f"{self.name}.log", env=self._environment, cwd=ROOT
        )
        process.spawn()
        try:
            await asyncio.to_thread(process.wait_until, lambda: accepts(self.host, self.port), _START_SECONDS)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *error: object) -> None:
        if self._process is not None:
            await asyncio.to_thread(self._process.stop, 2.0)
        await self.removed()

    async def people(self, count: int) -> list[Person]:
        """Nobody checks who they are."""
        return [Person(name, name) for name in (secrets.token_hex(18) for _ in range(count))]

    async def room(self, members: Sequence[Person]) -> str:
        """See system.System."""
        maker = await opened(
            lambda: Client(f"{self.host}:{self.port}", secrets.token_hex(18), lambda _: None), self.host, self.port
        )
        room = secrets.token_hex(18)
        await maker.call("rooms.create", {"room": room, "members": [person.id for person in members]})
        maker.close()
        return room

    async def connect(self, person: Person, heard: Heard) -> Sender:
        """See system.System."""
        return await opened(lambda: Client(f"{self.host}:{self.port}", person.token, heard), self.host, self.port)

    async def poster(self, person: Person) -> Sender:
        """See system.System."""
        return Poster(await Http.opened(self.host, self.port), "/v1/rooms/{room}/messages", person.token)

    def processes(self) -> Mapping[str, Sequence[psutil.Process]]:
        """Its own process; subclasses add servers."""
        pid = self._process.pid if self._process else None
        return {"server": [psutil.Process(pid)]} if pid else {}

    def bytes_on_disk(self) -> int | None:
        """Unknown: its servers have other guests."""
        return None

    async def settled(self) -> None:
        """Nothing is done later."""
