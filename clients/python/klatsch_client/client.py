"""A user's connection: calls with types, and the state that snapshot and deltas make.

The SDK reconnects, and asks for what was missed since its place; a place that is lost is answered with a snapshot.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from centrifuge import CentrifugeError, Client, ClientEventHandler, UnauthorizedError

from klatsch_client.contract import Delta, MembersListAnswer, MemberWithUser, Repeat, RoomMember, Rpc
from klatsch_client.fold import State, fold, from_snapshot, has, refold, take_members, take_page
from klatsch_client.problem import Problem, Unanswered, from_reply
from klatsch_client.signals import TYPING_SECONDS, Signal, TypingSignal, fold_signal, forget_signals

Status = Literal["connecting", "online", "ended"]

#: A place that no stream has: the server answers with a snapshot.
_NOWHERE = {"offset": 0, "epoch": ""}
#: Close code of a token that is void: another one helps, the same one does not.
_VOID = 3500
#: Pauses before a call is sent again, in seconds, and the longest for which a call waits because the server says so.
_PAUSES = (0.3, 1.0, 2.5, 5.0)
_LONGEST = 10.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Change:
    """What has changed: the state by a delta, a snapshot, a page (of it, or the members of a room), or a signal; or the
    connection."""

    what: Literal["delta", "snapshot", "page", "signal", "status"]
    delta: Delta | None = None
    signal: Signal | None = None
    status: Status | None = None


class _Sdk(Client):  # type: ignore[misc]  # the SDK has no type information
    """Passes on the problem document of a refusal, which the SDK leaves out."""

    @staticmethod
    def _check_reply_error(reply: dict[str, Any]) -> None:
        if error := reply.get("error"):
            raise from_reply(error)


class KlatschClient:
    """``url``: ``ws://host:port/v1/connection``, or ``wss://``.

    ``get_token`` gives a token of the user's session, a fresh one whenever it is asked; None when there is none any
    more. ``state``: what an earlier client held, to go on from there.
    """

    def __init__(self, url: str, get_token: Callable[[], Awaitable[str | None]], *, state: State | None = None) -> None:
        self.rpc = Rpc(self._call)
        #: None until the first snapshot has come. Changed in place: watch it.
        self.state = state
        self.status: Status = "ended"
        self._get_token = get_token
        self._listeners: list[Callable[[Change], None]] = []
        self._typing: dict[str, asyncio.TimerHandle] = {}
        #: For each answer that is on its way: the deltas that were news since it was asked for. One that the state had
        #: is in the answer too, and so is what undid it: folded once more it would bring back what is gone.
        self._hearings: list[list[Delta]] = []
        self._pages: asyncio.Task[None] | None = None
        self._renewing: asyncio.Task[None] | None = None
        self._token, self._refused = "", ""
        since = _NOWHERE if state is None else {"offset": state.cursor, "epoch": state.epoch}
        self._sdk = _Sdk(
            url, events=_Events(self), get_token=self._new_token, data={"since": since}, name="klatsch-client",
            min_reconnect_delay=0.2,
        )  # fmt: skip

    async def __aenter__(self) -> KlatschClient:
        await self.connect()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    async def connect(self) -> State:
        """The state, once it is whole or its first page is there. Raises Unanswered when the session is over."""
        if self.status == "online" and self.state is not None:
            return self.state
        found: asyncio.Future[Status] = asyncio.get_running_loop().create_future()

        def listen(change: Change) -> None:
            if change.status in ("online", "ended") and not found.done():
                found.set_result(change.status)

        stop = self.watch(listen)
        try:
            await self._sdk.connect()
            if await found == "online" and self.state is not None:
                return self.state
        finally:
            stop()
        raise Unanswered("connect", None, "the session is over")

    async def close(self) -> None:
        await self._sdk.disconnect()
        for timer in self._typing.values():
            timer.cancel()
        tasks = [task for task in (self._pages, self._renewing) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def watch(self, listener: Callable[[Change], None]) -> Callable[[], None]:
        """``listener`` is called after each change. Returns how to stop."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def members(self, room: str) -> dict[str, RoomMember]:
        """All members of a room, with how far each has read: held in ``state.rooms[room].members`` from now on, until
        a snapshot takes the state's place. How far others have read is told in rooms of at most 50.
        """
        while True:
            state = self.state
            if state is None or (entry := state.rooms.get(room)) is None:
                raise ValueError(f"expected a room that is held, got {room}")
            with self._hearing() as heard:
                found = await self._all_members(state, room)
            if state is not self.state or state.rooms.get(room) is not entry:
                # A snapshot came meanwhile, or the user left and came back.
                continue
            take_members(state, entry, found)
            for delta in heard:
                if delta["stream"] == room:
                    refold(state, delta)
            self._tell(Change("page"))
            return entry.members or {}

    async def _all_members(self, state: State, room: str) -> list[MemberWithUser]:
        # The answer includes all that the state has.
        position = ",".join(f"{shard}/{offset}" for shard, offset in state.vector.items())
        params: dict[str, Any] = {"room": room, "position": position}
        found: list[MemberWithUser] = []
        while True:
            page: MembersListAnswer = await self._call("members.list", params, "read")
            found += page["members"]
            if page["next"] is None:
                return found
            params["cursor"] = page["next"]

    @contextmanager
    def _hearing(self) -> Iterator[list[Delta]]:
        """The deltas that are news within the block."""
        heard: list[Delta] = []
        self._hearings.append(heard)
        try:
            yield heard
        finally:
            # By identity: two may hold the same.
            self._hearings = [one for one in self._hearings if one is not heard]

    async def _new_token(self) -> str:
        token = await self._get_token()
        if token is None:
            raise UnauthorizedError("no session")
        self._token = token
        return token

    async def _disconnected(self, code: int) -> None:
        if code == _VOID and self._token != self._refused:
            # The session was closed: perhaps the app has, or opens, another one.
            self._refused = self._token
            self._sdk.set_token("")
            await self._sdk.connect()
        else:
            self._say("ended")

    def _subscribed(self, whole: bool) -> None:
        if self.state is not None:
            forget_signals(self.state)
        if whole:
            self._online()

    def _publication(self, data: Any, offset: int) -> None:
        # An exception in a handler would end the SDK's connection for good.
        try:
            if "signal" in data:
                self._signal(data)
            elif data["type"] == "snapshot":
                self.state = from_snapshot(data["data"])
                self._tell(Change("snapshot"))
                self._online()
            elif self.state is not None:
                self._delta(self.state, data, offset)
        except Exception:
            _log.exception("a publication could not be taken in")
            self._renewing = asyncio.create_task(self._anew())

    async def _anew(self) -> None:
        """What could not be taken in is in a fresh snapshot."""
        try:
            with self._hearing() as heard:
                found = await self._call("sync.get", {}, "read")
        except (Problem, Unanswered):
            _log.exception("a snapshot could not be read")
            return
        state = from_snapshot(found)
        for delta in heard:
            fold(state, delta)
        self.state = state
        self._tell(Change("snapshot"))
        self._online()

    def _delta(self, state: State, delta: Delta, offset: int) -> None:
        if not has(state, delta):
            for heard in self._hearings:
                heard.append(delta)
        news = fold(state, delta)
        state.cursor = offset
        if delta["type"] == "message.posted" and delta["actor"] in state.typing.get(delta["stream"], ()):
            state.typing[delta["stream"]].remove(delta["actor"])
        if news:
            self._tell(Change("delta", delta=delta))

    def _signal(self, signal: Signal) -> None:
        if self.state is None:
            return
        fold_signal(self.state, signal)
        if signal["signal"] == "typing":
            if timer := self._typing.pop(signal["room"], None):
                timer.cancel()
            if signal["users"]:
                # While somebody types it is said again; one that says so may be lost.
                over: TypingSignal = {"signal": "typing", "room": signal["room"], "users": []}
                loop = asyncio.get_running_loop()
                self._typing[signal["room"]] = loop.call_later(TYPING_SECONDS, self._signal, over)
        self._tell(Change("signal", signal=signal))

    def _online(self) -> None:
        self._say("online")
        if self._pages is None and self.state is not None and self.state.next is not None:
            self._pages = asyncio.create_task(self._read_pages())

    async def _read_pages(self) -> None:
        """The snapshot's further pages, one after the other."""
        while (state := self.state) is not None and state.next is not None and self.status != "ended":
            try:
                with self._hearing() as heard:
                    page = await self.rpc.sync.get(cursor=state.next)
            except (Problem, Unanswered):
                _log.exception("a page of the snapshot could not be read")
                await asyncio.sleep(_LONGEST)
                continue
            if state is self.state:
                # Else a snapshot came meanwhile, which is newer.
                take_page(state, page)
                for delta in heard:
                    refold(state, delta)
                self._tell(Change("page"))
        self._pages = None

    async def _call(self, method: str, params: Mapping[str, Any], repeat: Repeat) -> Any:
        given, key = dict(params), None
        if repeat in ("key", "client_id"):
            # The same for each attempt, so that it happens once.
            name = "idempotency_key" if repeat == "key" else repeat
            key = given[name] = given.get(name) or secrets.token_hex(16)
        pauses = iter(_PAUSES)
        while True:
            failed: Problem | Unanswered
            try:
                return (await self._sdk.rpc(method, given)).data
            except Problem as problem:
                failed = problem
                wait = max(next(pauses, _LONGEST + 1) if problem.passing else _LONGEST + 1, problem.retry_after or 0.0)
            except CentrifugeError as error:
                failed = Unanswered(method, key, f"{type(error).__name__}: {error}")
                wait = next(pauses, _LONGEST + 1)
            if repeat == "never" or wait > _LONGEST or self.status == "ended":
                raise failed
            await asyncio.sleep(wait)

    def _say(self, status: Status) -> None:
        self.status = status
        self._tell(Change("status", status=status))

    def _tell(self, change: Change) -> None:
        for listener in list(self._listeners):
            try:
                listener(change)
            except Exception:
                _log.exception("a listener failed")


class _Events(ClientEventHandler):  # type: ignore[misc]  # as above
    """What the SDK calls."""

    def __init__(self, client: KlatschClient) -> None:
        self._client = client

    async def on_connecting(self, ctx: Any) -> None:
        self._client._say("connecting")

    async def on_subscribed(self, ctx: Any) -> None:
        # With a lost place the next publication is a snapshot.
        self._client._subscribed(whole=not ctx.was_recovering or ctx.recovered)

    async def on_publication(self, ctx: Any) -> None:
        self._client._publication(ctx.pub.data, ctx.pub.offset)

    async def on_disconnected(self, ctx: Any) -> None:
        await self._client._disconnected(ctx.code)
