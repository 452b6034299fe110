"""The demo stays logged in while it is open; who was away too long logs in again, and finds the outbox kept.
Tests ``api/web/klatsch/session.js``."""

from __future__ import annotations

from time import time

import pytest
from msgspec.structs import replace
from playwright.async_api import expect

from api.core.tokens import verify
from infra.base.settings import Settings
from tests.client import visiting
from tests.running import until
from tests.servers import Process
from tests.web.conftest import Open
from tests.web.windows import Window

#: Life of a session in these tests, in seconds.
LIFE = 6
#: What a browser says by itself when a server is away, and when a token has expired.
_AWAY = ["WebSocket connection to", "net::ERR_", "status of 401"]


#: Before the windows, and so after them: a page whose server is gone complains.
pytestmark = pytest.mark.usefixtures("server")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Of an installation with short sessions."""
    return replace(settings, session_seconds=LIFE)


async def test_an_open_page_outlives_its_tokens(windows: Open, server: Process) -> None:
    ada = await windows(server.url)
    await ada.register("Ada")
    first = await ada.token()
    end = verify(server.settings, first).expires
    sockets = _sockets(ada)
    async with visiting(server.url) as world:
        await world.person("other", name="The Other")
        await ada.talk_with("The Other")
        await ada.say("early")
        await ada.sees("early")
        await until(lambda: _after(end + LIFE), "two lives of a session have passed", seconds=4 * LIFE)
        await ada.say("late")
        await ada.sees("early", "late")
        await ada.online()
        assert await ada.token() != first and _sockets(ada) == sockets, "the connection went on with the new tokens"
        # One session all along.
        token = await ada.token()
        assert verify(server.settings, token).expires > time()
        assert len((await world.call("sessions.list", {}, token=token))["sessions"]) == 1


async def test_who_was_away_too_long_logs_in_again_and_loses_nothing(windows: Open, server: Process) -> None:
    ada = await windows(server.url)
    ada.expected += _AWAY
    await ada.register("Ada")
    async with visiting(server.url) as world:
        await world.person("other", name="The Other")
        await ada.talk_with("The Other")
        await ada.say("before")
        await ada.sees("before")
    end = verify(server.settings, await ada.token()).expires
    await server.end()
    await ada.say("into the void", "and more")
    await until(lambda: _after(end + LIFE), "the session has expired", seconds=4 * LIFE)
    await server.start()
    await server.ready()
    await expect(ada.page.get_by_role("alert")).to_contain_text("session has ended", timeout=30_000)
    kept = await ada.page.evaluate("Object.keys(sessionStorage)")
    assert kept == ["klatsch.outbox"], "no token and no state, only what was not sent"
    await ada.log_in(ada.username)
    await ada.enter("The Other")
    await ada.sees("before", "into the void", "and more")


async def test_what_one_left_is_not_sent_by_another(windows: Open, server: Process) -> None:
    ada = await windows(server.url)
    await ada.register("Ada")
    await ada.page.evaluate(
        """() => {
            sessionStorage.removeItem("klatsch.session");
            const entry = { client_id: "t", room: "r", type: "text", content: { text: "mine" }, state: "failed" };
            addEventListener("pagehide", () => {
                sessionStorage.setItem("klatsch.outbox", JSON.stringify({ user: "somebody", entries: [entry] }));
            });
        }"""
    )
    await ada.page.reload()
    await ada.register("Bob")
    assert await ada.page.evaluate("sessionStorage.getItem('klatsch.outbox')") is None


async def _after(moment: float) -> bool:
    return time() > moment


def _sockets(window: Window) -> int:
    return len([url for url in window.requests if url.startswith("ws")])
