"""The demo for everybody: by keyboard alone, on a narrow screen, and safe from what others write.
Tests ``api/web/view/`` and ``api/web/css/``."""

from __future__ import annotations

from playwright.async_api import Page, expect

from tests.client import World
from tests.running import until
from tests.web.conftest import Open
from tests.web.windows import PASSWORD, Window

_FOCUSED = """() => {
    const one = document.activeElement;
    return one === document.body ? "" : one.getAttribute("aria-label") ?? one.textContent.trim();
}"""


async def _tab_to(page: Page, label: str) -> None:
    """Presses Tab until the focus is on what has this label or text."""
    for _ in range(40):
        if label in str(await page.evaluate(_FOCUSED)):
            # Whoever uses the keyboard sees where they are.
            assert await page.evaluate("document.activeElement.matches(':focus-visible')")
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not lead to {label}")


async def test_keyboard_only(windows: Open, world: World) -> None:
    other = await world.person("keys", name="Key Board")
    await world.person("quiet", name="Quiet Key")
    window = await windows(world.url)
    page, keys = window.page, window.page.keyboard
    await page.get_by_label("Username").focus()
    await keys.type(f"{other.username[:20]}-me")
    # Over the name and the e-mail address, which may be left out.
    for _ in range(3):
        await keys.press("Tab")
    await keys.type(PASSWORD)
    await keys.press("Enter")
    await window.online()
    await keys.press("Control+k")
    await keys.type("key board")
    await expect(page.get_by_label("People found").get_by_role("button")).to_have_count(1)
    await keys.press("ArrowDown")
    await keys.press("Enter")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await keys.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await keys.press("Enter")
    await _tab_to(page, "Message")
    await keys.press("Enter")
    # The message box has the focus: Enter sends, Shift+Enter makes a line.
    await expect(window.box).to_be_focused()
    await keys.type("one line")
    await keys.press("Shift+Enter")
    await keys.type("another")
    await keys.press("Enter")
    await window.sees("one line\nanother")
    # The list of chats: arrows move, Enter opens.
    me = (await window.state())["me"]["id"]
    group = await other.group(name="Third")
    await other.do("members.add", room=group, user=me)
    await expect(page.get_by_label("Chats", exact=True).get_by_role("link")).to_have_count(2)
    await _tab_to(page, "Third")
    await keys.press("End")
    assert "Key Board" in str(await page.evaluate(_FOCUSED))
    await keys.press("ArrowUp")
    await keys.press("Enter")
    await expect(page.locator(".chat-head h1")).to_have_text("Third")
    await expect(window.box).to_be_focused()
    await other.say(group, "for the screen reader")
    await expect(page.get_by_role("log")).to_have_text("Key Board: for the screen reader")
    # From the message box back to the messages: Up and Down move, Enter opens what one can do.
    await window.say("mine")
    await window.sees("for the screen reader", "mine")
    await keys.press("Shift+Tab")
    await keys.press("ArrowUp")
    await keys.press("ArrowDown")
    await keys.press("Enter")
    await expect(page.get_by_role("menuitem").first).to_be_focused()
    await keys.press("ArrowUp")
    await expect(page.get_by_role("menuitem", name="Delete")).to_be_focused()
    await keys.press("Escape")
    await expect(page.get_by_role("menu")).to_have_count(0)
    await expect(page.get_by_label("Actions for message").last).to_be_focused()
    await _tab_to(page, "Show or hide the history")
    await keys.press("Enter")
    await expect(page.get_by_label("History", exact=True)).to_be_hidden()


async def test_narrow_screen(windows: Open, world: World) -> None:
    window = await windows(world.url, viewport={"width": 360, "height": 720}, has_touch=True)
    page = window.page
    assert await _fits(page)
    await window.register("Ada")
    other = await world.person("narrow", name="Narrow Friend")
    side, chat, history = page.locator(".side"), page.locator(".chat"), page.locator(".history")
    await expect(side).to_be_visible()
    await expect(chat).to_be_hidden()
    await window.talk_with("Narrow Friend")
    await expect(side).to_be_hidden()
    await window.say("a" * 300, "https://example.org/" + "b" * 200)
    await window.sees("a" * 300, "https://example.org/" + "b" * 200)
    assert await _fits(page)
    await page.get_by_label("Show or hide the history").tap()
    await expect(history).to_be_visible()
    await expect(chat).to_be_hidden()
    await page.locator(".event summary").first.click()
    assert await _fits(page)
    await page.go_back()
    await expect(chat).to_be_visible()
    await page.get_by_label("Back to the list").tap()
    await expect(side).to_be_visible()
    # Nothing is read while the list is in front.
    (room,) = await until(lambda: _rooms(window), "the state is saved")
    await other.say(room, "are you here?")
    await expect(window.chat("Narrow Friend").locator(".badge")).to_have_text("1")
    await page.get_by_role("button", name="Edit your character").first.tap()
    assert await _fits(page)
    await window.press("Close")
    for opens in ("New room", "Your account"):
        await page.get_by_role("button", name=opens).tap()
        await expect(page.get_by_role("dialog")).to_be_visible()
        assert await _fits(page)
        await window.press("Close")
    # A room, its details, its search, and what one can do with a message: without a pointer that hovers.
    await window.make_room("A room with quite a long name for such a narrow screen", Description="b" * 200)
    assert await _fits(page)
    await window.say("here")
    await page.get_by_label("Actions for message").tap()
    assert await _fits(page)
    await page.get_by_role("menuitem", name="Edit").tap()
    await expect(page.get_by_label("Change message")).to_be_focused()
    assert await _fits(page)
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Search the messages").tap()
    await page.keyboard.type("here")
    await expect(page.locator("mark")).to_have_text(["here"])
    assert await _fits(page)
    await window.press("Close")
    await window.details()
    assert await _fits(page)


async def _rooms(window: Window) -> list[str]:
    return list((await window.state())["rooms"])


async def _fits(page: Page) -> bool:
    """Nothing is wider than the screen."""
    return bool(
        await page.evaluate(
            """() => [document.documentElement, ...document.querySelectorAll("#app *, dialog, dialog *")]
                .filter((one) => one.checkVisibility() && !one.closest("svg, .unseen, .skip"))
                .every((one) => one.getBoundingClientRect().right <= innerWidth + 0.5)"""
        )
    )
