"""The product's mark: one drawing, which every page shows in its own colours. Tests ``api/web/icon.svg``."""

from __future__ import annotations

from playwright.async_api import expect

from tests.client import World
from tests.web.conftest import Open

#: Width of what is drawn, in units of the icon (32 wide); 0 while nothing is.
_DRAWN = "document.querySelector('.wordmark .mark > *').getBBox().width"


async def test_every_page_with_the_mark_draws_it(windows: Open, world: World) -> None:
    window = await windows(world.url)
    await window.page.wait_for_function(f"{_DRAWN} === 28")
    await window.register("Ada")
    await window.page.wait_for_function(f"{_DRAWN} === 28")
    await window.page.goto(f"{world.url}/docs")
    await window.page.wait_for_function(f"{_DRAWN} === 28")


async def test_in_the_colours_of_the_day_and_of_the_night(windows: Open, world: World) -> None:
    page = (await windows(f"{world.url}/docs")).page
    bubble = page.locator(".wordmark .mark path").first
    await page.emulate_media(color_scheme="light")
    await expect(bubble).to_have_css("fill", "rgb(15, 100, 104)")
    await page.emulate_media(color_scheme="dark")
    await expect(bubble).to_have_css("fill", "rgb(79, 179, 174)")
