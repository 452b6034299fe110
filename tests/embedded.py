"""The embedded parts as tests want them: quick to start, nothing kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from infra.embedded.kafka import EmbeddedKafka
from infra.embedded.postgres import EmbeddedPostgres
from tests.parts import Parts


@contextmanager
def parts(folder: Path, kafka: str | None, postgres: str | None) -> Iterator[Parts]:
    """Starts what is not given; both together take about three seconds once the jars are there."""
    with ExitStack() as stack:
        broker, process = None, None
        if kafka is None:
            broker = EmbeddedKafka(folder / "kafka", open_to_all=True)
            stack.callback(broker.kill)
            process = broker.prepare()
            process.spawn()
            kafka = broker.bootstrap
        if postgres is None:
            # Tests throw the data away, so nothing waits for the disk.
            server = EmbeddedPostgres(folder / "postgres", options={"fsync": "off", "synchronous_commit": "off"})
            stack.callback(server.remove)
            server.start()
            postgres = server.dsn
        if broker and process:
            process.wait_until(broker.ready)
        yield Parts(kafka, postgres)
