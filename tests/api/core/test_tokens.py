"""Tokens of nodes whose clocks differ."""

from __future__ import annotations

import time
from typing import Any

import aiohttp
import msgspec
import pytest

from api.core.tokens import CLOCK_SKEW_SECONDS, mint, verify
from api.support.problems import Problem
from events.core.clock import after, now, uuid7
from infra.base.settings import Settings
from tests.client import World

SETTINGS = Settings(secret="ab" * 32)


def signed(settings: Settings, *, ahead: float, lives: float = 3600.0) -> str:
    """A token that a node signs whose clock is ``ahead`` by this many seconds; it ends ``lives`` s from now."""
    present = now()
    return mint(
        settings, user="u", session="s", role="person", issued=after(present, ahead), expires=after(present, lives)
    )


@pytest.mark.parametrize("ahead", [-3600, -1, 0, 1, 2, 5, 30, CLOCK_SKEW_SECONDS - 2])
def test_clocks_may_differ(ahead: float) -> None:
    assert verify(SETTINGS, signed(SETTINGS, ahead=ahead)).user == "u"


@pytest.mark.parametrize("ahead", [CLOCK_SKEW_SECONDS + 5, 300, 3000])
def test_a_token_that_is_not_valid_yet_says_so_and_when_to_try_again(ahead: float) -> None:
    with pytest.raises(Problem) as refused:
        verify(SETTINGS, signed(SETTINGS, ahead=ahead))
    assert refused.value.code == "token_not_yet_valid" and "clocks" in refused.value.detail
    assert refused.value.retry_after == CLOCK_SKEW_SECONDS


@pytest.mark.parametrize("lives", [-1, -CLOCK_SKEW_SECONDS + 5, -3600])
def test_a_token_ends_at_its_end_and_not_later(lives: float) -> None:
    with pytest.raises(Problem) as refused:
        verify(SETTINGS, signed(SETTINGS, ahead=-7200, lives=lives))
    assert refused.value.code == "token_expired"


def test_a_token_of_another_installation_is_not_taken_for_an_early_one() -> None:
    with pytest.raises(Problem) as refused:
        verify(msgspec.structs.replace(SETTINGS, secret="cd" * 32), signed(SETTINGS, ahead=300))
    assert refused.value.code == "unauthenticated"


async def test_over_every_transport_an_early_token_is_one_to_come_back_with(installed: Settings, world: World) -> None:
    early = signed(installed, ahead=300)
    answer = await world.request("GET", "/v1/users/me", token=early)
    assert (answer.status, answer.refusal().code) == (401, "token_not_yet_valid")
    assert answer.headers["Retry-After"] == str(CLOCK_SKEW_SECONDS)
    async with world.http.ws_connect(world.url + "/v1/connection") as ws:
        await ws.send_str(msgspec.json.encode({"id": 1, "connect": {"token": early}}).decode())
        closed = await ws.receive()
        assert (closed.type, closed.data) == (aiohttp.WSMsgType.CLOSE, 4000)


async def test_a_token_that_a_node_with_a_faster_clock_made_serves_at_once(installed: Settings, world: World) -> None:
    person = await world.person()
    ahead = mint(
        installed, user=person.id, session="other", role="person", issued=after(now(), 5), expires=after(now(), 600)
    )
    assert (await world.call("users.me", {}, token=ahead))["user"]["id"] == person.id
    await (await world.socket(ahead)).close()


def test_a_renewed_token_is_as_old_as_its_session() -> None:
    """So what is revoked before a time ends, however often it was renewed since."""
    session = uuid7(1_700_000_000_123)
    fields: dict[str, Any] = {"user": "u", "role": "person", "issued": now(), "expires": after(now(), 60)}
    assert verify(SETTINGS, mint(SETTINGS, session=session, **fields)).issued == 1_700_000_000.123
    # Of an id that says no time, the token's own.
    named = verify(SETTINGS, mint(SETTINGS, session="operator", **fields))
    assert abs(named.issued - time.time()) < 5
