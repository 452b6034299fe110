"""The two real SDKs behind one face: npm ``centrifuge`` under node, and PyPI ``centrifuge-python`` in this process."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Protocol

import pytest
from centrifuge import (
    Client,
    ClientEventHandler,
    ConnectedContext,
    ConnectingContext,
    DisconnectedContext,
    ReplyError,
    ServerPublicationContext,
    ServerSubscribedContext,
)

FOLDER = Path(__file__).parent / "sdk"


class Sdk(Protocol):
    """A connected client; ``events`` grows. Event kinds: connected, connecting, disconnected, subscribed, pub; asked
    for each token that the SDK wants from the app (option ``renewals``)."""

    events: list[dict[str, Any]]

    async def rpc(self, method: str, data: Any) -> dict[str, Any]:
        """``{"data": ...}`` or ``{"error": {"code", "message"}}``."""
        ...

    async def stop(self) -> None: ...


def of(sdk: Sdk, kind: str) -> list[dict[str, Any]]:
    """The events of one kind."""
    return [event for event in sdk.events if event["e"] == kind]


def texts(sdk: Sdk) -> list[str]:
    """The texts of the deltas that came, in order."""
    return [event["data"]["data"]["text"].strip() for event in of(sdk, "pub") if event["data"]["type"] != "snapshot"]


def node_modules() -> None:
    """Install the JavaScript SDK beside its test when it is missing; skip where there is no node, but not in CI."""
    if (FOLDER / "node_modules" / "centrifuge").is_dir():
        return
    problem = ""
    if shutil.which("node") is None or shutil.which("npm") is None:
        problem = "the JavaScript SDK needs node and npm: install them to run this test"
    else:
        arguments = ["npm", "install", "--no-save", "--no-package-lock", "--no-audit", "--no-fund"]
        done = subprocess.run(arguments, cwd=FOLDER, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode:
            problem = f"npm install failed: {done.stderr[-500:]}"
    if problem:
        if os.environ.get("CI") == "true":
            pytest.fail(problem)
        pytest.skip(problem)


class JavaScript:
    """The npm SDK in a node process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.events: list[dict[str, Any]] = []
        self._process = process
        self._reader = asyncio.create_task(self._read())
        self._calls = 0

    @classmethod
    async def start(cls, url: str, token: str, **options: Any) -> JavaScript:
        node_modules()
        process = await asyncio.create_subprocess_exec(
            "node",
            "client.mjs",
            json.dumps({"url": url, "token": token, **options}),
            cwd=FOLDER,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=1 << 24,
        )
        return cls(process)

    async def _read(self) -> None:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            self.events.append(json.loads(line))

    async def _do(self, **command: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        await self._process.stdin.drain()

    async def rpc(self, method: str, data: Any) -> dict[str, Any]:
        self._calls += 1
        await self._do(do="rpc", id=self._calls, method=method, data=data)
        deadline = asyncio.get_running_loop().time() + 10
        while True:
            for event in of(self, "rpc"):
                if event["id"] == self._calls:
                    return event
            assert asyncio.get_running_loop().time() < deadline, "no answer to the rpc"
            await asyncio.sleep(0.01)

    async def stop(self) -> None:
        if self._process.returncode is None:
            await self._do(do="stop")
            await self._process.wait()
        await self._reader


def _read(data: Any) -> Any:
    """What the server said: over protobuf the Python SDK leaves JSON to the app."""
    return json.loads(data) if isinstance(data, bytes) else data


class _Handler(ClientEventHandler):  # type: ignore[misc]  # the SDK has no type information
    def __init__(self, events: list[dict[str, Any]]) -> None:
        self._events = events

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

    async def on_publication(self, ctx: ServerPublicationContext) -> None:
        self._events.append({"e": "pub", "data": _read(ctx.pub.data), "offset": ctx.pub.offset})


class Python:
    """The PyPI SDK."""

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
        await client.connect()
        return cls(client, events)

    async def rpc(self, method: str, data: Any) -> dict[str, Any]:
        try:
            sent = json.dumps(data).encode() if self.protobuf else data
            return {"data": _read((await self._client.rpc(method, sent)).data)}
        except ReplyError as error:
            return {"error": {"code": error.code, "message": error.message}}

    async def stop(self) -> None:
        await self._client.disconnect()


class PythonProtobuf(Python):
    """The same over protobuf."""

    protobuf = True
