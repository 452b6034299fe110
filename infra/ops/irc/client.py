"""The importer's side of the API: repeats what was not decided, for as long as the other side may take to return."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any
from urllib.parse import quote

import aiohttp
import msgspec

from api.core.tokens import Role
from events.core.errors import KlatschError
from events.core.positions import Vector, encode_vector, parse_vector
from infra.base.settings import Settings
from infra.ops import operator_token
from infra.ops.answers import detail
from infra.ops.irc.plan import ImportOrder

#: Seconds without any answer until the import gives up: a broker's fail-over and a restart of everything fit in.
PATIENCE = 180.0
#: Seconds that one request may take.
_REQUEST_SECONDS = 60.0
#: Answers that say: the same again, later.
_LATER = frozenset({429, 500, 502, 503, 504, 507})
_FIRST_PAUSE, _LAST_PAUSE = 0.2, 5.0


class ImportFailed(KlatschError):
    """The import cannot go on; the text says expected, actual and what to do. What was imported stays."""


class Result(msgspec.Struct, frozen=True):
    """What one order came to: ``done``, ``unchanged`` (it had been before), or ``refused``."""

    result: str
    code: str = ""
    detail: str = ""


class _ImportResults(msgspec.Struct):
    results: list[Result]


class Client:
    """One connection to an installation, as its operator, and as the account that owns the channel's room."""

    def __init__(self, settings: Settings, url: str, account: str) -> None:
        """``account`` is the user id for reading."""
        self.url = url.rstrip("/")
        #: Where the events of all orders stand.
        self.position: Vector = {}
        self._settings = settings
        self._account = account
        self._tokens: dict[Role, tuple[float, str]] = {}
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Client:
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_REQUEST_SECONDS))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._http is not None:
            await self._http.close()

    async def order(self, orders: Sequence[ImportOrder]) -> list[Result]:
        """Gives orders, in order within each stream; repeated until all are decided. Raises ImportFailed."""
        if not orders:
            return []
        body = msgspec.json.encode({"orders": orders})
        answer = await self._ask("POST", "/v1/import", "operator", body)
        assert answer is not None
        results = msgspec.json.decode(answer, type=_ImportResults).results
        if len(results) != len(orders):
            raise ImportFailed(f"{self.url}: expected {len(orders)} results of an import, got {len(results)}")
        return results

    async def users(self, ids: Sequence[str]) -> set[str]:
        """Those of at most 100 ids that are users, as the read models know it."""
        answer = await self._ask("GET", f"/v1/users?ids={','.join(ids)}", "service")
        assert answer is not None
        return {user["id"] for user in msgspec.json.decode(answer)["users"]}

    async def has_message(self, room: str, message: str) -> bool:
        """Whether the room has the message, as the read models know it."""
        path = f"/v1/rooms/{quote(room)}/messages/{quote(message)}"
        return await self._ask("GET", path, "service", missing=True) is not None

    async def room(self, room: str) -> dict[str, Any] | None:
        """The room, once the read models have all that was ordered; None when there is none."""
        answer = await self._ask("GET", f"/v1/rooms/{quote(room)}", "service", missing=True)
        return None if answer is None else msgspec.json.decode(answer, type=dict[str, Any])["room"]

    async def _ask(
        self, method: str, path: str, role: Role, body: bytes | None = None, *, missing: bool = False
    ) -> bytes | None:
        """The body of a good answer; None for 404 where the caller knows of that. Raises ImportFailed."""
        assert self._http is not None
        deadline = time.monotonic() + PATIENCE
        pause = _FIRST_PAUSE
        while True:
            try:
                async with self._http.request(
                    method, self.url + path, data=body, headers=self._headers(role, method)
                ) as answer:
                    content = await answer.read()
                    if answer.status < 400:
                        self._reached(answer.headers.get("Klatsch-Position", ""))
                        return content
                    if answer.status == 404 and missing:
                        return None
                    trouble = f"{answer.status} {detail(content)}"
                    if answer.status not in _LATER:
                        raise ImportFailed(f"{self.url}: {method} {path.partition('?')[0]} was answered {trouble}")
                    wait = _seconds(answer.headers.get("Retry-After"), pause)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                trouble, wait = f"{type(error).__name__} {error}".strip(), pause
            if time.monotonic() + wait > deadline:
                raise ImportFailed(
                    f"{self.url} has not done what was asked for {PATIENCE:.0f} s ({trouble}); see that it runs with "
                    "'klatsch status', then run the same command again: it continues where it stopped"
                )
            await asyncio.sleep(wait)
            pause = min(pause * 2, _LAST_PAUSE)

    def _headers(self, role: Role, method: str) -> dict[str, str]:
        until, token = self._tokens.get(role, (0.0, ""))
        if until < time.monotonic():
            user = "operator" if role == "operator" else self._account
            token = operator_token.token(self._settings, user=user, role=role, session="import-irc")
            self._tokens[role] = (time.monotonic() + operator_token.TOKEN_SECONDS / 2, token)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        if method == "GET" and self.position:
            headers["Klatsch-Position"] = encode_vector(self.position)
        return headers

    def _reached(self, position: str) -> None:
        for shard, offset in parse_vector(position).items():
            self.position[shard] = max(offset, self.position.get(shard, 0))


def _seconds(header: str | None, otherwise: float) -> float:
    try:
        return float(header or "")
    except ValueError:
        return otherwise
