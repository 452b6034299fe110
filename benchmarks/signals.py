"""What signals cost: a crowd that reconnects at once, people who type, and the same people doing nothing."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import math
import os
import secrets
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import aiohttp
import msgspec
import psutil
from aiokafka import TopicPartition

from benchmarks.clients import Crowd
from infra import kafka, postgres
from infra.embedded.ports import free_port
from infra.installation import prepare
from infra.settings import Settings, environment, load

ABOUT = """\
Measures presence and typing on a real Kafka and Postgres, in an installation of its own that is removed afterwards:

  reconnect  all clients connect, are lost at once, and come back
  idle       the floor: clients that are connected and do nothing
  typing     the same clients, who all type without pause
  changing   the same clients, who start and stop typing every five seconds

One process has the connections (role push), a second one the roles api and project, and this one is the clients.
Numbers of CPU are of the push process alone. Name the servers in KLATSCH_KAFKA and KLATSCH_POSTGRES."""


def main() -> None:
    """Parse the options, run, print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.signals", description=ABOUT, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clients", type=int, default=5000, help="connections that come back at once (5000)")
    parser.add_argument("--typists", type=int, default=1000, help="connections of the other scenarios (1000)")
    parser.add_argument("--room", type=int, default=10, help="members of each room (10)")
    parser.add_argument("--seconds", type=float, default=20.0, help="length of each measurement (20)")
    parser.add_argument("--every", type=float, default=3.0, help="seconds between two signals of a typing app (3)")
    parser.add_argument("--only", choices=["reconnect", "typing"], help="one half of it")
    options = parser.parse_args()
    for line in asyncio.run(_run(options)):
        sys.stdout.write(line + "\n")


async def _run(options: argparse.Namespace) -> list[str]:
    lines = [f"{os.cpu_count()} cores, rooms of {options.room}", ""]
    async with AsyncExitStack() as stack:
        bench = await stack.enter_async_context(_installed())
        if options.only != "typing":
            lines += await bench.reconnect(options.clients, options.room)
        if options.only != "reconnect":
            lines += await bench.type(options)
    return lines


@asynccontextmanager
async def _installed() -> AsyncIterator[_Bench]:
    """A new installation and its two processes."""
    name = f"b{secrets.token_hex(5)}"
    settings = load(prefix=name, schema=name, secret=secrets.token_hex(32), partitions=4, feed_partitions=4)
    back = msgspec.structs.replace(settings, port=free_port())
    front = msgspec.structs.replace(settings, port=free_port())
    await prepare(settings)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(_removed, settings)
        await stack.enter_async_context(_serving(back, "api,project"))
        process = await stack.enter_async_context(_serving(front, "push"))
        http = await stack.enter_async_context(aiohttp.ClientSession(f"http://{back.address}"))
        topic = await stack.enter_async_context(_Topic.reading(settings))
        yield _Bench(front, psutil.Process(process.pid), http, topic)


@asynccontextmanager
async def _serving(settings: Settings, roles: str) -> AsyncIterator[asyncio.subprocess.Process]:
    with tempfile.TemporaryFile() as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "infra.cli", "serve", "--roles", roles, "--port", str(settings.port),
            env={**os.environ, **environment(settings)}, stdout=log, stderr=log,
        )  # fmt: skip
        try:
            await _ready(settings, process)
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def _ready(settings: Settings, process: asyncio.subprocess.Process) -> None:
    async with aiohttp.ClientSession() as http, asyncio.timeout(60):
        while process.returncode is None:
            with contextlib.suppress(aiohttp.ClientError):
                async with http.get(f"http://{settings.address}/readyz") as response:
                    if response.status == 200:
                        return
            await asyncio.sleep(0.1)
    raise RuntimeError(f"expected a server on {settings.address}, it ended with {process.returncode}")


async def _removed(settings: Settings) -> None:
    await postgres.drop(settings)
    async with kafka.admin(settings) as client:
        await client.delete_topics([spec.topic for spec in kafka.topic_specs(settings)])


