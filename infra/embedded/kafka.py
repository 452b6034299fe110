"""A Kafka broker of one node (KRaft, broker and controller in one process) as a child process."""

from __future__ import annotations

import base64
import shutil
import socket
import struct
import subprocess
import uuid
from pathlib import Path

from infra.embedded import jars
from infra.embedded.java import find_java
from infra.embedded.ports import free_port
from infra.embedded.process import Process, ProcessError
from infra.embedded.server import EmbeddedServer

_LOG4J = Path(__file__).parent / "log4j2.properties"


class EmbeddedKafka(EmbeddedServer):
    """A broker whose data outlives it: ``start``, ``stop`` and ``kill`` as often as wanted, on the same port."""

    #: Measured on two cores: ready in 2-13 s, after SIGKILL in 5-7 s.
    ready_seconds = 90.0

    def __init__(
        self,
        data: Path,
        *,
        port: int | None = None,
        controller_port: int | None = None,
        logs: Path | None = None,
        heap: str = "512m",
        overrides: dict[str, str] | None = None,
    ) -> None:
        """``data``: folder of the broker's own. Ports are chosen when not given. ``overrides``: broker properties."""
        self.data = data.absolute()
        self.port = port or free_port()
        self.controller_port = controller_port or free_port()
        self._logs = (logs or data / "logs").absolute()
        self._heap = heap
        self._overrides = overrides or {}

    @property
    def bootstrap(self) -> str:
        """``host:port`` for clients."""
        return f"127.0.0.1:{self.port}"

    def _prepare(self) -> Process:
        """Everything before the process is spawned: jars, the formatted data folder, its configuration."""
        java, locked, folder = find_java(), jars.locked_jars(), jars.folder()
        wanted = jars.missing(locked, folder)
        if wanted:
            jars.fetch(wanted, folder)
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._logs.mkdir(parents=True, exist_ok=True)
        class_path = ":".join(str(folder / jar.name) for jar in locked)
        properties = self._write_properties(self.data / "log")
        self._format(java, class_path)
        return Process("Kafka", self._command(java, class_path, properties), self._logs / "kafka.out")

    def ready(self) -> bool:
        """Whether the broker answers and has admitted itself to its cluster."""
        return brokers_of("127.0.0.1", self.port) > 0

    def _command(self, java: Path, class_path: str, properties: Path) -> list[str | Path]:
        return [
            java,
            f"-Xmx{self._heap}",
            "-XX:+UseSerialGC",
            "-XX:+ExitOnOutOfMemoryError",
            "-Djava.awt.headless=true",
            f"-Dlog4j2.configurationFile={_LOG4J}",
            f"-Dklatsch.log={self._logs / 'kafka.log'}",
            "-cp",
            class_path,
            "kafka.Kafka",
            properties,
        ]

    def _write_properties(self, log: Path) -> Path:
        path = self.data / ("server.properties" if log.name == "log" else "format.properties")
        values = _properties(self.port, self.controller_port, log) | self._overrides
        path.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
        return path

    def _format(self, java: Path, class_path: str) -> None:
        """Makes the log folder under another name and renames it: a killed start leaves none that is half made."""
        if (self.data / "log").exists():
            return
        fresh = self.data / "log.new"
        shutil.rmtree(fresh, ignore_errors=True)
        properties = self._write_properties(fresh)
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "_", 1)
        result = subprocess.run(
            [
                java, f"-Dlog4j2.configurationFile={_LOG4J}", f"-Dklatsch.log={self._logs / 'kafka.log'}",
                "-cp", class_path, "kafka.tools.StorageTool", "format", "-t", cluster, "-c", properties,
            ],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if result.returncode != 0:
            output = (result.stdout + result.stderr).strip()
            raise ProcessError(f"Kafka's storage tool failed with exit code {result.returncode}: {output[-2000:]}")
        fresh.rename(self.data / "log")
        properties.unlink()


def _properties(port: int, controller_port: int, log: Path) -> dict[str, str]:
    """Broker settings for one node whose topics are a database: nothing expires, nothing makes itself."""
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": str(log),
        "auto.create.topics.enable": "false",
        "log.retention.ms": "-1",
        # The defaults of 3 and 2 would wait for brokers that never come.
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "4",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "group.initial.rebalance.delay.ms": "0",
        # After SIGKILL the old registration must expire before the broker may come back: 2 s instead of 9 s.
        "broker.session.timeout.ms": "2000",
        "broker.heartbeat.interval.ms": "500",
        # The default of 128 MiB does not fit a small heap.
        "log.cleaner.dedupe.buffer.size": "16777216",
    }


def brokers_of(host: str, port: int) -> int:
    """How many brokers a Kafka at this address names; 0 when nobody answers.

    One Metadata request, version 1, without topics (https://kafka.apache.org/protocol#The_Messages_Metadata): it
    needs no client library, and leaves out a broker that its controller has not admitted yet.
    """
    body = struct.pack(">hhih", 3, 1, 1, -1) + struct.pack(">i", 0)
    try:
        with socket.create_connection((host, port), timeout=2) as connection:
            connection.sendall(struct.pack(">i", len(body)) + body)
            answer = b""
            while len(answer) < 12:
                chunk = connection.recv(4096)
                if not chunk:
                    return 0
                answer += chunk
    except OSError:
        return 0
    _, _, count = struct.unpack(">iii", answer[:12])
    return int(count)
