"""What an installation consists of: Kafka, Postgres, and one process for each group of roles."""

from __future__ import annotations

import importlib.util
import os
import signal
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from infra.base.settings import Settings, environment, without_password
from infra.embedded import jars
from infra.embedded.kafka import EmbeddedKafka
from infra.embedded.patience import SILENT_SECONDS
from infra.embedded.postgres import EmbeddedPostgres
from infra.embedded.process import Process
from infra.ops.supervisor.folder import DataFolder
from infra.ops.supervisor.readiness import readiness, waits
from infra.ops.supervisor.report import Download, StartReport

ROOT = Path(__file__).resolve().parents[3]
#: Distance of each part's port from that of the API; gRPC's stands in Settings.
PROJECT, ANALYTICS, RELAY, KAFKA, POSTGRES, CONTROLLER = 1, 2, 4, 10, 11, 12


class Part(ABC):
    """One child process of the installation, and how to know that it serves."""

    name: str
    #: Where it is to be reached: a URL, bootstrap servers, or a DSN.
    address: str
    #: TCP ports that it listens on.
    ports: tuple[int, ...]
    #: Seconds without a sign of life after which a start has failed.
    silent_seconds = SILENT_SECONDS
    #: Seconds after which a start that goes on is told of, again and again.
    tell_seconds = 10.0

    #: The child as it was last prepared.
    process: Process | None = None
    #: How often it was started again because it had ended, and how it last ended.
    restarts = 0
    ended = ""
    #: ``host:port`` where it serves gRPC; empty where it does not.
    grpc = ""

    @property
    def home(self) -> Path | None:
        """Folder of the data that it stores, once prepared; None where it stores none."""
        return None

    @abstractmethod
    def prepare(self) -> Process:
        """Blocking work before the child can be spawned."""

    def access(self) -> dict[str, str]:
        """The variables by which roles find a store and get in, once it is prepared."""
        return {}

    @abstractmethod
    def ready(self) -> bool:
        """Whether it serves now; answers within a few seconds."""

    def waits(self) -> str:
        """What it waits for, and then gets ready by itself: no reason to stop the others. Empty: nothing of the kind.

        Answers within a few seconds.
        """
        return ""

    def awaited(self) -> str:
        """What would make it ready, for the error of a start that fell silent; answers within a few seconds."""
        return f"an answer at {without_password(self.address)}"


class KafkaPart(Part):
    """The embedded broker."""

    name = "kafka"

    def __init__(self, folder: DataFolder, port: int, report: StartReport) -> None:
        self.kafka = EmbeddedKafka(folder.kafka, port=port + KAFKA, controller_port=port + CONTROLLER, logs=folder.logs)
        self.address = self.kafka.bootstrap
        self.ports = (self.kafka.port, self.kafka.controller_port)
        #: Set to end a download under way.
        self.cancelled = threading.Event()
        self._folder = folder
        self._report = report

    @property
    def home(self) -> Path | None:
        return self.kafka.data

    def prepare(self) -> Process:
        wanted = jars.missing(jars.locked_jars(), jars.folder())
        if wanted:
            size = sum(jar.size for jar in wanted)
            what = f"Kafka {jars.kafka_version()}, {len(wanted)} files"
            with Download(self._report, self.name, what, size) as download:
                jars.fetch(wanted, jars.folder(), download.advance, self.cancelled)
        self._folder.log("kafka")
        return self.kafka.prepare()

    def access(self) -> dict[str, str]:
        return self.kafka.access()

    def ready(self) -> bool:
        return self.kafka.ready()


class PostgresPart(Part):
    """The embedded server."""

    name = "postgres"

    def __init__(self, folder: DataFolder, port: int, report: StartReport) -> None:
        self._folder = folder
        self._report = report
        self.postgres = EmbeddedPostgres(folder.postgres, port=port + POSTGRES, logs=folder.logs)
        self.ports = (self.postgres.port,)
        #: The DSN has the password, which the first start makes.
        self.address = ""

    @property
    def home(self) -> Path | None:
        return self.postgres.home

    def prepare(self) -> Process:
        self._folder.log("postgres")
        process = self.postgres.prepare()
        self.address = self.postgres.dsn
        if not self.postgres.home.is_relative_to(self._folder.path.resolve()):
            self._report.line(self.name, "data in", f"{self.postgres.home}, for its user cannot enter the data folder")
        return process

    def access(self) -> dict[str, str]:
        return {"KLATSCH_POSTGRES": self.address}

    def ready(self) -> bool:
        return self.postgres.ready()


class Roles(NamedTuple):
    """Roles that share one process."""

    name: str
    roles: str
    offset: int


#: Faust owns its process, with its own event loop and signal handlers; both workers are in one, for less memory.
GROUPS = (
    Roles("api", "api,push,feed", 0),
    Roles("project", "project", PROJECT),
    Roles("analytics", "analytics,usage", ANALYTICS),
    # By itself, so that who talks is not cut off when the API ends.
    Roles("relay", "relay", RELAY),
)


class RolePart(Part):
    """A process of ours: ``python -m infra.ops.cli serve --roles ...``."""

    def __init__(self, folder: DataFolder, settings: Settings, group: Roles) -> None:
        """``settings`` are those of this process: its own port in ``settings.port``."""
        self.name = group.name
        self.roles = group.roles
        self.address = f"http://{_reachable(settings.host)}:{settings.port}"
        self.ports = (settings.port,)
        if "relay" in group.roles:
            self.grpc = f"{_reachable(settings.host)}:{settings.grpc_listen}"
            self.ports = (settings.port, settings.grpc_listen)
        command = [sys.executable, "-m", "infra.ops.cli", "serve", "--roles", group.roles]
        self._make: Callable[[], Process] = lambda: Process(
            group.name,
            command,
            folder.log(group.name),
            env={
                **os.environ,
                **environment(replace(settings, restarts=self.restarts, ended=self.ended)),
                "PYTHONUNBUFFERED": "1",
            },
            cwd=ROOT,
            stop_signal=signal.SIGTERM,
        )

    def prepare(self) -> Process:
        return self._make()

    def ready(self) -> bool:
        return readiness(self.address, None)[0]

    def waits(self) -> str:
        return waits(self.address)

    def awaited(self) -> str:
        return f"{self.address}/readyz to say that all is well, got: {readiness(self.address, None)[1]}"


def role_parts(folder: DataFolder, settings: Settings) -> list[Part]:
    """The role processes, on ports counted from ``settings.port``; without analytics where Faust has no build."""
    groups = [group for group in GROUPS if group.name != "analytics" or importlib.util.find_spec("faust")]
    api = settings.api or f"http://{_reachable(settings.host)}:{settings.port}"
    settings = replace(settings, api=api, grpc_port=settings.grpc_listen)
    return [RolePart(folder, replace(settings, port=settings.port + group.offset), group) for group in groups]


def _reachable(host: str) -> str:
    """An address of this machine under which a server listening on ``host`` answers."""
    return "127.0.0.1" if host in ("0.0.0.0", "::", "") else host
