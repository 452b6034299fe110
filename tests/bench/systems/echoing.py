"""The floor of a relay: a bare grpc.aio server that sends each frame back, as often as a relay would pass it on."""

from __future__ import annotations

import sys
from typing import Any

import grpc
import grpc.aio
import uvloop

from push.relay.core.limits import RelayLimits
from push.relay.options import options


async def serve(port: int, copies: int) -> None:
    """Until it is killed."""

    async def connect(_: Any, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        await context.send_initial_metadata(())
        while (frame := await context.read()) is not grpc.aio.EOF:
            for _ in range(copies):
                await context.write(frame)

    method: grpc.RpcMethodHandler[bytes, bytes] = grpc.stream_stream_rpc_method_handler(connect)
    server = grpc.aio.server(options=tuple(options(RelayLimits()).items()))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("ChatService", {"Connect": method}),))
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), int(sys.argv[2])))
