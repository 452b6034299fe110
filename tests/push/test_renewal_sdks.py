"""What both unmodified SDKs make of every answer to a refresh: they come back where another token helps, and end where
none does. Tests ``push/protocol/session.py`` and ``push/transports/ws.py``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from infra.base.settings import Settings
from tests.push.conftest import until
from tests.push.sdks import JavaScript, Python, Sdk, of
from tests.push.server import serving, token

Start = Callable[..., Awaitable[Sdk]]

#: The token with which they connect ends after this, or twice that where it ended before they had started; SDKs refresh
#: a second before.
SECONDS = 2.0


@pytest.fixture(params=[JavaScript, Python], ids=["javascript", "python"])
async def renewing(request: pytest.FixtureRequest) -> AsyncIterator[Start]:
    """Starts a client whose app gives these tokens, one after the other, when the SDK asks."""
    running: list[Sdk] = []

    async def start(url: str, *renewals: str, seconds: float = SECONDS) -> Sdk:
        sdk: Sdk = await request.param.start(url, token("ann", "brief", seconds), renewals=list(renewals))
        running.append(sdk)
        await until(lambda: of(sdk, "connected") or of(sdk, "asked"))
        if next(event["e"] for event in sdk.events if event["e"] in ("connected", "asked")) == "connected":
            return sdk
        await sdk.stop()
        return await start(url, *renewals, seconds=2 * seconds)

    yield start
    for sdk in running:
        await sdk.stop()


async def in_time(start: Callable[[], Awaitable[Sdk]], holds: Callable[[Sdk], object]) -> Sdk:
    """A client of which something came true, and before its first token ended: a busy machine may renew that too late,
    and then what is tried here did not happen."""
    while True:
        sdk = await start()
        await until(lambda sdk=sdk: holds(sdk) or late(sdk))  # type: ignore[misc]
        if not late(sdk):
            return sdk
        await sdk.stop()


def late(sdk: Sdk) -> bool:
    """Whether the connection has ended with its token, or was lost."""
    return any(event["code"] not in (0, 4000) for event in of(sdk, "connecting"))


def first_end(sdk: Sdk) -> int:
    """The code with which the first connection ended."""
    after = [event for event in sdk.events if event["e"] in ("connecting", "disconnected")]
    return int(next(event["code"] for event in after if event["code"]))


async def test_a_good_token_keeps_the_connection(settings: Settings, renewing: Start) -> None:
    async with serving(settings) as server:
        sdk = await in_time(
            lambda: renewing(server.url, token("ann", "long")),
            lambda sdk: of(sdk, "asked") and [one.identity.session for one in connections(server)] == ["long"],
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
        sdk = await in_time(
            lambda: renewing(server.url, token("ann", "ahead")),
            lambda sdk: [event for event in sdk.events if event.get("code") == 4000],
        )
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
        sdk = await in_time(
            lambda: renewing(server.url, bad, token("ann", "long")), lambda sdk: of(sdk, "disconnected")
        )
        assert (of(sdk, "disconnected")[0]["code"], of(sdk, "disconnected")[0]["reason"]) == (3500, reason)


async def test_a_token_that_cannot_be_looked_up_is_tried_again(settings: Settings, renewing: Start) -> None:
    async with serving(settings) as server:

        async def start() -> Sdk:
            server.backend.away = False
            sdk = await renewing(server.url, token("ann", "long"))
            server.backend.away = True
            return sdk

        sdk = await in_time(start, lambda sdk: of(sdk, "asked"))
        # The first token has ended meanwhile.
        await until(lambda: [event for event in sdk.events if event.get("code") == 3005])
        server.backend.away = False
        await until(lambda: [session.identity.session for session in connections(server)] == ["long"])
        assert not of(sdk, "disconnected")


def connections(server: Any) -> list[Any]:
    """The states of the connections that Ann has to the server."""
    return [peer._session for peer in server.hub.peers.of_user("ann")]
