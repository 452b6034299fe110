"""Who asks: what tokens of nobody cost. Tests ``api/core/auth.py``."""

from __future__ import annotations

import asyncio
import itertools
import time
from base64 import urlsafe_b64encode
from time import monotonic
from typing import Any, cast

import jwt
import msgspec
import pytest

from api.core.auth import app_of, authenticate
from api.core.calls import ALL_KEY_LOOKUPS, EVERYONE, KEY_LOOKUPS
from api.support.apps import AppSecret, shown_secret
from api.support.problems import Problem
from tests.api.applications import made
from tests.api.refusing import KEY, SECRET, Apps, Services
from tests.client import Answer, World, visiting
from tests.running import until


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


#: Keys are in base 32, which has no 0 and 1.
LETTERS = str.maketrans("0123456789", "abcdefghij")


def made_up(n: int) -> tuple[str, str]:
    """An API key of nobody's, and a token that names it."""
    key = "kk_" + f"{n:026d}".translate(LETTERS)
    return key, jwt.encode({}, "x" * 32, "HS256", {"kid": key})


async def said(services: Services, n: int, address: str) -> str:
    """The code that a made-up key comes to, or a token under it."""
    key, token = made_up(n)
    with pytest.raises(Problem) as caught:
        await (authenticate if n % 2 else app_of)(cast(Any, services), token if n % 2 else key, address)
    return caught.value.code


async def test_keys_of_nobody_are_looked_for_within_bounds() -> None:
    services, cold = Services(), Cold()
    services.apps = cold
    codes = [await said(services, n, "192.0.2.1") for n in range(KEY_LOOKUPS.most + 20)]
    assert codes[: KEY_LOOKUPS.most] == ["unauthenticated"] * KEY_LOOKUPS.most and codes[-1] == "overloaded"
    # Once when it is met, and once when all of the log is known here.
    assert cold.asked <= 2 * (KEY_LOOKUPS.most + 1)
    # Others have their own, and those whose address is not known have one together.
    for address in ("192.0.2.2", ""):
        assert [await said(services, n, address) for n in (0, 1)] == ["unauthenticated"] * 2


async def test_however_many_addresses_ask_there_is_a_bound_for_all() -> None:
    services, cold = Services(), Cold()
    services.apps = cold
    assert await said(services, 0, "192.0.2.1") == "unauthenticated"
    # As after many more than may be.
    services.key_lookups.add(EVERYONE, 2 * ALL_KEY_LOOKUPS.seconds, monotonic())
    assert await said(services, 1, "192.0.2.2") == "overloaded"


async def test_one_who_makes_keys_up_takes_nothing_from_another_address(world: World, operator: str) -> None:
    app, numbers = await made(world, operator), itertools.count()
    async with visiting(world.url, "127.0.0.51") as stranger, visiting(world.url, "127.0.0.52") as other:

        async def asked(who: World) -> Answer:
            n = next(numbers)
            key, token = made_up(n)
            if n % 2:
                return await who.request("GET", "/v1/users/me", token=token)
            return await who.request("GET", "/v1/app", headers={"Klatsch-Api-Key": key})

        async def exhausted() -> bool:
            found = await asyncio.gather(*(asked(stranger) for _ in range(50)))
            assert all("app" not in answer.headers["RateLimit"] for answer in found), "no application pays for them"
            return 503 in {answer.status for answer in found}

        await until(exhausted, "the stranger has no keys left to make up")
        # Keys that were not seen before, of nobody and of an application.
        assert [(await asked(other)).status for _ in range(4)] == [401] * 4
        about = await other.request("GET", "/v1/app", headers={"Klatsch-Api-Key": app.key})
        assert about.status == 200


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"sub": 1}, r"\(a text of 1 to \d+ characters\), got 1, a number$"),
        ({"sub": ""}, 'characters\\), got ""$'),
        ({}, r"characters\), got none$"),
        ({"sub": "ada", "exp": 1}, "got one that has expired; sign another$"),
    ],
)
async def test_what_an_application_signs_wrongly_is_said(claims: dict[str, Any], expected: str) -> None:
    moment = int(time.time())
    given = {"iat": moment, "exp": moment + 60} | claims
    token = jwt.encode(given, shown_secret(SECRET), "HS256", {"kid": KEY})
    with pytest.raises(Problem, match=expected):
        await authenticate(cast(Any, Services()), token, "")
    with pytest.raises(Problem, match="or one that names an application's API key in its header kid, got another"):
        await authenticate(cast(Any, Services()), jwt.encode(given, shown_secret(SECRET), "HS256"), "")


@pytest.mark.parametrize("part", [0, 1])
async def test_what_is_nested_without_end_is_no_token(part: int) -> None:
    parts = [{"alg": "HS256", "kid": "kk_" + "a" * 26}, {}]
    texts = [msgspec.json.encode(one) for one in parts]
    texts[part] = b"[" * 20_000 + b"]" * 20_000
    token = ".".join([*(urlsafe_b64encode(one).decode().rstrip("=") for one in texts), "c2lnbmVk"])
    with pytest.raises(Problem) as caught:
        await authenticate(cast(Any, Services()), token, "")
    assert caught.value.code == "unauthenticated"
