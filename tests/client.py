"""A client of a running installation as the tests need it: every operation over HTTP or RPC, by its name."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from socket import socket as plain_socket
from typing import Any, Literal, NamedTuple

import aiohttp
import msgspec
import pytest

from api.registry import all_operations
from events.core.positions import Vector, encode_vector, parse_vector
from tests.running import PATIENCE

OPERATIONS = {operation.name: operation for operation in all_operations()}

Via = Literal["http", "rpc"]


class Refusal(Exception):
    """A problem document (RFC 9457). ``code`` is the last part of its type."""

    def __init__(self, problem: dict[str, Any]) -> None:
        super().__init__(f"{problem.get('status')} {problem}")
        self.problem = problem
        self.code = str(problem["type"]).removeprefix("urn:klatsch:problem:")
        self.status = int(problem["status"])

    @property
    def said(self) -> dict[str, Any]:
        """The document without the request's id: what of two refusals is compared."""
        return {name: value for name, value in self.problem.items() if name != "request_id"}


class Answer(NamedTuple):
    """An HTTP answer."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    def json(self) -> Any:
        return msgspec.json.decode(self.body) if self.body else {}

    def refusal(self) -> Refusal:
        """The problem that the answer is. Fails for an answer that is none."""
        assert self.headers["Content-Type"] == "application/problem+json", (self.status, self.body[:300])
        problem = self.json()
        assert problem["status"] == self.status and problem["title"] and problem["detail"], problem
        assert problem["request_id"] == self.headers["X-Request-Id"], problem
        return Refusal(problem)


class World:
    """One installation and what its people have done: their reads wait for everybody's writes."""

    def __init__(self, url: str, http: aiohttp.ClientSession) -> None:
        self.url = url
        self.http = http
        self.position: Vector = {}
        #: Whether the latest answer was one that its key had before.
        self.repeated = False
        self._sockets: list[Socket] = []

    async def request(
        self, method: str, path: str, *, token: str | None = None, body: bytes | None = None, params: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:  # fmt: skip
        """One HTTP request, as given."""
        sent = dict(headers or {})
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        async with self.http.request(method, self.url + path, data=body, params=params, headers=sent) as response:
            return Answer(response.status, await response.read(), response.headers)

    async def call(self, name: str, fields: dict[str, Any], *, token: str | None = None, key: str | None = None) -> Any:
        """An operation over HTTP; where read models are behind, it is tried again, as clients do. Raises Refusal."""
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while True:
            try:
                return await self._call(name, fields, token, key)
            except Refusal as refusal:
                # The server has waited for some seconds: a busy machine, unless it never gets there.
                if refusal.code != "lagging" or asyncio.get_running_loop().time() >= deadline:
                    raise

    async def _call(self, name: str, fields: dict[str, Any], token: str | None, key: str | None) -> Any:
        operation = OPERATIONS[name]
        path = operation.path.format_map(fields)
        rest = {field: value for field, value in fields.items() if field not in operation.path_parameters}
        headers = {} if key is None else {"Idempotency-Key": key}
        if self.position:
            headers["Klatsch-Position"] = encode_vector(self.position)
        if operation.method in ("GET", "DELETE"):
            params = {field: str(value) for field, value in rest.items()}
            answer = await self.request(operation.method, path, token=token, params=params, headers=headers)
        else:
            body = msgspec.json.encode(rest)
            answer = await self.request(operation.method, path, token=token, body=body, headers=headers)
        if answer.status != operation.status:
            raise answer.refusal()
        self.seen(answer.headers.get("Klatsch-Position", ""))
        self.repeated = answer.headers.get("Klatsch-Repeated") == "true"
        return answer.json()

    def seen(self, position: str) -> None:
        for shard, offset in parse_vector(position).items():
            self.position[shard] = max(offset, self.position.get(shard, 0))

    async def person(self, prefix: str = "user", /, *, via: Via = "http", **fields: Any) -> Person:
        """A newly registered person whose username begins with ``prefix``, whom everyone may add to rooms unless
        ``added_by`` says otherwise."""
        fields.setdefault("username", f"{prefix}-{secrets.token_hex(5)}")
        fields.setdefault("added_by", "everyone")
        return Person(self, await self.call("users.register", fields), via)

    async def log_in(self, who: Person, password: str) -> Person:
        """A further session of somebody, over HTTP. Raises Refusal."""
        return Person(self, await self.call("sessions.open", {"username": who.username, "password": password}), "http")

    async def enters(self, who: Person, password: str) -> bool:
        """Whether somebody is let in with a password."""
        try:
            await self.log_in(who, password)
        except Refusal as refusal:
            if refusal.code != "unauthenticated":
                raise
            return False
        return True

    async def socket(self, token: str, **connect: Any) -> Socket:
        """A push connection, closed with this world."""
        socket = Socket(await self.http.ws_connect(self.url + "/v1/connection", max_msg_size=1 << 24), self)
        self._sockets.append(socket)
        await socket.command("connect", {"token": token, **connect})
        return socket

    async def close(self) -> None:
        for socket in self._sockets:
            await socket.close()


class Hasty(World):
    """A client that never names a position, as most do: not where its own writes stand, nor those of others."""

    def seen(self, position: str) -> None:
        """Forgotten at once."""


class Person:
    """A registered user with a token."""

    def __init__(self, world: World, welcome: dict[str, Any], via: Via) -> None:
        self.world = world
        self.id: str = welcome["user"]["id"]
        self.username: str = welcome["user"]["username"]
        self.token: str = welcome["token"]
        self.via = via
        self._socket: Socket | None = None

    async def do(self, name: str, /, *, key: str | None = None, **fields: Any) -> Any:
        """An operation as this person. Raises Refusal."""
        if self.via == "http":
            return await self.world.call(name, fields, token=self.token, key=key)
        if self._socket is None:
            self._socket = await self.world.socket(self.token)
        return await self._socket.rpc(name, fields, key=key)

    async def snapshot(self) -> Any:
        """All pages of a snapshot as one, with what the first one says besides."""
        whole = await self.do("sync.get")
        more = whole["next"]
        while more is not None:
            page = await self.do("sync.get", cursor=more)
            for part in ("rooms", "invitations", "relationships", "friend_of"):
                whole[part] += page[part]
            known = {user["id"]: user for user in [*whole["users"], *page["users"]]}
            whole["users"], more = list(known.values()), page["next"]
        return {**whole, "next": None}

    async def refused(self, name: str, /, *, key: str | None = None, **fields: Any) -> str:
        """The code with which an operation is refused."""
        try:
            answer = await self.do(name, key=key, **fields)
        except Refusal as refusal:
            return refusal.code
        raise AssertionError(f"expected {name} to be refused, got {answer}")

    async def group(self, *others: Person, name: str = "Group", **fields: Any) -> str:
        """A new room with the others in it, public unless ``type`` says otherwise; its id."""
        members = [other.id for other in others]
        fields.setdefault("type", "public")
        made = await self.do("rooms.create", name=name, members=members, **fields)
        return str(made["room"]["id"])

    async def direct(self, other: Person) -> str:
        """The private chat with the other; its id."""
        return str((await self.do("rooms.create", type="direct", members=[other.id]))["room"]["id"])

    async def say(self, room: str, text: str = "hello", token: str | None = None) -> Any:
        """Sends a text; the message."""
        answer = await self.do(
            "messages.send", room=room, client_id=token or secrets.token_hex(8), type="text", content={"text": text}
        )
        return answer["message"]


class Socket:
    """A connection that speaks the Centrifuge protocol; ``pushed`` grows with each delta, ``signals`` likewise."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse, world: World) -> None:
        self.pushed: list[dict[str, Any]] = []
        self.signals: list[dict[str, Any]] = []
        self._ws = ws
        self._world = world
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._reader = asyncio.create_task(self._read())

    async def command(self, method: str, body: dict[str, Any]) -> dict[str, Any]:
        """The whole reply, which may be an error."""
        number = next(self._ids)
        reply = self._waiting[number] = asyncio.get_running_loop().create_future()
        await self._ws.send_str(msgspec.json.encode({"id": number, method: body}).decode())
        async with asyncio.timeout(20):
            found: dict[str, Any] = await reply
        return found

    async def rpc(self, method: str, fields: dict[str, Any], *, key: str | None = None) -> Any:
        """An operation. Raises Refusal."""
        data = dict(fields)
        if key is not None:
            data["idempotency_key"] = key
        if self._world.position:
            data["position"] = encode_vector(self._world.position)
        reply = await self.command("rpc", {"method": method, "data": data})
        if "error" in reply:
            raise Refusal(reply["error"].get("problem", reply))
        answer = reply["rpc"]["data"]
        self._world.seen(answer.pop("position", ""))
        self._world.repeated = answer.pop("repeated", False)
        return answer

    async def ended(self) -> int:
        """Waits until the server ends the connection; with what code."""
        async with asyncio.timeout(PATIENCE):
            await asyncio.shield(self._reader)
        return self._ws.close_code or 0

    async def close(self) -> None:
        await self._ws.close()
        await self._reader

    async def _read(self) -> None:
        async for message in self._ws:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            for line in message.data.splitlines():
                await self._take(msgspec.json.decode(line))
        for reply in self._waiting.values():
            if not reply.done():
                reply.set_exception(ConnectionError(f"closed with {self._ws.close_code}"))

    async def _take(self, frame: dict[str, Any]) -> None:
        if not frame:
            await self._ws.send_str("{}")
        elif "id" in frame:
            self._waiting.pop(frame["id"]).set_result(frame)
        elif "pub" in frame.get("push", {}):
            data = frame["push"]["pub"]["data"]
            (self.signals if "signal" in data else self.pushed).append(data)


@asynccontextmanager
async def visiting(url: str, local: str | None = None) -> AsyncIterator[World]:
    """A client of the installation at ``url``, which calls from a ``local`` address where one is given.

    Loopback has many addresses on Linux; the test is skipped where the one that it wants is none.
    """
    if local is not None:
        _bindable(local)
    # An idle connection is given up before the server closes it (uvicorn: 5 s), perhaps under the next request.
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=3, local_addr=None if local is None else (local, 0))
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60), connector=connector) as http:
        world = World(url, http)
        try:
            yield world
        finally:
            await world.close()


def _bindable(address: str) -> None:
    with plain_socket() as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            pytest.skip(f"{address} is no address of this machine")
