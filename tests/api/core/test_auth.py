"""Who asks: what tokens of nobody cost. Tests ``api/core/auth.py``."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import Any, cast

import jwt
import msgspec
import pytest

from api.core.auth import app_of, authenticate
from api.core.calls import KEY_LOOKUPS
from api.support.apps import AppSecret
from api.support.problems import Problem
from tests.api.refusing import Apps, Services


class Cold(Apps):
    """A process that has asked for nothing yet; no key is anybody's."""

    def __init__(self) -> None:
        self.asked = 0

    def is_unknown(self, key: str) -> bool:
        return False

    def knows(self, key: str) -> bool:
        return False

    async def by_key(self, key: str) -> AppSecret | None:
        self.asked += 1
        return None


async def test_keys_of_nobody_are_looked_for_within_bounds() -> None:
    services, cold = Services(), Cold()
    services.apps = cold
    codes = []
    for n in range(KEY_LOOKUPS.most + 20):
        token = jwt.encode({}, "x" * 32, "HS256", {"kid": f"kk_{n:026d}"})
        with pytest.raises(Problem) as caught:
            await (authenticate if n % 2 else app_of)(cast(Any, services), token if n % 2 else f"kk_{n:026d}")
        codes.append(caught.value.code)
    assert codes[: KEY_LOOKUPS.most] == ["unauthenticated"] * KEY_LOOKUPS.most and codes[-1] == "overloaded"
    # Once when it is met, and once when all of the log is known here.
    assert cold.asked <= 2 * (KEY_LOOKUPS.most + 1)


@pytest.mark.parametrize("part", [0, 1])
async def test_what_is_nested_without_end_is_no_token(part: int) -> None:
    parts = [{"alg": "HS256", "kid": "kk_" + "a" * 26}, {}]
    texts = [msgspec.json.encode(one) for one in parts]
    texts[part] = b"[" * 20_000 + b"]" * 20_000
    token = ".".join([*(urlsafe_b64encode(one).decode().rstrip("=") for one in texts), "c2lnbmVk"])
    with pytest.raises(Problem) as caught:
        await authenticate(cast(Any, Services()), token)
    assert caught.value.code == "unauthenticated"
