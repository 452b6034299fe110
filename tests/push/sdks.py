"""The unmodified SDKs behind one face: PyPI ``centrifuge-python`` in this process, others in processes of their own."""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from typing import Any, Protocol, Self

from centrifuge import (
    Client,
    ClientEventHandler,
    ConnectedContext,
    ConnectingContext,
    DisconnectedContext,
    PublicationContext,
    ReplyError,
    ServerPublicationContext,
    ServerSubscribedContext,
    StreamPosition,
    SubscribedContext,
    SubscriptionEventHandler,
)

from tests.push import drivers
from tests.push.drivers import SDK


class Sdk(Protocol):
    """A connected client; ``events`` grows. Event kinds: connected, connecting, disconnected, subscribed, pub; asked
    for each token that the SDK wants from the app (option ``renewals``), state for each place (``states``)."""

    events: list[dict[str, Any]]

    async def rpc(self, method: str, data: Any) -> dict[str, Any]:
        """``{"data": ...}`` or ``{"error": {"code", "message"}}``."""
        ...

    async def read(self, channel: str) -> dict[str, Any]:
        """What presence (``clients``), presence_stats and history (of ten: the texts) say of a channel."""
        ...

    async def connect(self) -> None:
        """Once more, after a final disconnect."""
        ...

    async def stop(self) -> None: ...


def of(sdk: Sdk, kind: str) -> list[dict[str, Any]]:
    """The events of one kind."""
    return [event for event in sdk.events if event["e"] == kind]


def texts(sdk: Sdk) -> list[str]:
    """The texts of the deltas that came, in order."""
    return [
        event["data"]["data"]["text"].strip()
        for event in of(sdk, "pub")
        if event["data"].get("type", "snapshot") != "snapshot"
    ]


