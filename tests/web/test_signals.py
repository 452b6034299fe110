"""Signals in the demo: who is there, who types, who looks on; and that nothing of it outlives its time.
Tests ``api/web/klatsch/signals.js``."""

from __future__ import annotations

from playwright.async_api import Locator, expect

from tests.client import World
from tests.running import until
from tests.web.conftest import Open
from tests.web.windows import Window


async def _people(windows: Open, world: World, *names: str) -> list[Window]:
    found = [await windows(world.url) for _ in names]
    for window, name in zip(found, names, strict=True):
        await window.register(name)
    return found


def _dot(row: Locator) -> Locator:
    return row.locator(".dot")


async def test_typing_is_seen_and_goes(windows: Open, world: World) -> None:
    ada, bo, cy = await _people(windows, world, "Ada", "Bo", "Cy")
    name = f"Typists of {ada.name}"
    await ada.make_room(name, bo.name, cy.name)
    for window in (bo, cy):
        await window.enter(name)
    line = ada.page.locator(".typing")
    await bo.box.press_sequentially("Hel")
    await expect(line).to_have_text(f"{bo.name} is typing…")
    await expect(ada.chat(name).locator(".row-last")).to_have_text("typing…")
    await cy.box.press_sequentially("Me too")
    await until(lambda: _both(line, bo, cy), "two people type")
    # One's own typing is no news.
    await expect(bo.page.locator(".typing")).to_have_text(f"{cy.name} is typing…")
    # It ends with the message, when the box is emptied, and by itself.
    await cy.box.fill("")
    await expect(line).to_have_text(f"{bo.name} is typing…")
    await bo.say("Hello")
    await expect(line).to_have_text("")
    await bo.box.press_sequentially("and a word more", delay=150)
    await expect(line).to_have_text(f"{bo.name} is typing…")
    await expect(line).to_have_text("")
    # Nothing of it is in the state that is kept.
    assert "typing" not in str(await ada.state())


async def _both(line: Locator, *windows: Window) -> bool:
    said = await line.inner_text()
    return said.endswith(" are typing…") and all(window.name in said for window in windows)


async def test_presence_in_lists_heads_and_details(windows: Open, world: World) -> None:
    ada, bo = await _people(windows, world, "Ada", "Bo")
    away = await world.person("dee", name=f"Dee {ada.name}")
    me = (await ada.state())["me"]["id"]
    room = await away.group(name=f"Presence of {ada.name}")
    for user in (me, (await bo.state())["me"]["id"]):
        await away.do("members.add", room=room, user=user)
    await ada.talk_with(bo.name)
    row = ada.chat(bo.name)
    await expect(_dot(row)).to_have_attribute("data-status", "online")
    await expect(ada.page.locator(".chat-head small")).to_contain_text("online")
    # The members who are there stand first.
    await ada.enter(f"Presence of {ada.name}")
    await expect(ada.page.locator(".chat-head small")).to_have_text("3 members · 2 online")
    await ada.details()
    members = ada.page.get_by_label("Members", exact=True).get_by_role("listitem")
    await expect(members).to_have_count(3)
    await expect(members.nth(2)).to_contain_text(f"Dee {ada.name}")
    await expect(_dot(members.nth(2))).to_be_hidden()
    await expect(_dot(members.nth(0))).to_be_visible()
    await ada.press("Close")
    # Who opens the room looks on.
    await bo.enter(f"Presence of {ada.name}")
    await expect(ada.page.locator(".chat-head small")).to_have_text("3 members · 2 online · 2 looking")
    await bo.page.evaluate("location.hash = '#/'")
    await expect(ada.page.locator(".chat-head small")).to_have_text("3 members · 2 online")
    # Who closes the window has gone.
    await bo.close()
    await expect(_dot(row)).to_be_hidden()
    await expect(ada.page.locator(".chat-head small")).to_have_text("3 members · 1 online")
    await ada.enter(bo.name)
    await expect(ada.page.locator(".chat-head small")).to_contain_text("last seen just now")


async def test_away_is_another_dot(windows: Open, world: World) -> None:
    (ada,) = await _people(windows, world, "Ada")
    dee = await world.person("dee", name=f"Dee {ada.name}", via="rpc")
    room = await dee.do("rooms.create", type="direct", members=[(await ada.state())["me"]["id"]])
    dot = _dot(ada.chat(f"Dee {ada.name}"))
    await expect(dot).to_have_attribute("data-status", "online")
    await dee.do("presence.set", room=None, status="away")
    await expect(dot).to_have_attribute("data-status", "away")
    await expect(dot).to_have_attribute("aria-label", "away")
    await dee.say(room["room"]["id"], "back again")
    await expect(dot).to_have_attribute("data-status", "online")
