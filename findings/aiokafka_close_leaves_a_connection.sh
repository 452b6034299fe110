#!/usr/bin/env bash
# aiokafka 0.14.0: a client that was closed may have an open connection, and nobody closes it.
#
# `AIOKafkaClient.close` closes the connections that it has, and forgets one that is just being made: when that is there, it
# is kept with the closed ones, its task reads on, and the broker has a connection of a client that is gone. A consumer or
# producer that is stopped on a busy machine leaves one behind now and then; Python says "Unclosed AIOKafkaConnection" when
# the garbage collector finds it, much later. Seen: `close()` has returned, and connected is True. The broker is a few
# lines that answer which versions they know and who they are.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet aiokafka==0.14.0
cd "$folder"
cat > seen.py <<'PY'
import asyncio
import struct

from aiokafka.client import AIOKafkaClient, ConnectionGroup

API_VERSIONS, METADATA = 18, 3


async def main() -> None:
    late = asyncio.Event()
    connections = 0

    async def broker(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        number = connections
        while True:
            try:
                (size,) = struct.unpack(">i", await reader.readexactly(4))
            except asyncio.IncompleteReadError:
                writer.close()
                return
            key, _version, correlation = struct.unpack_from(">hhi", await reader.readexactly(size))
            if key == API_VERSIONS:
                if number > 1:
                    await late.wait()
                # No error; two keys, each known in version 0 alone.
                body = struct.pack(">hi", 0, 2) + struct.pack(">hhh", METADATA, 0, 0) + struct.pack(">hhh", API_VERSIONS, 0, 0)
            else:
                # One broker, this one, and no topics.
                body = struct.pack(">iih9si", 1, 1, 9, b"127.0.0.1", port) + struct.pack(">i", 0)
            writer.write(struct.pack(">ii", len(body) + 4, correlation) + body)

    server = await asyncio.start_server(broker, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    client = AIOKafkaClient(bootstrap_servers=f"127.0.0.1:{port}")
    await client.bootstrap()
    connecting = asyncio.create_task(client.ready(1, group=ConnectionGroup.COORDINATION))
    while connections < 2:
        await asyncio.sleep(0.01)
    await client.close()
    late.set()
    await connecting
    left = [connection.connected() for connection in client._conns.values()]
    print(f"close() has returned; the connections of the client that are open: {left.count(True)}")
    assert left.count(True) == 1, "changed"
    for connection in client._conns.values():
        connection.close()
    server.close()
    await asyncio.sleep(0.1)


asyncio.run(main())
PY
"$folder/venv/bin/python" -W ignore seen.py
