"""The supervisor's order, restarts and endings, on small child processes that stand where the parts do."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import psutil
import pytest
from rich.console import Console

from infra.base.disk import Disk, disks
from infra.base.settings import without_password
from infra.embedded.lifeline import still_there
from infra.embedded.ports import free_port
from infra.embedded.process import Process, ProcessError, accepts
from infra.ops.supervisor.folder import DataFolder
from infra.ops.supervisor.leftovers import end_leftovers, remember
from infra.ops.supervisor.parts import Part
from infra.ops.supervisor.report import StartReport
from infra.ops.supervisor.run import Supervisor
from tests.deadline import until

# The supervisor takes a part that cannot be started for one that has ended, and goes on.
pytestmark = pytest.mark.long

LISTEN = """
import signal, socket, sys
if "deaf" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("listening", flush=True)
while True:
    server.accept()[0].close()
"""


class Listener(Part):
    """A part that is ready when it listens."""

    def __init__(self, name: str, folder: DataFolder, *words: str, script: str = LISTEN) -> None:
        self.name = name
        port = free_port()
        self.ports = (port,)
        self.address = f"http://127.0.0.1:{port}"
        self._folder = folder
        self._command = [sys.executable, "-c", script, str(port), *words]

    def prepare(self) -> Process:
        return Process(self.name, self._command, self._folder.log(self.name))

    def ready(self) -> bool:
        return accepts("127.0.0.1", self.ports[0])


class Held(Listener):
    """One that is not ready before it is let."""

    held = True

    def ready(self) -> bool:
        return not self.held and super().ready()


class Scene:
    """A supervisor over listeners, what it said, and in which order things were."""

    def __init__(self, folder: DataFolder, *, roles: Sequence[Part], floor: int = 0) -> None:
        self.said = io.StringIO()
        self.stores = [Listener("kafka", folder), Listener("postgres", folder)]
        self.roles = list(roles)
        self.published: list[list[int | None]] = []
        self.supervisor = Supervisor(
            folder,
            self.stores,
            lambda: self.roles,
            self._install,
            StartReport(Console(file=self.said, width=300)),
            lambda parts: self.published.append([part.process.pid if part.process else None for part in parts]),
            floor,
        )

    async def _install(self) -> None:
        assert all(part.ready() for part in self.stores)
        assert not any(part.process for part in self.roles)
        self.said.write("install\n")

    def words(self, verb: str) -> list[str]:
        """The names of the lines that say ``verb``."""
        return [line.split()[0] for line in self.said.getvalue().splitlines() if verb in line]

    def pids(self) -> list[int]:
        parts = [*self.stores, *self.roles]
        return [part.process.pid for part in parts if part.process and part.process.pid]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[DataFolder]:
    found = DataFolder(tmp_path)
    with found.locked():
        yield found


@asynccontextmanager
async def running(scene: Scene) -> AsyncIterator[asyncio.Task[None]]:
    """The scene started and kept; stopped at the end."""
    await scene.supervisor.start()
    keeping = asyncio.create_task(scene.supervisor.keep())
    try:
        yield keeping
    finally:
        keeping.cancel()
        with suppress(asyncio.CancelledError):
            await keeping
        await scene.supervisor.stop()


async def test_starts_and_stops_in_order(folder: DataFolder) -> None:
    scene = Scene(folder, roles=[Listener("api", folder), Listener("project", folder)])
    async with running(scene):
        family = [psutil.Process(pid) for pid in scene.pids()]
        assert len(family) == 4
        assert sorted(path.stem for path in folder.run.glob("*.pid")) == ["api", "kafka", "postgres", "project"]
    said = scene.words("ready in")
    assert (sorted(said[:2]), sorted(said[2:])) == (["kafka", "postgres"], ["api", "project"])
    stopped = scene.words("stopped")
    assert (sorted(stopped[:2]), stopped[2:]) == (["api", "project"], ["kafka", "postgres"])
    assert still_there(family, 0) == []
    assert list(folder.run.glob("*.pid")) == []


async def test_what_ends_is_started_again(folder: DataFolder) -> None:
    scene = Scene(folder, roles=[Listener("api", folder)])
    async with running(scene):
        before = scene.pids()
        for pid in (before[0], before[2]):
            os.kill(pid, signal.SIGKILL)
        await asyncio.to_thread(until, lambda: len(scene.published) == 5)
        after = scene.pids()
        assert all(part.ready() for part in [*scene.stores, *scene.roles])
        assert after[1] == before[1]
        assert not {after[0], after[2]} & set(before)
        assert scene.published[-1] == after
    assert sorted(scene.words("was killed (signal 9)")) == ["api", "kafka"]
    again = {part.name: part for part in [*scene.stores, *scene.roles] if part.restarts}
    assert sorted(again) == ["api", "kafka"] and again["api"].restarts == 1
    assert again["api"].ended.startswith("was killed (signal 9) at 20")


async def test_what_ends_while_others_start_is_started_again(folder: DataFolder) -> None:
    api = Listener("api", folder)
    worker = Held("analytics", folder)
    scene = Scene(folder, roles=[api, worker])
    starting = asyncio.create_task(scene.supervisor.start())
    try:
        await asyncio.to_thread(until, lambda: len(scene.published) == 3)
        before = api.process
        assert before is not None
        assert before.pid is not None
        os.kill(before.pid, signal.SIGKILL)
        await asyncio.to_thread(until, lambda: len(scene.published) == 4)
        assert api.ready()
        assert not starting.done()
        worker.held = False
        await starting
        assert scene.words("was killed (signal 9)") == ["api"]
    finally:
        starting.cancel()
        await asyncio.wait([starting])
        await scene.supervisor.stop()


async def test_a_part_that_cannot_start_is_an_error_and_nothing_stays(folder: DataFolder) -> None:
    broken = Listener("api", folder, script="import sys; sys.exit('no configuration')")
    scene = Scene(folder, roles=[broken, Listener("project", folder)])
    with pytest.raises(ProcessError, match=r"api ended with exit code 1[^$]*no configuration"):
        await scene.supervisor.start()
    family = [psutil.Process(pid) for pid in scene.pids()]
    await scene.supervisor.stop()
    assert family
    assert still_there(family, 0) == []


async def test_a_second_signal_does_not_wait(folder: DataFolder) -> None:
    scene = Scene(folder, roles=[Listener("api", folder, "deaf")])
    await scene.supervisor.start()
    family = [psutil.Process(pid) for pid in scene.pids()]
    stopping = asyncio.create_task(scene.supervisor.stop())
    await asyncio.sleep(0)
    scene.supervisor.hurry()
    async with asyncio.timeout(5):
        await stopping
    assert still_there(family, 0) == []


def test_leftovers_are_ended_and_strangers_are_not(tmp_path: Path) -> None:
    ours, stranger = (subprocess.Popen(["sleep", "600"]) for _ in range(2))
    try:
        remember(tmp_path, "api", ours.pid, signal.SIGTERM)
        remember(tmp_path, "project", stranger.pid, signal.SIGTERM)
        # The stranger was given the id of a part that began, and ended, before it.
        file = tmp_path / "project.pid"
        file.write_text(file.read_text().replace('"created":1', '"created":0'))
        assert end_leftovers(tmp_path, ("kafka", "postgres")) == ["api"]
        assert ours.wait(5) == -signal.SIGTERM
        assert stranger.poll() is None
        assert list(tmp_path.iterdir()) == []
    finally:
        for process in (ours, stranger):
            process.kill()
            process.wait()


def test_passwords_stay_off_the_screen() -> None:
    assert (
        without_password("postgresql://postgres:geheim@127.0.0.1:8411/klatsch") == "postgresql://127.0.0.1:8411/klatsch"
    )
    assert without_password("http://127.0.0.1:8400") == "http://127.0.0.1:8400"
    assert without_password("127.0.0.1:8410") == "127.0.0.1:8410"


async def test_a_start_that_takes_long_is_told_of(folder: DataFolder) -> None:
    slow = Held("api", folder, script=LISTEN.replace("listening", "[/recovering] 7 of 9"))
    slow.tell_seconds = 0.2
    scene = Scene(folder, roles=[slow])
    starting = asyncio.create_task(scene.supervisor.start())
    try:
        await asyncio.to_thread(until, lambda: "[/recovering] 7 of 9" in scene.said.getvalue())
        assert scene.words("s so far") == ["api"] * len(scene.words("s so far"))
        slow.held = False
        await starting
    finally:
        starting.cancel()
        await asyncio.wait([starting])
        await scene.supervisor.stop()


async def test_a_start_that_falls_silent_is_an_error_that_names_what_was_awaited(folder: DataFolder) -> None:
    silent = Held("api", folder)
    silent.silent_seconds = 0.5
    scene = Scene(folder, roles=[silent])
    with pytest.raises(ProcessError, match=rf"(?s)api is not ready.*expected an answer at {silent.address}.*listening"):
        await scene.supervisor.start()
    await scene.supervisor.stop()
    assert not scene.pids()


async def test_a_part_that_waits_for_room_on_the_disk_stops_nothing(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.ops.supervisor.run._DISK_SECONDS", 0.01)
    waiting = Held("analytics", folder)
    waiting.silent_seconds = 0.5
    monkeypatch.setattr(waiting, "waits", lambda: "room on the disk")
    scene = Scene(folder, roles=[waiting], floor=1 << 60)
    async with running(scene):
        said = scene.said.getvalue()
        assert f"the disk of {folder.path} is full" in said.split("kafka")[0]
        assert "analytics waits for room on the disk" in said
        assert len(scene.pids()) == 3


async def test_little_room_on_the_disk_is_told_of_once(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    # The disk is the real one; any room on it counts as little.
    monkeypatch.setattr("infra.base.disk.LOW", 1.1)
    monkeypatch.setattr("infra.ops.supervisor.run._DISK_SECONDS", 0.01)
    looks: list[list[Path]] = []

    def look(paths: list[Path], floor: int) -> list[Disk]:
        looks.append(paths)
        return disks(paths, floor)

    monkeypatch.setattr("infra.ops.supervisor.run.disks", look)
    scene = Scene(folder, roles=[Listener("api", folder)])
    async with running(scene):
        await asyncio.to_thread(until, lambda: len(looks) > 3)
    assert scene.said.getvalue().count(f"the disk of {folder.path} is nearly full") == 1
