"""Search in the demo, and long conversations: jumping into the middle and scrolling on from there, both ways.
Tests ``api/web/view/search.js`` and ``api/web/view/scroller.js``."""

from __future__ import annotations

from functools import partial

from playwright.async_api import Locator, expect

from tests.client import Person, World
from tests.running import until
from tests.web.conftest import Open
from tests.web.windows import Window


async def _with(window: Window, world: World, name: str) -> tuple[Person, str]:
    """Another person, and the direct room of the two."""
    other = await world.person("other", name=name)
    made = await other.do("rooms.create", type="direct", members=[(await window.state())["me"]["id"]])
    return other, str(made["room"]["id"])


def _found(window: Window) -> Locator:
    return window.page.get_by_label("Messages found").get_by_role("button")


async def test_search_marks_what_it_found_in_any_script(windows: Open, world: World) -> None:
    window = await windows(world.url)
    await window.register("Ada")
    other, room = await _with(window, world, "Polyglot")
    for said in (
        "Wir treffen uns im Café 🎉👩‍🚀 um vier",
        "我们四点在咖啡馆见面",
        "Встретимся в четыре",
        "قهوة في الرابعة",
        "nothing to see",
    ):
        await other.say(room, said)
    await window.enter("Polyglot")
    await window.press("Search the messages")
    box = window.page.get_by_label("Search the messages").locator("input")
    for words, marked in (
        ("cafe vier", ["Café", "vier"]),
        ("咖啡馆", ["咖啡馆"]),
        ("встретимся", ["Встретимся"]),
        ("قهوة", ["قهوة"]),
    ):
        await box.fill(words)
        await expect(_found(window).locator("mark")).to_have_text(marked)
    await box.fill("zebra")
    await expect(window.page.get_by_role("dialog").get_by_role("status")).to_have_text("Nothing with “zebra” here.")


async def test_search_everywhere_leads_to_the_message(windows: Open, world: World) -> None:
    window = await windows(world.url)
    await window.register("Ada")
    other, room = await _with(window, world, "Far Writer")
    second = await other.group(name=f"Beside {window.name}")
    await other.do("members.add", room=second, user=(await window.state())["me"]["id"])
    for number in range(1, 401):
        await other.say(room, "the needle" if number == 40 else f"hay {number}")
    await other.say(second, "another needle")
    await window.page.reload()
    await window.online()
    await window.enter(f"Beside {window.name}")
    # By keyboard: Ctrl+Shift+F, words, Down, Enter.
    keys = window.page.keyboard
    await keys.press("Control+Shift+F")
    await keys.type("needle")
    await expect(_found(window)).to_have_count(1)
    await window.press("Everywhere")
    await expect(_found(window)).to_have_count(2)
    await expect(_found(window).nth(1)).to_contain_text("Far Writer")
    await window.page.get_by_label("Search the messages").locator("input").focus()
    await keys.press("ArrowDown")
    await keys.press("ArrowDown")
    await keys.press("Enter")
    # In its place, with what stands around it; nothing was read on the way.
    row = window.page.locator(".message.reached")
    await expect(row.locator(".bubble")).to_have_text("the needle")
    await expect(row).to_be_in_viewport()
    assert "hay 400" not in await window.texts()
    assert await window.badge("Far Writer") == "400"
    # Down to the latest, page by page: every message once, in order.
    scroller = window.page.locator(".scroller")
    seen: list[str] = []
    while "hay 400" not in (texts := await window.texts()):
        _join(seen, texts)
        await scroller.evaluate("one => one.scrollTo(0, one.scrollHeight)")
        await until(partial(_differs, window, texts), "more below")
    _join(seen, texts)
    said = ["the needle" if number == 40 else f"hay {number}" for number in range(1, 401)]
    assert seen == said[said.index(seen[0]) :]
    assert len(texts) <= 70
    await scroller.evaluate("one => one.scrollTo(0, one.scrollHeight)")
    await expect(window.chat("Far Writer").locator(".badge")).to_be_hidden()
    # And up to the first; what is in sight stays when rows go at the other end.
    while "hay 1" not in (texts := await window.texts()):
        await scroller.evaluate("one => one.scrollTo(0, 0)")
        await until(partial(_differs, window, texts), "more above")
    assert len(texts) <= 70
    await other.say(room, "news")
    pill = window.page.get_by_role("button", name="Go to the latest: 1 new message")
    await pill.click()
    await window.sees("hay 400", "news")
    await expect(window.page.get_by_role("button", name="Go to the latest")).to_be_hidden()


def _join(seen: list[str], texts: list[str]) -> None:
    """Adds a window of messages to those seen before, which it must overlap."""
    start = texts.index(seen[-1]) + 1 if seen else 0
    seen += texts[start:]


async def _differs(window: Window, before: list[str]) -> bool:
    return await window.texts() != before


async def test_first_unread_message_of_very_many(windows: Open, world: World) -> None:
    window = await windows(world.url)
    await window.register("Ada")
    other, room = await _with(window, world, "Chatty")
    await other.say(room, "line 1")
    await window.enter("Chatty")
    await window.sees("line 1")
    await until(lambda: _read(window), "it is read")
    await window.page.evaluate("location.hash = '#/'")
    for number in range(2, 302):
        await other.say(room, f"line {number}")
    await window.page.reload()
    await window.online()
    await window.enter("Chatty")
    await expect(window.page.locator(".new-line")).to_be_in_viewport()
    await expect(window.page.locator(".new-line + .message .bubble")).to_have_text("line 2")
    assert await window.badge("Chatty") == "300"
    await window.page.get_by_role("button", name="Go to the latest").click()
    await window.sees("line 301")
    await expect(window.chat("Chatty").locator(".badge")).to_be_hidden()


async def _read(window: Window) -> bool:
    return await window.badge("Chatty") == ""
