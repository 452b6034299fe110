"""One's account in the demo: the e-mail address, logging in by it, and where one is logged in.
Tests ``api/web/view/account.js``."""

from __future__ import annotations

from playwright.async_api import expect

from tests.client import World
from tests.web.conftest import Open
from tests.web.windows import PASSWORD, Window


async def _log_in(window: Window, who: str) -> None:
    await window.press("Log in")
    await window.page.get_by_label("Username or e-mail").fill(who)
    await window.page.get_by_label("Password").fill(PASSWORD)
    await window.page.locator("button[type=submit]").click()


async def test_an_address_to_log_in_with(windows: Open, world: World) -> None:
    ada = await windows(world.url)
    await ada.register("Ada")
    address = f"{ada.username}@example.org"
    await ada.press("Your account")
    box = ada.page.get_by_role("dialog")
    await expect(box).to_contain_text("You have given no address.")
    await ada.page.get_by_label("New address").fill(address)
    await ada.page.get_by_label("Your password").fill("wrong horse")
    ada.expected.append("the server responded with a status of 40")
    await ada.press("Save the address")
    await expect(box.get_by_role("alert")).to_contain_text("password")
    await ada.page.get_by_label("Your password").fill(PASSWORD)
    await ada.press("Save the address")
    await expect(box).to_contain_text(address)
    # Somebody else cannot have it.
    bo = await windows(world.url)
    bo.expected.append("status of 409")
    await bo.page.get_by_label("Username").fill(f"{ada.username}-2")
    await bo.page.get_by_label("E-mail").fill(address)
    await bo.page.get_by_label("Password").fill(PASSWORD)
    await bo.page.locator("button[type=submit]").click()
    await expect(bo.page.get_by_role("alert")).to_contain_text("taken")
    await expect(bo.page.get_by_label("E-mail")).to_be_focused()
    await expect(bo.page.get_by_label("E-mail")).to_have_attribute("aria-errormessage", "field-email-error")
    # All that is wrong is told, each beside its field, until something else is in it.
    bo.expected.append("status of 422")
    await bo.page.get_by_label("Username").fill("___")
    await bo.page.get_by_label("E-mail").fill("bo@localhost")
    await bo.page.locator("button[type=submit]").click()
    await expect(bo.page.get_by_label("Username")).to_have_attribute("aria-invalid", "true")
    await expect(bo.page.get_by_label("Username").locator("..").get_by_role("alert")).to_contain_text(
        "a letter or a digit"
    )
    await expect(bo.page.get_by_label("E-mail").locator("..").get_by_role("alert")).to_contain_text("e-mail address")
    await expect(bo.page.get_by_label("Username")).to_be_focused()
    await bo.page.get_by_label("Username").fill("bo")
    await expect(bo.page.get_by_role("alert")).to_have_count(1)
    await _log_in(bo, address)
    await bo.online()
    await expect(bo.page.locator(".side-foot strong")).to_have_text(ada.name)


async def test_sessions_are_listed_and_ended(windows: Open, world: World) -> None:
    here, there = await windows(world.url), await windows(world.url)
    await here.register("Ada")
    await _log_in(there, here.username)
    await there.online()
    await here.press("Your account")
    rows = here.page.get_by_label("Sessions").get_by_role("listitem")
    await expect(rows).to_have_count(2)
    await expect(rows.filter(has_text="This window").get_by_role("button")).to_have_count(0)
    await rows.filter(has_text="Another one").get_by_role("button", name="Log out").click()
    await expect(rows).to_have_count(1)
    await expect(there.page.get_by_role("alert")).to_contain_text("session has ended")
    assert await there.page.evaluate("sessionStorage.length") == 0