class Driven(ABC):
    """An SDK in a process of its own: commands as JSON lines, what happens as JSON lines."""

    name = ""
    protobuf = False

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.events: list[dict[str, Any]] = []
        self._process = process
        self._reader = asyncio.create_task(self._read())
        self._calls = 0

    @classmethod
    @abstractmethod
    def command(cls) -> list[str]:
        """What starts it, in the folder of the JavaScript SDK."""

    @classmethod
    async def start(cls, url: str, token: str, **options: Any) -> Self:
        asked = {"url": url, "token": token, "protobuf": cls.protobuf, **options}
        process = await asyncio.create_subprocess_exec(
            *await asyncio.to_thread(cls.command),
            json.dumps(asked),
            cwd=SDK,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=1 << 24,
        )
        return cls(process)

    async def _read(self) -> None:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            self.events.append(json.loads(line))

    async def _write(self, **command: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        await self._process.stdin.drain()

    async def _do(self, **command: Any) -> dict[str, Any]:
        self._calls += 1
        call = self._calls
        await self._write(id=call, **command)
        deadline = asyncio.get_running_loop().time() + 20
        while True:
            for event in of(self, "rpc"):
                if event["id"] == call:
                    return event
            assert asyncio.get_running_loop().time() < deadline, f"no answer to {command}"
            await asyncio.sleep(0.01)

    async def rpc(self, method: str, data: Any) -> dict[str, Any]:
        return await self._do(do="rpc", method=method, data=data)

    async def read(self, channel: str) -> dict[str, Any]:
        found: dict[str, Any] = (await self._do(do="read", channel=channel))["data"]
        return found

    async def send(self, data: Any) -> None:
        await self._do(do="send", data=data)

    async def connect(self) -> None:
        await self._do(do="connect")

    async def stop(self) -> None:
        if self._process.returncode is None:
            await self._write(do="stop")
            await self._process.wait()
        await self._reader


class JavaScript(Driven):
    """npm ``centrifuge`` under node."""

    name = "javascript"

    @classmethod
    def command(cls) -> list[str]:
        return drivers.javascript()


class JavaScriptProtobuf(JavaScript):
    """Its protobuf build."""

    name = "javascript-protobuf"
    protobuf = True


class Go(Driven):
    """The Go module ``centrifuge-go``."""

    name = "go"

    @classmethod
    def command(cls) -> list[str]:
        return drivers.go()


class GoProtobuf(Go):
    """Its protobuf client."""

    name = "go-protobuf"
    protobuf = True


class Java(Driven):
    """Maven's ``centrifuge-java``, which speaks nothing but protobuf."""

    name = "java-protobuf"
    protobuf = True

    @classmethod
    def command(cls) -> list[str]:
        return drivers.java()


def _read(data: Any) -> Any:
    """What the server said: over protobuf the Python SDK leaves JSON to the app."""
    return json.loads(data) if isinstance(data, bytes) else data


class _Publications:
    """What both handlers of the SDK do alike."""

    def __init__(self, events: list[dict[str, Any]]) -> None:
        self._events = events

    async def on_publication(self, ctx: ServerPublicationContext | PublicationContext) -> None:
        self._events.append({"e": "pub", "data": _read(ctx.pub.data), "offset": ctx.pub.offset})


class _Handler(_Publications, ClientEventHandler):  # type: ignore[misc]  # the SDK has no type information
    async def on_connecting(self, ctx: ConnectingContext) -> None:
        self._events.append({"e": "connecting", "code": ctx.code})

    async def on_connected(self, ctx: ConnectedContext) -> None:
        self._events.append({"e": "connected", "data": _read(ctx.data)})

    async def on_disconnected(self, ctx: DisconnectedContext) -> None:
        self._events.append({"e": "disconnected", "code": ctx.code, "reason": ctx.reason})

    async def on_subscribed(self, ctx: ServerSubscribedContext) -> None:
        place = ctx.stream_position
        self._events.append(
            {
                "e": "subscribed",
                "recovering": ctx.was_recovering,
                "recovered": ctx.recovered,
                "offset": place.offset,
                "epoch": place.epoch,
            }
        )


class _SubscriptionHandler(_Publications, SubscriptionEventHandler):  # type: ignore[misc]  # as above
    async def on_subscribed(self, ctx: SubscribedContext) -> None:
        self._events.append({"e": "subscribed", "recovering": ctx.was_recovering, "recovered": ctx.recovered})


class Python:
    """The PyPI SDK."""

    name = "python"
    protobuf = False

    def __init__(self, client: Client, events: list[dict[str, Any]]) -> None:
        self.events = events
        self._client = client

    @classmethod
    async def start(cls, url: str, token: str, **options: Any) -> Python:
        data = options.get("data")
        events: list[dict[str, Any]] = []
        renewals = list(options.get("renewals", ()))

        async def renewal() -> str:
            events.append({"e": "asked"})
            return str(renewals.pop(0) if len(renewals) > 1 else renewals[0])

        client = Client(
            url,
            events=_Handler(events),
            token=token,
            get_token=renewal if renewals else None,
            data=json.dumps(data).encode() if cls.protobuf and data is not None else data,
            use_protobuf=cls.protobuf,
            min_reconnect_delay=0.05,
            max_reconnect_delay=0.3,
        )
        if channel := options.get("subscribe"):
            states = [StreamPosition(**state) for state in options["states"]]

            async def state(channel: str) -> StreamPosition:
                events.append({"e": "state"})
                return states.pop(0) if len(states) > 1 else states[0]

            subscription = client.new_subscription(
                channel, events=_SubscriptionHandler(events), get_state=state, min_resubscribe_delay=0.05
            )
            await subscription.subscribe()
        await client.connect()
        return cls(client, events)

    async def rpc(self, method: str, data: Any) -> dict[str, Any]:
        try:
            sent = json.dumps(data).encode() if self.protobuf else data
            return {"data": _read((await self._client.rpc(method, sent)).data)}
        except ReplyError as error:
            return {"error": {"code": error.code, "message": error.message}}

    async def read(self, channel: str) -> dict[str, Any]:
        presence = await self._client.presence(channel)
        stats = await self._client.presence_stats(channel)
        history = await self._client.history(channel, limit=10)
        texts = [_read(publication.data)["data"]["text"] for publication in history.publications]
        counts = {"numClients": stats.num_clients, "numUsers": stats.num_users}
        return {"clients": len(presence.clients), **counts, "history": texts}

    async def connect(self) -> None:
        await self._client.connect()

    async def stop(self) -> None:
        await self._client.disconnect()


class PythonProtobuf(Python):
    """The same over protobuf."""

    name = "python-protobuf"
    protobuf = True