class _Topic:
    """Counts the records of ``klatsch.signals`` by second."""

    def __init__(self) -> None:
        self.seconds: Counter[int] = Counter()
        self.bytes = 0

    @classmethod
    @asynccontextmanager
    async def reading(cls, settings: Settings) -> AsyncIterator[_Topic]:
        found = cls()
        consumer = kafka.consumer(settings)
        await consumer.start()
        places = [TopicPartition(settings.topic("signals"), number) for number in range(settings.feed_partitions)]
        consumer.assign(places)
        for place, end in (await consumer.end_offsets(places)).items():
            consumer.seek(place, end)
        task = asyncio.create_task(found._read(consumer))
        try:
            yield found
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await kafka.close(consumer)

    async def _read(self, consumer: Any) -> None:
        while True:
            for records in (await consumer.getmany(timeout_ms=500)).values():
                for record in records:
                    self.seconds[record.timestamp // 1000] += 1
                    self.bytes += len(record.value)

    def clear(self) -> None:
        self.seconds.clear()
        self.bytes = 0


class _Bench:
    """The scenarios."""

    def __init__(self, front: Settings, process: psutil.Process, http: aiohttp.ClientSession, topic: _Topic) -> None:
        self._front = front
        self._process = process
        self._http = http
        self._topic = topic

    async def reconnect(self, clients: int, size: int) -> list[str]:
        """All come back at once."""
        crowd, _ = await self._people(clients, size)
        first = await crowd.connect()
        await self._settled(crowd)
        crowd.drop()
        self._topic.clear()
        cpu, began = self._cpu(), time.monotonic()
        again = await crowd.connect(clients)
        frames, size_ = await self._settled(crowd)
        took = time.monotonic() - began
        peak = max(self._topic.seconds.values(), default=0)
        kinds = crowd.counts()[2]
        crowd.drop()
        return [
            f"reconnect, {clients} clients: {again:.1f} s until all are connected (the first time {first:.1f} s)",
            f"  presence frames {frames} ({frames / clients:.1f} a client), {size_ / 1024:.0f} KiB "
            f"({size_ / clients:.0f} bytes a client); signals {dict(kinds)}",
            f"  records on the topic: {sum(self._topic.seconds.values())}, at most {peak} in a second, "
            f"{self._topic.bytes / 1024:.0f} KiB",
            f"  CPU of the node: {self._cpu() - cpu:.1f} s in {took:.1f} s",
            "",
        ]

    async def type(self, options: argparse.Namespace) -> list[str]:
        """The floor, then typing."""
        crowd, rooms = await self._people(options.typists, options.room)
        await crowd.connect()
        await self._settled(crowd)
        lines = [
            f"{options.typists} clients, {options.seconds:.0f} s each:",
            "",
            "| scenario | CPU s a second | calls/s | frames/s | bytes/s | records/s |",
            "| --- | --- | --- | --- | --- | --- |",
        ]
        for name in ("idle", "typing", "changing"):
            await self._settled(crowd)
            lines.append(await self._scenario(name, crowd, rooms, options))
        crowd.drop()
        return lines

    async def _scenario(self, name: str, crowd: Crowd, rooms: list[str], options: argparse.Namespace) -> str:
        self._topic.clear()
        cpu, (frames, size, _), began = self._cpu(), crowd.counts(), time.monotonic()
        calls = 0
        if name == "idle":
            await asyncio.sleep(options.seconds)
        else:
            calls = await _typing(crowd, rooms, options, pauses=name == "changing")
        took = time.monotonic() - began
        cpu, (frames_after, size_after, _) = self._cpu() - cpu, crowd.counts()
        records = sum(self._topic.seconds.values())
        return (
            f"| {name} | {cpu / took:.3f} | {calls / took:.0f} | {(frames_after - frames) / took:.0f} "
            f"| {(size_after - size) / took:.0f} | {records / took:.1f} |"
        )

    def _cpu(self) -> float:
        times = self._process.cpu_times()
        return float(times.user + times.system)

    async def _settled(self, crowd: Crowd, quiet: float = 5.0) -> tuple[int, int]:
        """Until no signal has come for a while; frames and bytes so far."""
        last, since = crowd.counts()[:2], time.monotonic()
        while time.monotonic() < since + quiet:
            await asyncio.sleep(0.25)
            if (now := crowd.counts()[:2]) != last:
                last, since = now, time.monotonic()
        return last

    async def _people(self, count: int, size: int) -> tuple[Crowd, list[str]]:
        """People in rooms of so many; each one's room, in the order of the crowd."""
        slots = asyncio.Semaphore(32)

        async def post(path: str, body: dict[str, Any], token: str = "") -> Any:
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            async with slots, self._http.post(path, json=body, headers=headers) as response:
                if response.status != 201:
                    raise RuntimeError(f"{path}: expected 201, got {response.status}: {await response.text()}")
                return await response.json()

        names = [f"p{secrets.token_hex(8)}" for _ in range(count)]
        people = await asyncio.gather(*(post("/v1/users", {"username": name}) for name in names))
        groups = [people[begin : begin + size] for begin in range(0, count, size)]
        made = await asyncio.gather(
            *(
                post(
                    "/v1/rooms",
                    {"type": "private", "name": "Room", "members": [one["user"]["id"] for one in group]},
                    group[0]["token"],
                )
                for group in groups
            )
        )
        rooms = [room["room"]["id"] for room in made for _ in range(size)][:count]
        return Crowd(self._front.host, self._front.port, [one["token"] for one in people]), rooms


async def _typing(crowd: Crowd, rooms: list[str], options: argparse.Namespace, *, pauses: bool) -> int:
    """Everybody types; with pauses five seconds of every ten, each at a time of their own. Returns the calls."""
    loop = asyncio.get_running_loop()
    began, calls = loop.time(), 0
    turns: list[tuple[float, int]] = []
    for number in range(len(crowd.clients)):
        phase = number / len(crowd.clients)
        if not pauses:
            turns += [
                (phase * options.every + turn * options.every, number)
                for turn in range(math.ceil(options.seconds / options.every))
            ]
            continue
        for turn in range(-1, math.ceil(options.seconds / 10)):
            at = phase * 10 + turn * 10
            turns += [(at, number), (at + options.every, number), (at + 5, ~number)]
    for at, number in sorted(turn for turn in turns if 0 <= turn[0] < options.seconds):
        if (wait := began + at - loop.time()) > 0:
            await asyncio.sleep(wait)
        client = crowd.clients[number if number >= 0 else ~number]
        room = rooms[number if number >= 0 else ~number]
        client.call("signals.type", {"room": room, "typing": number >= 0})
        calls += 1
    await asyncio.sleep(max(0.0, began + options.seconds - loop.time()))
    return calls


if __name__ == "__main__":
    main()
