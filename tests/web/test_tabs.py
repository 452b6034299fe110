"""Several tabs of one browser: they share a log-in, or are different people. Tests ``api/web/klatsch/sharing.js``."""

from __future__ import annotations

from playwright.async_api import expect

from tests.client import World
from tests.web.conftest import Open
from tests.web.windows import Window


async def _tab(window: Window) -> Window:
    """A further tab of the same browser."""
    page = await window.page.context.new_page()
    page.set_default_timeout(20_000)
    tab = Window(page, window.url)
    await page.goto(window.url)
    return tab


async def test_a_tab_goes_on_as_who_is_logged_in_in_another(windows: Open, world: World) -> None:
    ada = await windows(world.url)
    await ada.register("Ada")
    await ada.make_room(f"Tabs of {ada.name}")
    second = await _tab(ada)
    await second.press(f"Continue as {ada.name}")
    await second.online()
    await second.enter(f"Tabs of {ada.name}")
    await second.say("from the second")
    await ada.sees("from the second")
    # Nothing that outlives the tabs holds the token.
    token = await second.token()
    assert token not in await ada.page.evaluate("JSON.stringify({ ...localStorage }) + document.cookie")
    # Another tab can be somebody else, and both are offered to the next one.
    third = await _tab(ada)
    await third.register("Bo")
    await expect(ada.page.locator(".side-foot strong")).to_have_text(ada.name)
    fourth = await _tab(ada)
    for name in (ada.name, third.name):
        await expect(fourth.page.get_by_role("button", name=f"Continue as {name}")).to_have_count(1)
    # They share one session: logging out ends it everywhere.
    await ada.press("Log out")
    await expect(second.page.get_by_label("Username")).to_be_visible()
    await expect(third.page.locator(".state")).to_have_text("Online")
    assert [tab.unexpected() for tab in (third, fourth)] == [[], []]
