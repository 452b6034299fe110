"""Kafka and Postgres in Docker, of the versions that infra/compose.yaml runs. Only where a Docker engine answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from testcontainers.core.container import DockerContainer

from infra.base.kafka_access import brokers
from infra.base.settings import Settings
from infra.embedded.jars import kafka_version
from infra.embedded.patience import Patience, Sign
from infra.embedded.ports import free_port
from infra.embedded.postgres import VERSION
from infra.embedded.process import accepts


class KafkaContainer(DockerContainer):
    """The official image as one node; testcontainers' own Kafka module knows Confluent's images only.

    Clients are told the address that Kafka advertises, so the port of the host is chosen before the start.
    """

    def __init__(self) -> None:
        self.port = free_port()
        super().__init__(f"apache/kafka:{kafka_version()}")
        self.with_bind_ports(9092, self.port)
        for name, value in {
            "NODE_ID": "1",
            "PROCESS_ROLES": "broker,controller",
            "LISTENERS": "PLAINTEXT://:9092,CONTROLLER://:9093",
            "ADVERTISED_LISTENERS": f"PLAINTEXT://127.0.0.1:{self.port}",
            "LISTENER_SECURITY_PROTOCOL_MAP": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "CONTROLLER_LISTENER_NAMES": "CONTROLLER",
            "CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
            "OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
            "TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
            "TRANSACTION_STATE_LOG_MIN_ISR": "1",
            "AUTO_CREATE_TOPICS_ENABLE": "false",
            "LOG_RETENTION_MS": "-1",
            "GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        }.items():
            self.with_env(f"KAFKA_{name}", value)


@contextmanager
def kafka() -> Iterator[str]:
    """Bootstrap servers of a broker for the length of the block."""
    with KafkaContainer() as container:
        _wait(container, lambda: brokers(Settings(kafka=f"127.0.0.1:{container.port}")) > 0, "Kafka")
        yield f"127.0.0.1:{container.port}"


@contextmanager
def postgres() -> Iterator[str]:
    """DSN of a server for the length of the block."""
    port = free_port()
    container = DockerContainer(f"postgres:{VERSION}").with_bind_ports(5432, port)
    container.with_env("POSTGRES_HOST_AUTH_METHOD", "trust").with_env("POSTGRES_DB", "klatsch")
    with container:
        # The image starts once without TCP to initialise itself, so an open port means that it has done so.
        _wait(container, lambda: accepts("127.0.0.1", port), "Postgres")
        yield f"postgresql://postgres@127.0.0.1:{port}/klatsch"


def _wait(container: DockerContainer, ready: Callable[[], bool], name: str) -> None:
    patience = Patience(lambda: Sign(sum(map(len, container.get_logs()))))
    while not ready():
        if patience.spent():
            raise TimeoutError(f"{name} in Docker is not ready, and has written nothing for {patience.silent:.0f} s")
        time.sleep(0.1)
