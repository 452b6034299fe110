"""The floors: what this machine, Kafka and sockets cost when nothing is done with a message."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil
from aiokafka.admin import NewTopic

from infra.base.kafka import admin
from infra.base.settings import environment
from tests.bench.systems.bare import PARTITIONS
from tests.bench.systems.program import Program
from tests.bench.systems.stores import Stores
from tests.parts import delete_topics

_MODULE = ("-m", "tests.bench.systems.bare")


class Sockets(Program):
    """No Kafka, no database, no check."""

    name = "sockets"
    about = (
        "floor: a bare WebSocket server (asyncio, uvloop) that sends frames as long as Klatsch's, and stores nothing"
    )

    async def command(self) -> Sequence[str | Path]:
        return [sys.executable, *_MODULE, str(self.port)]


class Chain(Program):
    """The way of a message through Kafka, and nothing else."""

    name = "chain"
    about = (
        "floor: append to Kafka (aiokafka, acks=all, no linger), consume, produce, consume, WebSocket frame; one "
        "process, no domain code, no read models"
    )

    def __init__(self, folder: Path, stores: Stores) -> None:
        super().__init__(folder)
        self._stores = stores
        self._prefix = f"b{secrets.token_hex(5)}"

    async def command(self) -> Sequence[str | Path]:
        kafka = await self._stores.kafka()
        async with admin(kafka) as client:
            await client.create_topics([NewTopic(f"{self._prefix}.{name}", PARTITIONS, 1) for name in ("log", "feed")])
        self._environment = {**os.environ, **environment(kafka)}
        return [sys.executable, *_MODULE, str(self.port), self._prefix]

    async def removed(self) -> None:
        await delete_topics(await self._stores.kafka(), self._prefix)

    def processes(self) -> Mapping[str, Sequence[psutil.Process]]:
        return {**super().processes(), **self._stores.processes("kafka")}
