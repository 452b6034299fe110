"""Apps of both clients behind one face: the Python one in this process, the TypeScript one in a process of its own."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Sequence
from typing import Any, Protocol, Self

from klatsch_client import Change, KlatschClient, Problem, RoomEntry, State, Unanswered
from tests import fold
from tests.clients.building import SDK, built
from tests.running import PATIENCE, until

Json = dict[str, Any]


class App(Protocol):
    """A client that was told to connect; ``events`` grows: ``e`` is what has changed, or ``asked`` (for a token), and
    ``connected`` or ``refused``, one of which it has when it is given out."""

    events: list[Json]

    @classmethod
    async def start(cls, url: str, tokens: Sequence[str | None], state: Any = None) -> Self:
        """``tokens``: each is given once, the last one from then on. ``state``: of an earlier app of this kind."""
        ...

    async def rpc(self, method: str, **params: Any) -> Json:
        """``{"data": ...}``, ``{"problem": ...}`` or ``{"unanswered": ...}``."""
        ...

    async def members(self, room: str) -> None:
        """Holds the members of a room from now on."""
        ...

    async def saved(self) -> Any:
        """The state, as it may be stored; None: there is none yet."""
        ...

    async def stop(self) -> None: ...


def of(app: App, what: str) -> list[Json]:
    """The events of one kind."""
    return [event for event in app.events if event["e"] == what]


def online(app: App) -> int:
    """How often it has come online."""
    return sum(event["status"] == "online" for event in of(app, "status"))


async def _decided(app: App) -> None:
    async def decided() -> list[Json]:
        return of(app, "connected") + of(app, "refused")

    await until(decided, "connected or refused")


async def folded(app: App) -> fold.State:
    """The state, as the tests' own fold has it."""
    saved = await app.saved()
    rooms = {
        id: {**{name: entry[name] for name in ("room", "member", "peer")}, "message": (entry["messages"] or [None])[-1]}
        for id, entry in saved["rooms"].items()
    }
    same = ("me", "users", "relationships", "invitations", "vector", "cursor", "epoch", "next")
    friend_of = saved["friend_of"] if "friend_of" in saved else saved["friendOf"]
    return fold.State(**{name: saved[name] for name in same}, rooms=rooms, friend_of=friend_of)


class PythonApp:
    def __init__(self, client: KlatschClient, events: list[Json]) -> None:
        self.events = events
        self.client = client
        self._connecting: asyncio.Task[None] | None = None

    @classmethod
    async def start(cls, url: str, tokens: Sequence[str | None], state: Any = None) -> Self:
        events: list[Json] = []
        left = list(tokens)

        async def get_token() -> str | None:
            events.append({"e": "asked"})
            return left.pop(0) if len(left) > 1 else left[0]

        def listen(change: Change) -> None:
            said = {name: value for name, value in vars(change).items() if value is not None}
            events.append({"e": change.what, **said})

        client = KlatschClient(url, get_token, state=None if state is None else _loaded(state))
        client.watch(listen)
        app = cls(client, events)
        app._connecting = asyncio.create_task(app._connect())
        await _decided(app)
        return app

    async def _connect(self) -> None:
        try:
            await self.client.connect()
            # Who is online already is told so at once.
            await self.client.connect()
            self.events.append({"e": "connected"})
        except Unanswered as error:
            self.events.append({"e": "refused", "text": str(error)})

    async def rpc(self, method: str, **params: Any) -> Json:
        group, _, verb = method.partition(".")
        try:
            return {"data": await getattr(getattr(self.client.rpc, group), verb)(**params)}
        except Problem as problem:
            names = ("type", "code", "status", "title", "detail", "retry_after")
            return {"problem": {name: getattr(problem, name) for name in names}}
        except Unanswered as error:
            return {"unanswered": {"method": error.method, "key": error.key}}

    async def members(self, room: str) -> None:
        await self.client.members(room)

    async def saved(self) -> Any:
        return None if self.client.state is None else dataclasses.asdict(self.client.state)

    async def stop(self) -> None:
        await self.client.close()
        assert self._connecting is not None
        self._connecting.cancel()
        await asyncio.gather(self._connecting, return_exceptions=True)


def _loaded(saved: Json) -> State:
    return State(**{**saved, "rooms": {id: RoomEntry(**entry) for id, entry in saved["rooms"].items()}})


class TypeScriptApp:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.events: list[Json] = []
        self._process = process
        self._reader = asyncio.create_task(self._read())
        self._calls = 0

    @classmethod
    async def start(cls, url: str, tokens: Sequence[str | None], state: Any = None) -> Self:
        await asyncio.to_thread(built)
        options = json.dumps({"url": url, "tokens": list(tokens), "state": state})
        pipe = asyncio.subprocess.PIPE
        app = cls(
            await asyncio.create_subprocess_exec(
                "node", "app.mjs", options, cwd=SDK, stdin=pipe, stdout=pipe, limit=1 << 24
            )
        )
        await _decided(app)
        return app

    async def _read(self) -> None:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            self.events.append(json.loads(line))

    async def _do(self, **command: Any) -> Json:
        self._calls += 1
        call = self._calls
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"id": call, **command}).encode() + b"\n")
        await self._process.stdin.drain()

        async def answered() -> list[Json]:
            return [event for event in of(self, "done") if event["id"] == call]

        found: list[Json] = await until(answered, f"an answer to {command}", PATIENCE)
        return {name: value for name, value in found[0].items() if name not in ("e", "id")}

    async def rpc(self, method: str, **params: Any) -> Json:
        return await self._do(do="rpc", method=method, data=params)

    async def members(self, room: str) -> None:
        await self._do(do="members", room=room)

    async def saved(self) -> Any:
        return (await self._do(do="state"))["data"]

    async def stop(self) -> None:
        if self._process.returncode is None:
            assert self._process.stdin is not None
            self._process.stdin.write(b'{"do": "stop"}\n')
            await self._process.stdin.drain()
            await self._process.wait()
        await self._reader
