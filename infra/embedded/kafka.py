"""A Kafka broker of one node (KRaft, broker and controller in one process) as a child process."""

from __future__ import annotations

import base64
import secrets
import shutil
import subprocess
import uuid
from pathlib import Path

from infra.base.kafka_access import brokers, escaped, login
from infra.base.settings import load
from infra.embedded import jars
from infra.embedded.files import write_private
from infra.embedded.java import find_java
from infra.embedded.ports import free_port
from infra.embedded.process import Process, ProcessError
from infra.embedded.server import EmbeddedServer

#: The one user that a broker with a password knows.
USER = "klatsch"
_SCRAM, _PLAIN = "SCRAM-SHA-256", "PLAIN"
_LOG4J = Path(__file__).parent / "log4j2.properties"


class EmbeddedKafka(EmbeddedServer):
    """A broker whose data outlives it: ``start``, ``stop`` and ``kill`` as often as wanted, on the same port.

    It listens on 127.0.0.1 and asks for a password, since other users of the machine reach the port too: by SCRAM, or
    by PLAIN where the data is older than the password, as credentials of SCRAM stand in the data from its beginning.
    Other programs may use PLAIN, too. Roles do not: whoever takes the port while no broker has it would be told.
    """

    def __init__(
        self,
        data: Path,
        *,
        port: int | None = None,
        controller_port: int | None = None,
        logs: Path | None = None,
        heap: str = "512m",
        overrides: dict[str, str] | None = None,
        open_to_all: bool = False,
    ) -> None:
        """``data``: folder of the broker's own. Ports are chosen when not given. ``overrides``: broker properties.

        ``open_to_all``: it asks for no password; for tests.
        """
        self.data = data.absolute()
        self.port = port or free_port()
        self.controller_port = controller_port or free_port()
        self._logs = (logs or data / "logs").absolute()
        self._heap = heap
        self._overrides = overrides or {}
        self._open = open_to_all

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
        if not self._open and not self._password_file.exists():
            write_private(self._password_file, secrets.token_hex(16))
        self._format(java, class_path)
        properties = self._write_properties(self.data / "log")
        return Process(
            "Kafka",
            self._command(java, class_path, properties),
            self._logs / "kafka.out",
            own_log=self._logs / "kafka.log",
        )

    def access(self) -> dict[str, str]:
        """The ``KLATSCH_KAFKA*`` variables with which clients get in, once prepared."""
        found = {"KLATSCH_KAFKA": self.bootstrap, "KLATSCH_KAFKA_TLS": "false", "KLATSCH_KAFKA_USER": ""}
        if not self._open:
            found |= {
                "KLATSCH_KAFKA_USER": USER,
                "KLATSCH_KAFKA_PASSWORD": self._password_file.read_text(),
                "KLATSCH_KAFKA_SASL": self._mechanism,
            }
        return found

    def ready(self) -> bool:
        """Whether the broker answers and has admitted itself to its cluster."""
        return brokers(load(self.access())) > 0

    @property
    def _password_file(self) -> Path:
        return self.data / "password"

    @property
    def _mechanism(self) -> str:
        return _SCRAM if (self.data / "log" / _SCRAM).exists() else _PLAIN

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
        values = _properties(self.port, self.controller_port, log)
        if not self._open:
            values |= _passwords(self._mechanism, self._password_file.read_text())
        values |= self._overrides
        write_private(path, "".join(f"{name}={value}\n" for name, value in values.items()))
        return path

    def _format(self, java: Path, class_path: str) -> None:
        """Makes the log folder under another name and renames it: a killed start leaves none that is half made."""
        if (self.data / "log").exists():
            return
        fresh = self.data / "log.new"
        shutil.rmtree(fresh, ignore_errors=True)
        properties = self._write_properties(fresh)
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "_", 1)
        command = [
            f"-Dlog4j2.configurationFile={_LOG4J}", f"-Dklatsch.log={self._logs / 'kafka.log'}",
            "-cp", class_path, "kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(properties),
        ]  # fmt: skip
        if not self._open:
            command += ["--add-scram", f"{_SCRAM}=[name={USER},password={self._password_file.read_text()}]"]
        # In a file, as everybody may see the command lines of a machine.
        arguments = self.data / "format.arguments"
        write_private(arguments, "".join(f'"{escaped(word)}"\n' for word in command))
        result = subprocess.run([java, f"@{arguments}"], capture_output=True, text=True, check=False)
        if result.returncode != 0:
            # Its standard output has the credentials.
            output = result.stderr.strip()
            raise ProcessError(f"Kafka's storage tool failed with exit code {result.returncode}: {output[-2000:]}")
        if not self._open:
            (fresh / _SCRAM).touch()
        fresh.rename(self.data / "log")
        for path in (properties, arguments):
            path.unlink()


def _properties(port: int, controller_port: int, log: Path) -> dict[str, str]:
    """Broker settings for one node whose topics are a database: nothing expires, nothing makes itself."""
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "CLIENT",
        "listeners": f"CLIENT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"CLIENT://127.0.0.1:{port}",
        "listener.security.protocol.map": "CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT",
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


def _passwords(mechanism: str, password: str) -> dict[str, str]:
    """Broker settings that let in who knows the password: clients, and the broker's own controller."""
    plain = login("plain.PlainLoginModule", USER, password, **{f"user_{USER}": password})
    scram = login("scram.ScramLoginModule", USER, password)
    return {
        "listener.security.protocol.map": "CLIENT:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT",
        # Programs with a librdkafka before 2.6.1 (kcat of Debian 12, Ubuntu 24.04) get SCRAM wrong: PLAIN is for them.
        "sasl.enabled.mechanisms": ",".join(dict.fromkeys((mechanism, _PLAIN))),
        "sasl.mechanism.inter.broker.protocol": mechanism,
        f"listener.name.client.{_PLAIN.lower()}.sasl.jaas.config": plain,
        f"listener.name.client.{_SCRAM.lower()}.sasl.jaas.config": scram,
        # A controller must know passwords before it has read its data, so SCRAM is not for it.
        "sasl.mechanism.controller.protocol": _PLAIN,
        "listener.name.controller.sasl.enabled.mechanisms": _PLAIN,
        "listener.name.controller.plain.sasl.jaas.config": plain,
    }
