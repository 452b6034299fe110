"""Members of live channels who talk all the time: each listens over HTTP, connects over gRPC, and does so again after
every end."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import grpc.aio
from msgspec.structs import replace

from infra.base.settings import Settings
from infra.embedded.ports import free_port
from push.relay.core_service_pb2 import Message
from push.relay.grpc_transport import NUMBER_METADATA, TICKET_METADATA
from tests.api.grpc.clients import Client
from tests.client import Person, Refusal
from tests.running import until

#: Seconds from one frame of a talker to the next: speech.
PAUSE = 0.02
#: Seconds from a listen that was refused to the next one.
AGAIN = 0.2
#: What a listen may be refused with while a part of the installation is away.
LATER = ("rate_limited", "unavailable", "lagging", "overloaded", "internal")


def beside(settings: Settings) -> Settings:
    """The settings of one more process of an installation, with ports of its own."""
    return replace(settings, port=free_port(), grpc_port=free_port())


class Talker:
    """One user in one channel. Frames are numbered from 0 by their timestamps."""

    def __init__(self, person: Person, channel: int) -> None:
        self.person = person
        self.channel = channel
        self._loud = asyncio.Event()
        #: The user's number; 0 until they have joined.
        self.number = 0
        #: Frames that were sent.
        self.said = 0
        #: What came, by the number of who said it.
        self.heard: defaultdict[int, list[int]] = defaultdict(list)
        #: The statuses with which connections ended or did not begin.
        self.ends: list[tuple[str, str]] = []
        #: How often the user has joined, and from which address last.
        self.joins = 0
        self.address = ""

    def speak(self) -> None:
        """Talks from now on, whenever connected."""
        self._loud.set()

    def hush(self) -> None:
        """Sends nothing more, and still hears."""
        self._loud.clear()

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            place = await self.listen()
            if place is None:
                await asyncio.sleep(AGAIN)
            else:
                await self.connect(*place)

    async def listen(self) -> tuple[str, str] | None:
        """Address and token; None when it has to be tried again."""
        try:
            answer = await self.person.do("channels.listen", channel=self.channel)
        except Refusal as refusal:
            if refusal.code not in LATER:
                raise
            return None
        except (aiohttp.ClientError, TimeoutError):
            return None
        return answer["server"]["address"], answer["token"]

    async def connect(self, address: str, token: str) -> None:
        """One connection, from its beginning to its end."""
        async with grpc.aio.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
            call = Client(channel).method("ChatService/Connect")(metadata=((TICKET_METADATA, token),))
            speaking = asyncio.create_task(self._speak(call))
            try:
                await self._hear(call, address)
            except grpc.aio.AioRpcError as error:
                self.ends.append((error.code().name, error.details() or ""))
            finally:
                speaking.cancel()
                await asyncio.gather(speaking, return_exceptions=True)

    async def _hear(self, call: Any, address: str) -> None:
        metadata = dict(await call.initial_metadata())
        if NUMBER_METADATA in metadata:
            self.number, self.address = int(metadata[NUMBER_METADATA]), address
            self.joins += 1
        async for message in call:
            self.heard[message.user_id].append(message.timestamp)

    async def _speak(self, call: Any) -> None:
        while True:
            await self._loud.wait()
            await call.write(Message(timestamp=self.said, data=b"%d" % self.said))
            self.said += 1
            await asyncio.sleep(PAUSE)


@asynccontextmanager
async def talking(*talkers: Talker) -> AsyncIterator[None]:
    """All are connected, and talk within the block."""
    tasks = [asyncio.create_task(talker.run()) for talker in talkers]
    try:
        await until(lambda: _all(talker.joins for talker in talkers), "all have joined", 60)
        for talker in talkers:
            talker.speak()
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _all(values: Any) -> bool:
    return all(values)


async def heard_more(talkers: list[Talker], count: int, what: str, seconds: float = 60.0) -> None:
    """Until each has heard so many more frames of every other one."""
    before = {one: {other: len(one.heard[other.number]) for other in talkers} for one in talkers}

    async def more() -> bool:
        return all(
            len(one.heard[other.number]) >= before[one][other] + count
            for one in talkers for other in talkers if other is not one
        )  # fmt: skip

    await until(more, f"all hear all others {what}", seconds)
