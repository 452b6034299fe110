"""A connection that does not wait for answers: its messages come in the order in which it sent them.
Tests ``api/core/rpc.py``."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from api.core.calls import Services
from api.core.limits import Limits
from api.core.operation import Operation, Request
from api.core.rpc import RpcBackend
from api.support.plans import NO_PLAN, HeldPlan
from infra.base.settings import Settings
from push.presence.presence_hub import PresenceHub
from push.protocol.backend import ConnectionIdentity


class _Say(Request, frozen=True, kw_only=True):
    room: str
    n: int


class _Services:
    """As much of the services as an operation without commands needs."""

    limits = Limits(Settings(limits=False))
    count = Services.count

    class plans:
        @staticmethod
        async def of(app: str) -> HeldPlan:
            return NO_PLAN

    class progress:
        revoked: frozenset[str] = frozenset()


async def test_in_one_room_in_order() -> None:
    said: list[int] = []

    async def say(call: Any, request: _Say) -> dict[str, Any]:
        # The earlier one takes longer, as a query may.
        await asyncio.sleep(0.05 if request.n == 0 else 0)
        said.append(request.n)
        return {}

    operation = Operation("say", "POST", "/say/{room}", "user", _Say, say, "Say", {})
    rpc = RpcBackend(_Services(), [operation], PresenceHub())  # type: ignore[arg-type]  # see _Services
    identity = ConnectionIdentity(user="ada", session="s", expires=2e9)

    async def ask(room: str, n: int, connection: str = "c") -> bytes:
        return await rpc.rpc(identity, "say", msgspec.json.encode({"room": room, "n": n}), connection)

    await asyncio.gather(ask("tea", 0), ask("tea", 1), ask("tea", 2), ask("coffee", 10), ask("tea", 20, "other"))
    assert [n for n in said if n < 10] == [0, 1, 2]
    assert said[:2] == [10, 20], "neither another room nor another connection waits"
