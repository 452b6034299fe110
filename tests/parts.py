"""Where the tests' Kafka and Postgres come from: given addresses, a Docker engine, or the embedded ones."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from aiokafka.admin import AIOKafkaAdminClient

from infra.base.kafka_access import aiokafka_options
from infra.base.settings import Settings


class Parts(NamedTuple):
    """A running Kafka and a running Postgres."""

    #: Bootstrap servers, ``host:port``.
    kafka: str
    #: DSN of a database in which schemas may be created.
    postgres: str


@contextmanager
def running_parts(folder: Path) -> Iterator[Parts]:
    """Kafka and Postgres for the length of the block; ``folder`` takes the data of embedded ones.

    ``KLATSCH_KAFKA`` and ``KLATSCH_POSTGRES`` replace one part each. What is missing is started in Docker when its
    engine answers, else embedded.
    """
    kafka, postgres = os.environ.get("KLATSCH_KAFKA"), os.environ.get("KLATSCH_POSTGRES")
    with ExitStack() as stack:
        if kafka and postgres:
            found = Parts(kafka, postgres)
        elif _docker_answers():
            from tests import containers

            found = Parts(
                kafka or stack.enter_context(containers.kafka()),
                postgres or stack.enter_context(containers.postgres()),
            )
        else:
            from tests import embedded

            found = stack.enter_context(embedded.parts(folder, kafka, postgres))
        yield found


def _docker_answers() -> bool:
    """Asks the command line client: the Python one leaves a socket open when nobody answers."""
    client = shutil.which("docker")
    if client is None:
        return False
    return subprocess.run([client, "version"], capture_output=True, check=False, timeout=30).returncode == 0


async def delete_topics(kafka: str | Settings, prefix: str) -> None:
    """Deletes every topic whose name begins with ``prefix`` and a dot. ``kafka``: servers, or how to get in."""
    settings = Settings(kafka=kafka) if isinstance(kafka, str) else kafka
    admin = AIOKafkaAdminClient(**aiokafka_options(settings))
    await admin.start()
    try:
        names = [name for name in await admin.list_topics() if name.startswith(f"{prefix}.")]
        if names:
            await admin.delete_topics(names)
    finally:
        await admin.close()
