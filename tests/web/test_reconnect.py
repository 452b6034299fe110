"""The demo through a crash of the server and reloads of the page: nothing missing, nothing twice, in order.
Tests ``api/web/klatsch/connection.js`` and ``api/web/klatsch/outbox.js``."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import expect

from tests.client import Person, visiting
from tests.running import until
from tests.servers import Process
from tests.web.conftest import Open
from tests.web.windows import Window

#: What a browser says by itself when a server is away.
_AWAY = ["WebSocket connection to", "net::ERR_"]


#: Before the windows, and so after them: a page whose server is gone complains.
pytestmark = pytest.mark.usefixtures("server")


async def _restart(server: Process) -> None:
    await server.end()
    await server.start()
    await server.ready()


async def _join(window: Window, group: str) -> None:
    await window.find(group)
    await window.page.get_by_label("Rooms found").get_by_role("button").click()
    await expect(window.page.locator(".chat-head h1")).to_have_text(group)


async def _all_see(windows: list[Window], texts: list[str]) -> None:
    """Each window ends up with exactly these messages in this order."""
    for window in windows:
        await window.online()
        await window.sees(*texts)
        assert await window.texts() == texts


async def test_a_killed_server_comes_back_and_nothing_is_missing(windows: Open, server: Process) -> None:
    both = [await windows(server.url), await windows(server.url)]
    ada = both[0]
    async with visiting(server.url) as world:
        author = await world.person("http", name="Over HTTP")
        room = await author.group(name="Crash test")
        for window, name in zip(both, ("Ada", "Bo"), strict=True):
            window.expected += _AWAY
            await window.register(name)
            await _join(window, "Crash test")
        await ada.say("before 1", "before 2")
        texts = ["before 1", "before 2"]
        await _all_see(both, texts)
        await server.end()
        await expect(ada.page.locator(".state")).to_have_text("Reconnecting…")
        # Written without a connection: on its way, sent when the server is back.
        await ada.say("meanwhile 1", "meanwhile 2")
        await expect(ada.page.locator(".message[data-state=sending]")).to_have_count(2)
        # The windows are kept off until others have written by HTTP.
        for window in both:
            await window.page.context.set_offline(True)
        await server.start()
        await server.ready()
        for number in range(1, 6):
            texts.append(f"by HTTP {number}")
            await author.say(room, texts[-1])
        for window in both:
            await window.page.context.set_offline(False)
        texts += ["meanwhile 1", "meanwhile 2"]
        await _all_see(both, texts)
        # Killed again while messages are being sent.
        under_fire = [f"under fire {number}" for number in range(12)]
        await asyncio.gather(ada.say(*under_fire), _restart(server))
        await _all_see(both, texts + under_fire)
        texts += under_fire
        await until(lambda: _read_models_have(author, room, texts), "the read models hold the same")


async def test_without_a_connection_nobody_knows_who_is_there(windows: Open, server: Process) -> None:
    ada, bo = await windows(server.url), await windows(server.url)
    for window, name in ((ada, "Ada"), (bo, "Bo")):
        window.expected += _AWAY
        await window.register(name)
    await ada.talk_with(bo.name)
    dot = ada.chat(bo.name).locator(".dot")
    await expect(dot).to_have_attribute("data-status", "online")
    await bo.page.get_by_label("Chats", exact=True).get_by_role("link").click()
    await bo.box.press_sequentially("Hel")
    await expect(ada.page.locator(".typing")).to_have_text(f"{bo.name} is typing…")
    await server.end()
    await expect(dot).to_be_hidden()
    await expect(ada.page.locator(".typing")).to_have_text("")
    await server.start()
    await server.ready()
    await expect(dot).to_have_attribute("data-status", "online")
    await expect(ada.page.locator(".chat-head small")).to_contain_text("online")


async def test_a_reload_goes_on_from_the_saved_place(windows: Open, server: Process) -> None:
    ada = await windows(server.url)
    await ada.register("Ada")
    async with visiting(server.url) as world:
        author = await world.person("other", name="The Other")
        made = await author.do("rooms.create", type="direct", members=[(await ada.state())["me"]["id"]])
        room = made["room"]["id"]
        await author.say(room, "one")
        await ada.enter("The Other")
        await ada.sees("one")
        await until(lambda: _read(ada, room, 1), "the state is saved")
        # While the page is away, things happen.
        await ada.page.goto("about:blank")
        await author.say(room, "two")
        ada.requests.clear()
        await ada.page.goto(f"{server.url}/#/rooms/{room}")
        await ada.online()
        await ada.sees("one", "two")
        assert not [url for url in ada.requests if "/v1/sync" in url], "the saved state and the deltas are enough"
        # The place of another feed: the server sends a snapshot on the connection, and the page shows that.
        await ada.page.evaluate(
            """() => {
                const saved = JSON.parse(sessionStorage.getItem("klatsch.state"));
                const lost = JSON.stringify({ ...saved, epoch: "another", messages: {}, rooms: {} });
                addEventListener("pagehide", () => sessionStorage.setItem("klatsch.state", lost));
            }"""
        )
        ada.requests.clear()
        await ada.page.reload()
        await ada.enter("The Other")
        await ada.sees("one", "two")
        assert not [url for url in ada.requests if "/v1/sync" in url]


async def _read_models_have(author: Person, room: str, texts: list[str]) -> bool:
    found = (await author.do("messages.read", room=room, limit=200))["messages"]
    assert [message["seq"] for message in found] == list(range(1, len(found) + 1))
    # Beside them the room says who has joined.
    return [message["content"]["text"] for message in found if message["type"] == "text"] == texts


async def _read(window: Window, room: str, seq: int) -> bool:
    entry = (await window.state())["rooms"].get(room)
    return bool(entry and entry["member"]["read"] == seq)
