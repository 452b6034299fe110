"""``klatsch up`` from its options to its exit: settings, folder, signals."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from events.core.errors import KlatschError
from infra.base import installation
from infra.base.kafka_access import brokers, protocol
from infra.base.origins import LOCAL
from infra.base.settings import Settings, environment, load, without_password
from infra.embedded.ports import PortInUse, is_free
from infra.embedded.process import accepts
from infra.ops.supervisor.addresses import host_and_port
from infra.ops.supervisor.folder import DataFolder, FolderError
from infra.ops.supervisor.leftovers import end_leftovers
from infra.ops.supervisor.parts import GROUPS, KafkaPart, Part, PostgresPart, role_parts
from infra.ops.supervisor.report import StartReport
from infra.ops.supervisor.run import Supervisor

#: Seconds for a Kafka or Postgres that somebody else operates to answer.
_FOREIGN_SECONDS = 60.0


class NotReachable(KlatschError):
    """A Kafka or Postgres that was named does not answer; the text says which variable named it."""


class Installation:
    """What ``up`` is to run: the folder, the port, and which stores are embedded."""

    def __init__(self, folder: DataFolder, port: int, report: StartReport) -> None:
        self.folder, self.port, self.report = folder, port, report
        self.foreign_kafka = os.environ.get("KLATSCH_KAFKA") or None
        self.foreign_postgres = os.environ.get("KLATSCH_POSTGRES") or None
        self.stores: list[Part] = []
        if not self.foreign_kafka:
            self.stores.append(KafkaPart(folder, port, report))
        if not self.foreign_postgres:
            self.stores.append(PostgresPart(folder, port, report))

    def settings(self) -> Settings:
        """What the roles run on. The embedded stores must be prepared."""
        access = {name: value for part in self.stores for name, value in part.access().items()}
        secret = os.environ.get("KLATSCH_SECRET") or self.folder.secret()
        # What is developed on this machine may call what runs on it alone.
        local = {} if self.foreign_kafka or self.foreign_postgres else {"KLATSCH_ORIGINS": LOCAL}
        disks = os.pathsep.join(str(part.home) for part in self.stores if part.home)
        return load({"KLATSCH_DISKS": disks, **local, **os.environ, **access}, port=self.port, secret=secret)

    def roles(self) -> list[Part]:
        """The role processes."""
        return role_parts(self.folder, self.settings())

    async def install(self) -> None:
        """Topics and schema."""
        settings = self.settings()
        await self._reach_foreign(settings)
        await installation.prepare(settings)

    async def _reach_foreign(self, settings: Settings) -> None:
        if self.foreign_kafka:
            text = f"{settings.kafka} ({protocol(settings)})"
            await _answers(lambda: brokers(settings) > 0, "KLATSCH_KAFKA", text)
        if self.foreign_postgres:
            host, port = host_and_port(settings.postgres, 5432)
            await _answers(lambda: accepts(host, port), "KLATSCH_POSTGRES", without_password(settings.postgres))

    def check_ports(self) -> None:
        """Raises PortInUse for the first port that is needed and taken."""
        settings = load(port=self.port)
        for part in [*self.stores, *role_parts(self.folder, settings)]:
            host = settings.host if part not in self.stores else "127.0.0.1"
            for port in part.ports:
                if not is_free(port, host):
                    raise PortInUse(port, part.name, "stop that process, or choose other ports with --port")

    def publish(self, parts: Sequence[Part]) -> None:
        """Writes what runs into the folder, for ``status`` and ``import``."""
        rows: list[dict[str, object]] = [
            {"name": name, "address": address, "pid": None}
            for name, address in (("kafka", self.foreign_kafka), ("postgres", self.foreign_postgres))
            if address
        ]
        for part in parts:
            if part.process is not None:
                pid = part.process.pid
                again = {"restarts": part.restarts, "ended": part.ended}
                rows.append({"name": part.name, "address": part.address, "pid": pid, "grpc": part.grpc, **again})
        ready = all(part.process is not None for part in self.stores)
        self.folder.write_state({
            "pid": os.getpid(),
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
            "parts": rows,
            # Roles are made when the stores run.
            "whole": len(parts) > len(self.stores) and all(part.process is not None for part in parts),
            "environment": environment(self.settings()) if ready else {},
        })  # fmt: skip


async def up(data: Path, port: int, report: StartReport) -> None:
    """Runs the installation of a data folder until SIGINT, SIGTERM or SIGHUP; a second signal does not wait.

    Raises FolderError, PortInUse, ProcessError, NotReachable and what making topics and schema raises; nothing
    runs then.
    """
    folder = DataFolder(data)
    with folder.locked():
        report.title(f"Klatsch, data in {folder.path}")
        for name in await asyncio.to_thread(end_leftovers, folder.run, ("kafka", "postgres")):
            report.line(name, "ended", "was left over from a start that was killed")
        installation = Installation(folder, port, report)
        installation.check_ports()
        supervisor = Supervisor(
            folder,
            installation.stores,
            installation.roles,
            installation.install,
            report,
            installation.publish,
            load(port=port).disk_floor,
        )
        await _run_until_signal(supervisor, installation, report)


async def _run_until_signal(supervisor: Supervisor, installation: Installation, report: StartReport) -> None:
    stopping = asyncio.Event()

    def on_signal() -> None:
        if stopping.is_set():
            supervisor.hurry()
        stopping.set()

    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(name, on_signal)
    work = asyncio.create_task(_work(supervisor, installation, report))
    signalled = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait([work, signalled], return_when=asyncio.FIRST_COMPLETED)
        if stopping.is_set():
            report.text("")
            report.title("Stopping")
    finally:
        work.cancel()
        signalled.cancel()
        await asyncio.wait([work, signalled])
        await supervisor.stop()
    if not work.cancelled() and not stopping.is_set():
        work.result()


async def _work(supervisor: Supervisor, installation: Installation, report: StartReport) -> None:
    began = time.monotonic()
    await supervisor.start()
    announce(report, installation.settings(), time.monotonic() - began)
    await supervisor.keep()


def announce(report: StartReport, settings: Settings, seconds: float) -> None:
    """What to open, and how to stop."""
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host
    base = f"http://{host}:{settings.port}"
    report.title(f"\nReady after {seconds:.1f} s. Open:")
    (project,) = (group for group in GROUPS if group.name == "project")
    projectors = f"http://{host}:{settings.port + project.offset}/metrics"
    for path, about in (
        ("/", "web demo"),
        ("/voice/", "live channels: people talk in the browser"),
        ("/docs", "API reference"),
        ("/console/", "for operators; './klatsch console' prints a link to get in"),
        ("/metrics", f"metrics of API, push and feed; those of the read models: {projectors}"),
    ):
        report.text(f"  {base + path:<32} {about}")
    tls = "over TLS" if settings.grpc_certificate else "without TLS"
    report.text(
        f"  {f'{host}:{settings.grpc_listen}':<32} gRPC {tls}: live channels; grpcurl and others list what is there"
    )
    report.text("See what runs with './klatsch status'. Stop with Ctrl-C, or './klatsch down' elsewhere.")


async def _answers(ask: Callable[[], bool], variable: str, address: str) -> None:
    deadline = time.monotonic() + _FOREIGN_SECONDS
    while not await asyncio.to_thread(ask):
        if time.monotonic() > deadline:
            raise NotReachable(
                f"{variable}={address} does not answer after {_FOREIGN_SECONDS:.0f} s: start it, correct the "
                f"variable, or unset it to have one embedded"
            )
        await asyncio.sleep(0.5)


def settings_of(data: Path) -> Settings | None:
    """The settings of the installation that runs on a data folder; None when none runs. Raises FolderError while it
    starts: until its stores run nobody knows all of them, and others would be those of another installation."""
    folder = DataFolder(data)
    owner = folder.owner()
    if not owner:
        return None
    state = folder.read_state()
    if not state or state["pid"] != owner or not state["environment"]:
        raise FolderError(
            f"the installation of {data} is still starting; try again when './klatsch status' has its parts"
        )
    return load(state["environment"])
