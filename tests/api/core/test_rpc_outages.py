"""What a connection is told while Postgres does not say what its application may. Tests ``api/core/rpc.py``."""

from __future__ import annotations

from typing import Any, cast

import pytest

from api.core import rpc
from api.core.tokens import Identity
from api.support.plans import HeldPlan
from push.delivery.bounds import FeedUnavailable
from push.presence.presence_hub import PresenceHub
from tests.api.refusing import Services


async def test_a_plan_that_cannot_be_read_is_no_fault_of_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    async def known(services: Any, token: str, address: str) -> Identity:
        return Identity("ada", "s", "person", 2e9)

    class Plans:
        async def of(self, app: str) -> HeldPlan:
            raise ConnectionRefusedError("Postgres is away")

    monkeypatch.setattr(rpc, "authenticate", known)
    services = Services()
    monkeypatch.setattr(services, "plans", Plans())
    backend = rpc.RpcBackend(cast(Any, services), [], PresenceHub())
    with pytest.raises(FeedUnavailable, match="ConnectionRefusedError"):
        await backend.authenticate("token", {})
