"""Socket.IO with an INSERT into Postgres for each message: runs where Node is, and its packages are installed."""

from __future__ import annotations

import asyncio
import secrets
import shutil
from asyncio import Future
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import msgspec

from infra.ops.supervisor.parts import ROOT
from tests.bench.client import Heard, Reply, WebSocket, fail, opened
from tests.bench.system import NotHere, Person, Sender
from tests.bench.systems.inserting import Inserting

#: Its server and package.json; no Python.
_FOLDER = Path(__file__).parent / "socket.io"


class Client(WebSocket):
    """Just enough of Engine.IO 4 and Socket.IO 5: connect, emit with acknowledgement, events, pings."""

    def __init__(self, host: str, user: str, heard: Heard) -> None:
        super().__init__(host, "/socket.io/?EIO=4&transport=websocket")
        self._user = user
        self._heard = heard
        self._id = 0
        self._waiting: dict[int, Future[Reply]] = {}

    def emit(self, *event: Any) -> Future[Reply]:
        """An event; the future has its acknowledgement."""
        self._id += 1
        future = self._waiting[self._id] = asyncio.get_running_loop().create_future()
        self.text(b"42%d%s" % (self._id, msgspec.json.encode(event)))
        return future

    def send(self, room: str, text: str) -> Future[Reply]:
        """See system.Sender."""
        return self.emit("send", {"room": room, "text": text})

    def upgraded(self) -> None:
        """The server speaks first."""

    def took(self, payload: bytes) -> None:
        kind = payload[:2]
        if kind == b"42":
            self._heard(payload)
        elif kind == b"43":
            bracket = payload.index(b"[")
            self._waiting.pop(int(payload[2:bracket])).set_result(Reply(perf_counter(), payload[bracket:]))
        elif kind == b"2":
            self.text(b"3")
        elif kind[:1] == b"0":
            self.text(b"40" + msgspec.json.encode({"user": self._user}))
        elif kind == b"40":
            self.connected.set_result(None)

    def lost(self, why: str) -> None:
        for future in self._waiting.values():
            fail(future, ConnectionError(why))


class SocketIO(Inserting):
    """Socket.IO as its documentation starts it, and node-postgres."""

    name = "socketio"
    about = "baseline: Socket.IO on Node, INSERT with node-postgres (a commit a message), emit to the room"

    async def command(self) -> Sequence[str | Path]:
        node = shutil.which("node")
        if node is None:
            raise NotHere("socketio: expected node on the PATH, found none")
        if not (_FOLDER / "node_modules").is_dir():
            where = _FOLDER.relative_to(ROOT)
            raise NotHere(f"socketio: expected its packages; run 'npm install --prefix {where} --no-save'")
        return [node, _FOLDER / "server.js", str(self.port), await self._stores.postgres(), self._schema]

    async def room(self, members: Sequence[Person]) -> str:
        room = secrets.token_hex(18)
        maker = await self._client(secrets.token_hex(18), lambda _: None)
        await maker.emit("create", {"room": room, "members": [person.id for person in members]})
        maker.close()
        return room

    async def connect(self, person: Person, heard: Heard) -> Sender:
        return await self._client(person.id, heard)

    async def _client(self, user: str, heard: Heard) -> Client:
        return await opened(lambda: Client(f"{self.host}:{self.port}", user, heard), self.host, self.port)
