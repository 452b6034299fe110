"""Two applications in the demo, side by side: the same names, and nothing of one in the other.
Tests ``api/web/klatsch/application.js``, ``api/web/view/welcome.js``."""

from __future__ import annotations

import secrets

import pytest
from playwright.async_api import expect

from infra.base.settings import Settings
from tests.api.applications import App, made
from tests.client import World
from tests.web.conftest import Open, operator
from tests.web.windows import PASSWORD, Window


@pytest.fixture
async def harbour(installed: Settings, world: World) -> App:
    return await _open(installed, world, "Harbour")


@pytest.fixture
async def airport(installed: Settings, world: World) -> App:
    return await _open(installed, world, "Airport")


async def _open(installed: Settings, world: World, name: str) -> App:
    """A new application in which anybody may register."""
    app = await made(world, operator(installed))
    change = {"app": app.id, "name": name, "settings": {"registration": True}}
    await world.call("apps.change", change, token=operator(installed))
    return app


def _address(world: World, app: App) -> str:
    return f"{world.url}/?app={app.key}"


async def _register(window: Window, username: str, name: str) -> None:
    await window.page.get_by_label("Username").fill(username)
    await window.page.get_by_label("Shown name").fill(name)
    await window.page.get_by_label("Password").fill(PASSWORD)
    await window.page.locator("button[type=submit]").click()
    await window.online()


async def test_two_applications_side_by_side(windows: Open, world: World, harbour: App, airport: App) -> None:
    there, here = await windows(_address(world, harbour)), await windows(_address(world, airport))
    await expect(there.page.locator(".wordmark")).to_have_text("Harbour")
    username = f"pilot-{secrets.token_hex(3)}"
    # One username, two people.
    await _register(there, username, "Grace of the harbour")
    await _register(here, username, "Ada of the airport")
    await expect(there.page.locator(".wordmark")).to_have_text("Harbour")
    await expect(here.page).to_have_title("Airport")
    await there.make_room("Pilots")
    await there.say("The tide is in.")
    await here.make_room("Pilots")
    await here.say("The fog is out.")
    await there.sees("The tide is in.")
    await here.sees("The fog is out.")
    assert await there.texts() == ["The tide is in."] and await here.texts() == ["The fog is out."]
    # Nobody of the other is found, and no room.
    await here.find("Grace of")
    await expect(here.page.get_by_text("Nobody and nothing is called")).to_be_visible()
    await here.find("Pilots")
    await expect(here.page.get_by_label("Rooms found").get_by_role("listitem")).to_have_count(1)
    # No live channels outside the default application.
    await expect(here.page.get_by_label("Live channels")).to_have_count(0)
    # A reload stays in the application, another address in the same tab is another application.
    await here.page.reload()
    await here.online()
    await expect(here.page.locator(".wordmark")).to_have_text("Airport")
    await here.page.goto(_address(world, harbour))
    await expect(here.page.locator(".wordmark")).to_have_text("Harbour")
    await expect(here.page.get_by_label("Username")).to_be_visible()
    assert "Ada of the airport" not in await here.page.content()
    await here.page.goto(world.url)
    await expect(here.page.locator(".wordmark")).to_have_text("Klatsch")
    await here.page.goto(_address(world, airport))
    await here.online()


async def test_log_in_where_nobody_may_register(windows: Open, installed: Settings, world: World, harbour: App) -> None:
    await world.call("apps.change", {"app": harbour.id, "settings": {"registration": False}}, token=operator(installed))
    window = await windows(_address(world, harbour))
    await expect(window.page.get_by_role("note")).to_have_text("Harbour makes the accounts of its people by itself.")
    await expect(window.page.get_by_role("button", name="Create account")).to_have_count(0)
    await expect(window.page.get_by_role("button", name="Log in")).to_be_visible()


async def test_a_key_of_nobody_is_told(windows: Open, world: World) -> None:
    window = await windows(f"{world.url}/?app=kk_{'a' * 26}")
    window.expected.append("401")
    await expect(window.page.get_by_role("alert")).to_contain_text("expected a valid API key")
    await expect(window.page.locator("button[type=submit]")).to_be_disabled()
