"""The demo at the widths of phones, tablets and screens: what one can press stands in sight, and nothing covers it.
Tests ``api/web/css/``."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from tests.client import World
from tests.web.conftest import Open
from tests.web.windows import Window

#: What is to be pressed or read, but is cut off at a side, or covered. What is scrolled away is neither.
_UNREACHABLE = """() => {
    const inside = (inner, outer) => inner.left >= outer.left - 1 && inner.right <= outer.right + 1;
    const page = { left: 0, right: innerWidth };
    const found = [];
    const wanted = "#app :is(button, input, textarea, select, a, summary, h1, h2), .toast button";
    for (const one of document.querySelectorAll(wanted)) {
        if (!one.checkVisibility() || one.matches(".skip, .seq, .act")) continue;
        const box = one.getBoundingClientRect();
        let [cut, away] = [!inside(box, page), false];
        for (let up = one.parentElement; up && up !== document.body; up = up.parentElement) {
            if (getComputedStyle(up).overflowX === "visible") continue;
            const frame = up.getBoundingClientRect();
            cut ||= !inside(box, frame);
            const middle = box.top + box.height / 2;
            away ||= middle < frame.top || middle > frame.bottom;
        }
        if (away) continue;
        const top = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
        if (cut || !top || !(one.contains(top) || top.contains(one) && !top.matches(".shell")))
            found.push(`${cut ? "cut off" : "covered"}: ${one.getAttribute("aria-label") ?? one.textContent}`);
    }
    return found;
}"""


async def _reachable(page: Page) -> None:
    assert await page.evaluate(_UNREACHABLE) == []


@pytest.mark.parametrize("width", [400, 768, 1024, 1280, 1600])
async def test_all_can_be_reached_at_any_width(windows: Open, world: World, width: int) -> None:
    window = await windows(world.url, viewport={"width": width, "height": 800}, reduced_motion="reduce")
    page = window.page
    await _reachable(page)
    await window.register("Ada")
    other = await world.person("wide", name="Somebody with quite a long name")
    await _reachable(page)
    await window.make_room(f"The room of {window.name} and everybody else")
    await window.say("a few words")
    await window.sees("a few words")
    await _reachable(page)
    await _history(window)
    for listed in ("People", "Discover", "Chats"):
        if width <= 760:
            await page.evaluate("location.hash = '#/'")
        await page.get_by_role("button", name=listed, exact=True).click()
        await _reachable(page)
    # A notice of what went wrong leaves the box to write in, and what sends it, free.
    window.expected.append("status of 404")
    room = await other.group(name="Not for Ada", type="private")
    await window.enter(f"The room of {window.name} and everybody else")
    await page.evaluate(
        "location => import('/view/toasts.js').then(({ toast }) => toast(location))", f"No {room}. " * 5
    )
    await expect(page.locator(".toast")).to_be_visible()
    await window.box.fill("seen")
    await page.get_by_role("button", name="Send").click()
    await window.sees("a few words", "seen")


async def _history(window: Window) -> None:
    """The history beside the conversation, or in its place; and back again."""
    history = window.page.get_by_label("History", exact=True)
    if not await history.is_visible():
        await window.page.get_by_label("Show or hide the history").click()
    await expect(history.locator(".event").first).to_be_visible()
    await _reachable(window.page)
    for scope in ("Everything", "This conversation"):
        await history.get_by_role("button", name=scope).click()
        await _reachable(window.page)
    await history.get_by_label("Hide the history").click()
    await expect(history).to_be_hidden()
    await expect(window.box).to_be_visible()
