"""The server of the baseline ``starlette``: ``python -m tests.bench.systems.plain PORT DSN SCHEMA``.

Written as such servers are written, with libraries as they come; it speaks the same frames as the others.
"""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from infra.base.postgres import Pool

_TABLE = """
create schema "{schema}";
create table "{schema}".messages (
    id bigint generated always as identity primary key,
    room text not null,
    author text not null,
    token text not null,
    text text not null,
    created timestamptz not null default now(),
    unique (room, token)
)"""
_INSERT = 'insert into "{schema}".messages (room, author, token, text) values ($1, $2, $3, $4) returning id, created'


class Chat:
    """Rooms, connections, and one pool."""

    def __init__(self, dsn: str, schema: str) -> None:
        self._dsn = dsn
        self._schema = schema
        self.rooms: dict[str, list[str]] = {}
        self.connections: dict[str, WebSocket] = {}
        self._pool: Pool

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        async with asyncpg.create_pool(self._dsn, min_size=10, max_size=10) as self._pool:
            await self._pool.execute(_TABLE.format(schema=self._schema))
            yield

    async def post(self, author: str, room: str, data: dict[str, Any]) -> dict[str, Any]:
        """Stores a message and sends it to who is there."""
        text = data["content"]["text"]
        [row] = await self._pool.fetch(_INSERT.format(schema=self._schema), room, author, data["token"], text)
        message = {
            "id": row["id"], "room": room, "author": author, "token": data["token"], "type": "text",
            "content": {"text": text}, "created": row["created"].isoformat(),
        }  # fmt: skip
        frame = json.dumps({"push": {"channel": f"room:{room}", "pub": {"data": message}}}, separators=(",", ":"))
        for member in self.rooms[room]:
            connection = self.connections.get(member)
            if connection is not None:
                await connection.send_text(frame)
        return message

    async def connected(self, socket: WebSocket) -> None:
        """One client until it leaves."""
        await socket.accept()
        user = ""
        try:
            while True:
                command = json.loads(await socket.receive_text())
                if "connect" in command:
                    user = command["connect"]["token"]
                    self.connections[user] = socket
                    await _answer(socket, {"id": command["id"], "connect": {}})
                elif command["rpc"]["method"] == "rooms.create":
                    self.rooms[command["rpc"]["data"]["room"]] = command["rpc"]["data"]["members"]
                    await _answer(socket, {"id": command["id"], "rpc": {}})
                else:
                    data = command["rpc"]["data"]
                    message = await self.post(user, data["room"], data)
                    await _answer(socket, {"id": command["id"], "rpc": {"data": {"message": message}}})
        except WebSocketDisconnect:
            self.connections.pop(user, None)

    async def posted(self, request: Request) -> JSONResponse:
        """The same over HTTP."""
        author = request.headers["authorization"].removeprefix("Bearer ")
        return JSONResponse({"message": await self.post(author, request.path_params["room"], await request.json())})


async def _answer(socket: WebSocket, value: dict[str, Any]) -> None:
    await socket.send_text(json.dumps(value, separators=(",", ":")))


def main() -> None:
    """Serves until it is ended."""
    chat = Chat(sys.argv[2], sys.argv[3])
    app = Starlette(
        lifespan=chat.lifespan,
        routes=[
            WebSocketRoute("/v1/connection", chat.connected),
            Route("/v1/rooms/{room}/messages", chat.posted, methods=["POST"]),
        ],
    )
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
