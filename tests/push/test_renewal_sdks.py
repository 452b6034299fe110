"""What both unmodified SDKs make of every answer to a refresh: they come back where another token helps, and end where
none does. Tests ``push/session.py`` and ``push/ws.py``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from infra.settings import Settings
from tests.push.conftest import until
from tests.push.sdks import JavaScript, Python, Sdk, of
from tests.push.server import serving, token

Start = Callable[..., Awaitable[Sdk]]

#: The token with which they connect ends after this; SDKs refresh a second before.
SECONDS = 2.0


@pytest.fixture(params=[JavaScript, Python], ids=["javascript", "python"])
async def renewing(request: pytest.FixtureRequest) -> AsyncIterator[Start]:
    """Starts a client whose app gives these tokens, one after the other, when the SDK asks."""
    running: list[Sdk] = []

    async def start(url: str, *renewals: str) -> Sdk:
        sdk: Sdk = await request.param.start(url, token("ann", "brief", SECONDS), renewals=list(renewals))
        running.append(sdk)
        return sdk

    yield start
    for sdk in running:
        await sdk.stop()


def first_end(sdk: Sdk) -> int:
    """The code with which the first connection ended."""
    after = [event for event in sdk.events if event["e"] in ("connecting", "disconnected")]
    return int(next(event["code"] for event in after if event["code"]))


async def test_a_good_token_keeps_the_connection(settings: Settings, renewing: Start) -> None:
    async with serving(settings) as server:
        sdk = await renewing(server.url, token("ann", "long"))
        await until(
            lambda: of(sdk, "asked") and [session.identity.session for session in connections(server)] == ["long"]
        )
        assert len(of(sdk, "connected")) == 1 and not of(sdk, "disconnected")


async def test_who_renews_with_a_token_that_has_expired_is_asked_for_another(
    settings: Settings, renewing: Start
) -> None:
    async with serving(settings) as server:
        sdk = await renewing(server.url, token("ann", seconds=-5), token("ann", "long"))
        await until(lambda: len(of(sdk, "connected")) == 2)
        assert first_end(sdk) == 3005 and not of(sdk, "disconnected")
        assert of(sdk, "subscribed")[-1]["recovering"]


async def test_who_renews_too_early_comes_back_until_the_token_is_valid(settings: Settings, renewing: Start) -> None:
    async with serving(settings) as server:
        server.backend.early.add("ahead")
        sdk = await renewing(server.url, token("ann", "ahead"))
        await until(lambda: [event for event in sdk.events if event.get("code") == 4000])
        assert first_end(sdk) == 4000 and len(of(sdk, "connected")) == 1
        server.backend.early.clear()
        await until(lambda: len(of(sdk, "connected")) == 2)
        assert not of(sdk, "disconnected")


@pytest.mark.parametrize(
    ("bad", "reason"),
    [("nonsense", "invalid token"), (token("bob"), "invalid token"), (token("ann", "revoked"), "token revoked")],
    ids=["garbage", "another's", "revoked"],
)
async def test_what_no_other_token_of_the_app_helps_ends_the_client(
    settings: Settings, renewing: Start, bad: str, reason: str
) -> None:
    async with serving(settings) as server:
        server.backend.revoked.add("revoked")
        sdk = await renewing(server.url, bad, token("ann", "long"))
        await until(lambda: of(sdk, "disconnected"))
        assert (of(sdk, "disconnected")[0]["code"], of(sdk, "disconnected")[0]["reason"]) == (3500, reason)


async def test_a_token_that_cannot_be_looked_up_is_tried_again(settings: Settings, renewing: Start) -> None:
    async with serving(settings) as server:
        sdk = await renewing(server.url, token("ann", "long"))
        await until(lambda: of(sdk, "connected"))
        server.backend.away = True
        await until(lambda: of(sdk, "asked"))
        # The first token has ended meanwhile.
        await until(lambda: [event for event in sdk.events if event.get("code") == 3005])
        server.backend.away = False
        await until(lambda: [session.identity.session for session in connections(server)] == ["long"])
        assert not of(sdk, "disconnected")


def connections(server: Any) -> list[Any]:
    """The states of the connections that Ann has to the server."""
    return [peer._session for peer in server.hub.peers.of_user("ann")]
