"""The server of the floors: a WebSocket server that knows people, rooms and frames, and nothing of chat.

``python -m tests.bench.systems.bare PORT [KAFKA PREFIX]``. Without Kafka a message goes straight to its room
("sockets"); with it, it goes through the log and the feed first, as Klatsch's do: append, consume, produce, consume
("chain"). The frames are as long as Klatsch's, and stored is nothing but what Kafka stores.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import sys
from collections.abc import Awaitable, Callable
from typing import Any, cast

import msgspec
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from infra.base.kafka_access import aiokafka_options
from infra.base.settings import load

PARTITIONS = 8
#: A delta and an acknowledgement of Klatsch, with what varies left out.
_DELTA = (
    b'{"id":"01a1fd14-acd3-7f37-a67a-c8ae881dcfb4.0","type":"message.posted","position":"rooms/2/4",'
    b'"stream":"01a1fd14-acb4-7444-ae42-b193628ace0f","time":"2026-11-21T07:49:13.043Z",'
    b'"actor":"f1152ed8-9bdd-4298-84c8-60a055084e62","data":{"message":"01a1fd14-acd3-7f37-a67a-c8ae881dcfb4",'
    b'"seq":1,"token":"MR6I06nhwb-8-1","type":"text","content":{"text":%s},"data":{}}}'
)
_ANSWER = (
    b'{"id":%d,"rpc":{"data":{"message":{"id":"01a1fd14-acd3-7f37-a67a-c8ae881dcfb4",'
    b'"room":"01a1fd14-acb4-7444-ae42-b193628ace0f","seq":1,"author":"f1152ed8-9bdd-4298-84c8-60a055084e62",'
    b'"token":"MR6I06nhwb-8-1","type":"text","content":{"text":%s},"data":{},"created":"2026-11-21T07:49:13.043Z",'
    b'"updated":"2026-11-21T07:49:13.043Z","edited":null,"deleted":null,"revision":0,"version":4},'
    b'"position":"rooms/2/5"}}}'
)
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Rpc(msgspec.Struct):
    method: str
    data: dict[str, Any]


class Connect(msgspec.Struct):
    token: str


class Command(msgspec.Struct):
    id: int = 0
    connect: Connect | None = None
    rpc: Rpc | None = None


_decode = msgspec.json.Decoder(Command).decode
_encode = msgspec.json.encode


class Rooms:
    """Who is in which room, and who is connected."""

    def __init__(self) -> None:
        self.members: dict[str, list[str]] = {}
        self.connections: dict[str, Connection] = {}

    def deliver(self, room: str, delta: bytes) -> None:
        """A frame to each connected member."""
        body = b'%s,"offset":16384}}}' % delta
        connections = self.connections
        for member in self.members[room]:
            connection = connections.get(member)
            if connection is not None:
                connection.write(connection.prefix + body)


class Connection(asyncio.Protocol):
    """One client: handshake, frames, and the three commands ``connect``, ``rooms.create``, ``messages.send``."""

    def __init__(self, rooms: Rooms, post: Callable[[str, bytes], Awaitable[None]] | None) -> None:
        self.prefix = b""
        self._rooms = rooms
        self._post = post
        self._user = ""
        self._rest = b""
        self._upgraded = False
        self._tasks: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._rooms.connections.pop(self._user, None)

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        if not self._upgraded:
            head, found, data = data.partition(b"\r\n\r\n")
            if not found:
                self._rest = head
                return
            self._upgrade(head)
        begin, end = 0, len(data)
        while end - begin >= 6:
            size, body = data[begin + 1] & 0x7F, begin + 2
            if size > 125:
                body = begin + (4 if size == 126 else 10)
                size = int.from_bytes(data[begin + 2 : body])
            stop = body + 4 + size
            if stop > end:
                break
            if data[begin] & 0x0F == 1:
                self._take(_unmasked(data[body : body + 4], data[body + 4 : stop]))
            begin = stop
        self._rest = data[begin:]

    def _upgrade(self, head: bytes) -> None:
        key = head.partition(b"Sec-WebSocket-Key: ")[2].partition(b"\r\n")[0]
        accept = base64.b64encode(hashlib.sha1(key + _GUID).digest())
        self._transport.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )
        self._upgraded = True

    def write(self, payload: bytes) -> None:
        """One text frame."""
        size = len(payload)
        head = (b"\x81" + size.to_bytes(1)) if size < 126 else (b"\x81\x7e" + size.to_bytes(2))
        self._transport.write(head + payload)

    def _take(self, payload: bytes) -> None:
        command = _decode(payload)
        if command.connect is not None:
            self._user = command.connect.token
            self._rooms.connections[self._user] = self
            self.prefix = b'{"push":{"channel":"user:%s","pub":{"data":' % self._user.encode()
            self.write(b'{"id":%d,"connect":{}}' % command.id)
        elif command.rpc is not None and command.rpc.method == "rooms.create":
            self._rooms.members[command.rpc.data["room"]] = command.rpc.data["members"]
            self.write(b'{"id":%d,"rpc":{}}' % command.id)
        elif command.rpc is not None:
            self._send(command.id, command.rpc.data["room"], _encode(command.rpc.data["content"]["text"]))

    def _send(self, id: int, room: str, text: bytes) -> None:
        if self._post is None:
            self._rooms.deliver(room, _DELTA % text)
            self.write(_ANSWER % (id, text))
            return
        task = asyncio.create_task(self._appended(id, self._post(room, _DELTA % text), text))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _appended(self, id: int, append: Awaitable[None], text: bytes) -> None:
        await append
        self.write(_ANSWER % (id, text))


def _unmasked(mask: bytes, data: bytes) -> bytes:
    if mask == b"\0\0\0\0":
        return data
    key = (mask * (len(data) // 4 + 1))[: len(data)]
    return (int.from_bytes(data) ^ int.from_bytes(key)).to_bytes(len(data))


class Chain:
    """The way of a message through Kafka without anything that chat needs."""

    def __init__(self, prefix: str, rooms: Rooms) -> None:
        self._log, self._feed = f"{prefix}.log", f"{prefix}.feed"
        self._rooms = rooms
        # Into the Kafka of the environment.
        access = aiokafka_options(load())
        self._producer = AIOKafkaProducer(**access, acks="all", linger_ms=0)
        self._consumers = [
            AIOKafkaConsumer(**access, enable_auto_commit=False, fetch_max_wait_ms=500) for _ in range(2)
        ]

    async def start(self) -> list[asyncio.Task[None]]:
        """Both topics must be there; the two loops."""
        await self._producer.start()
        for consumer, topic in zip(self._consumers, (self._log, self._feed), strict=True):
            await consumer.start()
            places = [TopicPartition(topic, number) for number in range(PARTITIONS)]
            consumer.assign(places)
            await consumer.seek_to_end(*places)
        return [asyncio.create_task(self._project()), asyncio.create_task(self._push())]

    async def append(self, room: str, delta: bytes) -> None:
        """Into the log; returns when it is acknowledged."""
        await self._producer.send_and_wait(self._log, delta, room.encode(), partition=hash(room) % PARTITIONS)

    async def _project(self) -> None:
        while True:
            for place, records in (await self._consumers[0].getmany(timeout_ms=500)).items():
                for record in records:
                    await self._producer.send(self._feed, record.value, record.key, partition=place.partition)

    async def _push(self) -> None:
        while True:
            for records in (await self._consumers[1].getmany(timeout_ms=500)).values():
                for record in records:
                    self._rooms.deliver(record.key.decode(), record.value)


async def serve(port: int, prefix: str = "") -> None:
    """Until it is ended, or a loop fails."""
    rooms, tasks, chain = Rooms(), [], None
    if prefix:
        chain = Chain(prefix, rooms)
        tasks = await chain.start()
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(rooms, chain.append if chain else None), "127.0.0.1", port, backlog=2048
    )
    await asyncio.gather(server.serve_forever(), *tasks)


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), *sys.argv[2:]))
