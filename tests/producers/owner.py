"""A shard's owner at its smallest, as the log's tests use it: open, read, decide by the command's key, append.

Run as a program it is an owner in a process of its own that can be stopped and resumed:
``python -m tests.producers.owner KAFKA PREFIX`` appends until it fails and prints what it was told.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable

import msgspec
from aiokafka import ConsumerRecord
from aiokafka.errors import KafkaError

from events.core.log import OPENED_HEADER, TermFilter
from infra.base.kafka import end_offsets
from infra.base.settings import Settings
from producers.engine.log import LogProducer, OutcomeUnknown, ShardLog, Superseded, read_tail

TOPIC = "rooms"


def record(command: str, size: int = 0) -> tuple[bytes, bytes]:
    """A record that says which command it comes from."""
    return b"room", msgspec.json.encode({"command": command, "padding": "x" * size})


def command_of(found: ConsumerRecord) -> str:
    return str(msgspec.json.decode(found.value)["command"])


async def raw(settings: Settings, partition: int = 0) -> list[ConsumerRecord]:
    """All records of a shard, void ones included."""
    topic = settings.topic(TOPIC)
    end = (await end_offsets(settings, topic, settings.partitions))[partition]
    return [found async for records in read_tail(settings, topic, partition, 0, end - 1) for found in records]


def valid(records: Iterable[ConsumerRecord]) -> list[tuple[str, int]]:
    """What a reader believes: ``(command, offset)`` of the records that the term admits, ``log.opened`` left out."""
    rule = TermFilter()
    return [
        (command_of(found), found.offset)
        for found in records
        if rule.admits(found.offset, found.headers) and OPENED_HEADER not in dict(found.headers)
    ]


class Owner:
    """One owner of partition 0, with a producer of its own."""

    def __init__(self, settings: Settings, through: str = "", ack_seconds: float = 4.0, partition: int = 0) -> None:
        """``through`` replaces the bootstrap address, for producing only: reading goes to the broker."""
        self.settings = settings
        self.producers = LogProducer(msgspec.structs.replace(settings, kafka=through or settings.kafka))
        self.log = ShardLog(self.producers, settings.topic(TOPIC), partition, "test:1", ack_seconds)
        #: Offsets of commands as this owner has read them.
        self.known: dict[str, int] = {}

    async def open(self) -> int:
        """Open and read all that stands before."""
        term = await self.log.open()
        self.known = {}
        topic = self.settings.topic(TOPIC)
        tail = read_tail(self.settings, topic, self.log.partition, 0, term)
        records = [found async for some in tail for found in some]
        for command, offset in valid(records):
            assert command not in self.known, f"{command} stands at {self.known[command]} and at {offset}"
            self.known[command] = offset
        return term

    async def reopen(self) -> int:
        """Open, however often it takes: the broker may be away, or another owner may write."""
        async with asyncio.timeout(60):
            while True:
                try:
                    return await self.open()
                except (OutcomeUnknown, KafkaError):
                    await asyncio.sleep(0.05)

    async def once(self, command: str) -> int:
        """One attempt: the command's offset, appended or found. Raises what append raises."""
        if command not in self.known:
            self.known[command] = await self.log.append([record(command)])
        return self.known[command]

    async def do(self, command: str) -> int:
        """The command's offset, whatever gets in between."""
        async with asyncio.timeout(60):
            while True:
                if not self.log.opened:
                    await self.reopen()
                try:
                    return await self.once(command)
                except OutcomeUnknown:
                    continue


async def main(kafka: str, prefix: str) -> None:
    owner = Owner(Settings(kafka=kafka, prefix=prefix, partitions=2))
    print("opened", await owner.open(), flush=True)
    number = 0
    while True:
        try:
            print("acknowledged", f"old-{number}", await owner.once(f"old-{number}"), flush=True)
        except Superseded as error:
            print("superseded", error, flush=True)
            break
        number += 1
    await owner.producers.stop()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
