"""Kafka and Postgres for systems that bring none: named ones, those of a Klatsch that runs here, else embedded ones."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from infra.base.settings import Settings, load
from infra.embedded.kafka import EmbeddedKafka
from infra.embedded.postgres import EmbeddedPostgres
from tests.bench.accounting import listening


class Stores:
    """Each is started when somebody first asks for it, and ended with ``close``.

    Who uses the same servers one after the other measures the same servers: so floors share those of Klatsch.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._addresses = {
            name: address for name in ("kafka", "postgres") if (address := os.environ.get(f"KLATSCH_{name.upper()}"))
        }
        #: How to get into Kafka; None while nobody has asked for it.
        self._access: Settings | None = load() if "kafka" in self._addresses else None
        self._started: list[EmbeddedKafka | EmbeddedPostgres] = []
        self._starting = asyncio.Lock()

    def lend(self, settings: Settings) -> None:
        """Servers that run as long as anybody needs them."""
        self._access = self._access or settings
        self._addresses = {"kafka": settings.kafka, "postgres": settings.postgres, **self._addresses}

    async def kafka(self) -> Settings:
        """How to get into Kafka."""
        async with self._starting:
            if "kafka" not in self._addresses:
                kafka = EmbeddedKafka(self._folder / "kafka")
                await asyncio.to_thread(kafka.start)
                self._started.append(kafka)
                self._addresses["kafka"] = kafka.bootstrap
                self._access = load(kafka.access())
        assert self._access is not None
        return self._access

    async def postgres(self) -> str:
        """A DSN, as whose user one may make schemas."""
        async with self._starting:
            if "postgres" not in self._addresses:
                postgres = EmbeddedPostgres(self._folder / "postgres")
                await asyncio.to_thread(postgres.start)
                self._started.append(postgres)
                self._addresses["postgres"] = postgres.dsn
        return self._addresses["postgres"]

    def processes(self, *roles: str) -> Mapping[str, Sequence[psutil.Process]]:
        """By role, ``kafka`` and ``postgres``, where they run on this machine."""
        return listening({role: self._addresses[role] for role in roles if role in self._addresses})

    async def close(self) -> None:
        """Ends what was started here, and removes its data."""
        for server in self._started:
            await asyncio.to_thread(server.stop)
            if isinstance(server, EmbeddedPostgres):
                await asyncio.to_thread(server.remove)
