"""Rooms in the demo: making, finding, running, archiving and deleting them, as their people see it.
Tests ``api/web/view/rooms.js`` and ``api/web/view/room.js``."""

from __future__ import annotations

import re
import secrets

from playwright.async_api import Locator, expect

from infra.base.settings import Settings
from tests.client import World
from tests.running import until
from tests.web.conftest import Open, operator
from tests.web.windows import Window


async def _people(windows: Open, world: World, *names: str) -> list[Window]:
    found = [await windows(world.url) for _ in names]
    for window, name in zip(found, names, strict=True):
        await window.register(name)
    return found


def _member(window: Window, other: Window) -> Locator:
    return window.page.get_by_label("Members", exact=True).get_by_role("listitem").filter(has_text=other.username)


async def _deed(window: Window, other: Window, deed: str) -> None:
    """Chooses from the menu of a member."""
    await _member(window, other).get_by_label("What to do with").click()
    await window.page.get_by_role("menuitem", name=deed, exact=True).click()


async def test_a_room_with_an_address_of_its_own(windows: Open, world: World) -> None:
    (ada,) = await _people(windows, world, "Ada")
    page, slug = ada.page, f"tea-{secrets.token_hex(4)}"
    other = await world.person("owner")
    await other.group(name="Taken", id=f"{slug}-taken")
    await ada.press("New room")
    # What people see of it: nothing here but a direction that turns.
    await page.get_by_label("Name", exact=True).fill("Tea\u202e the room")
    await page.get_by_label("Description").fill("Leaves and water")
    await page.get_by_text("Address and settings").click()
    # What the browser knows to be wrong never reaches the server; the rest the server says in its own words.
    await page.get_by_label("Address").fill("No Slug")
    await ada.press("Make the room")
    assert await page.get_by_label("Address").evaluate("one => one.validity.patternMismatch")
    ada.expected += ["status of 409", "status of 422"]
    await page.get_by_label("Address").fill(f"{slug}-taken")
    await ada.press("Make the room")
    await expect(page.get_by_role("alert")).to_contain_text(f"{slug}-taken, which exists")
    await expect(page.get_by_label("Address")).to_be_focused()
    await page.get_by_label("Address").fill(slug)
    await ada.press("Make the room")
    await expect(page.get_by_role("alert")).to_contain_text("Expected one line that people see")
    await page.get_by_label("Name", exact=True).fill("Tea: the room")
    await page.get_by_label("Only admins write").check()
    await page.get_by_text("Private", exact=True).click()
    await ada.press("Make the room")
    await expect(page).to_have_url(re.compile(f"#/rooms/{slug}$"))
    await expect(page.locator(".chat-head small")).to_have_text("1 member · 1 online · Leaves and water")
    await expect(page.locator(".chat-head .kind")).to_have_attribute("aria-label", "private room")
    await ada.details()
    await expect(page.locator(".room-card .hint")).to_contain_text("Only admins write")


async def test_a_topic_line_stands_under_the_name(windows: Open, world: World) -> None:
    ada, bo = await _people(windows, world, "Ada", "Bo")
    await ada.make_room(f"Lines of {ada.name}", bo.name)
    await bo.enter(f"Lines of {ada.name}")
    line, seen = (window.page.locator(".chat-head .topic-line") for window in (ada, bo))
    await expect(line).to_be_hidden()
    await ada.details()
    await ada.press("Change")
    await ada.page.get_by_label("Topic line").fill("  Today: scones  ")
    await ada.press("Save")
    await expect(ada.page.locator(".room-topic-line")).to_have_text("Today: scones")
    for shown in (line, seen):
        await expect(shown).to_have_text("Today: scones")
    await bo.press("Everything")
    await expect(bo.page.locator(".event-actor").filter(has_text="Today: scones")).to_have_count(1)
    # What is written back with all the rest is no change, and nothing is none.
    await ada.press("Change")
    await expect(ada.page.get_by_label("Topic line")).to_have_value("Today: scones")
    await ada.page.get_by_label("Topic line").fill("")
    await ada.press("Save")
    for shown in (line, seen):
        await expect(shown).to_be_hidden()
    await bo.details()
    await expect(bo.page.get_by_role("button", name="Change", exact=True)).to_have_count(0)


async def test_discovering_public_rooms(windows: Open, world: World) -> None:
    ada, bo = await _people(windows, world, "Ada", "Bo")
    await ada.make_room(f"Open {ada.name}", Description="Come in")
    await ada.say("first")
    await ada.press("New room")
    await ada.page.get_by_label("Name", exact=True).fill(f"Closed {ada.name}")
    await ada.page.get_by_text("Private", exact=True).click()
    await ada.press("Make the room")
    await expect(ada.page.locator(".chat-head h1")).to_have_text(f"Closed {ada.name}")
    await bo.press("Discover")
    listed = bo.page.get_by_label("Public rooms").get_by_role("button")
    row = listed.filter(has_text=f"Open {ada.name}")
    await expect(row).to_contain_text("1 member · Come in")
    await expect(row.locator(".join")).to_have_text("Join")
    await expect(listed.filter(has_text=f"Closed {ada.name}")).to_have_count(0)
    await row.click()
    await bo.sees("first")
    await expect(bo.notices).to_have_text(["You joined"])
    await expect(row.locator(".join")).to_have_text("Open")
    # Those who are there receive it, in the list too.
    last = ada.chat(f"Open {ada.name}").locator(".row-last")
    await expect(last).to_have_text(f"{bo.name} joined")


async def test_roles_from_promotion_to_passing_the_room_on(windows: Open, world: World) -> None:
    ada, bo, cy = await _people(windows, world, "Ada", "Bo", "Cy")
    await ada.make_room(f"Roles of {ada.name}", bo.name, cy.name)
    for window in (bo, cy):
        await window.enter(f"Roles of {ada.name}")
        await window.details()
    await ada.details()
    # A plain member is offered nothing but leaving.
    await expect(_member(bo, cy)).to_be_visible()
    await expect(bo.page.get_by_role("button", name="What to do with")).to_have_count(0)
    for name in ("Change", "Archive", "Delete the room"):
        await expect(bo.page.get_by_role("button", name=name, exact=True)).to_have_count(0)
    await expect(bo.page.get_by_role("button", name="Leave the room")).to_be_visible()
    # Promoted, Bo may change the room, and put out members, but not the owner.
    await _deed(ada, bo, "Make an admin")
    await expect(_member(cy, bo).locator(".role")).to_have_text("admin")
    await expect(bo.page.get_by_role("button", name="Change", exact=True)).to_be_visible()
    await expect(_member(bo, ada).get_by_role("button", name="What to do with")).to_have_count(0)
    await _member(bo, cy).get_by_label("What to do with").click()
    await expect(bo.page.get_by_role("menuitem")).to_have_text(["Remove from the room"])
    await bo.page.keyboard.press("Escape")
    await _deed(ada, bo, "Take the admin role back")
    await expect(_member(cy, bo).locator(".role")).to_be_hidden()
    # The room is passed on only after asking; the crown goes with it.
    await _deed(ada, cy, "Pass the room on")
    await ada.press("Cancel")
    await expect(_member(ada, ada).locator(".role")).to_have_text("owner")
    await _deed(ada, cy, "Pass the room on")
    await ada.press("Pass it on")
    await expect(_member(bo, cy).locator(".role")).to_have_text("owner")
    await expect(_member(bo, ada).locator(".role")).to_have_text("admin")
    # The new owner puts Bo out: for Bo the room is gone.
    await _deed(cy, bo, "Remove from the room")
    await cy.press("Remove")
    await expect(bo.page.get_by_role("dialog")).to_have_count(0)
    await expect(bo.page.locator(".side .row")).to_have_count(0)
    await ada.press("Close")
    await expect(ada.notices).to_have_text(
        [
            f"You made {bo.name} an admin",
            f"You made {bo.name} a member again",
            f"{cy.name} now owns the room",
            f"{cy.name} removed {bo.name}",
        ]
    )


async def test_settings_decide_who_writes_and_who_lets_in(windows: Open, world: World) -> None:
    ada, bo = await _people(windows, world, "Ada", "Bo")
    name = f"Rules of {ada.name}"
    await ada.make_room(name, bo.name)
    await bo.enter(name)
    await expect(bo.box).to_be_enabled()
    await ada.details()
    await ada.press("Change")
    await ada.page.get_by_label("Only admins write").check()
    await ada.page.get_by_label("Only admins let others in").check()
    await ada.page.get_by_label("Description").fill("Quiet, please")
    await ada.press("Save")
    await expect(bo.box).to_be_disabled()
    await expect(bo.box).to_have_attribute("placeholder", "Only admins write in this room")
    await bo.details()
    await expect(bo.page.locator(".room-about")).to_have_text("Quiet, please")
    await expect(bo.page.get_by_label("Find people by name")).to_be_hidden()
    # Whether one is told of messages is one's own.
    await ada.press("Close")
    await bo.page.get_by_label("Notify me of messages").uncheck()
    await until(lambda: _not_notified(bo), "the choice is kept")
    await bo.press("Close")
    await bo.page.evaluate("location.hash = '#/'")
    await ada.say("hush")
    await expect(bo.chat(name).locator(".badge[data-muted]")).to_have_text("1")
    assert await bo.page.title() == "Klatsch"


async def _rooms(window: Window) -> list[str]:
    return list((await window.state())["rooms"])


async def _not_notified(window: Window) -> bool:
    (entry,) = (await window.state())["rooms"].values()
    return entry["member"]["notifications"] is False


async def test_archived_rooms_are_read_and_deleted_ones_are_gone(
    windows: Open, world: World, installed: Settings
) -> None:
    ada, bo = await _people(windows, world, "Ada", "Bo")
    name = f"Past of {ada.name}"
    await ada.make_room(name, bo.name)
    await ada.say("for the archive")
    await bo.enter(name)
    (room,) = await until(lambda: _rooms(bo), "the state is saved")
    await ada.details()
    await ada.press("Archive")
    await expect(bo.box).to_be_disabled()
    await expect(bo.page.locator(".chat-head small")).to_contain_text("archived")
    await expect(bo.chat(name)).to_have_count(0)
    past = bo.page.get_by_label("Archived chats").get_by_role("link")
    await expect(past).to_have_count(1)
    await bo.sees("for the archive")
    await bo.message("for the archive").hover()
    await bo.message("for the archive").get_by_label("Actions for message").click()
    await expect(bo.page.get_by_role("menuitem")).to_have_text(["Mark unread from here", "Show the event"])
    await bo.page.keyboard.press("Escape")
    await ada.press("Take out of the archive")
    await expect(bo.box).to_be_enabled()
    await expect(bo.chat(name)).to_have_count(1)
    # Deleting asks for the room's name.
    await ada.press("Delete the room")
    sure = ada.page.get_by_role("button", name="Delete for everybody")
    await expect(sure).to_be_disabled()
    await ada.page.get_by_label("to go on").fill(name)
    await sure.click()
    for window in (ada, bo):
        await expect(window.page.get_by_role("dialog")).to_have_count(0)
        await expect(window.page.locator(".side .row")).to_have_count(0)
        await expect(window.page.locator(".nothing")).to_be_visible()
        assert "for the archive" not in await window.page.content()
    # An operator brings it back, with all that was said.
    await world.call("rooms.restore", {"room": room}, token=operator(installed))
    await expect(bo.chat(name).locator(".row-last")).to_have_text(f"{ada.name}: for the archive")
    await bo.enter(name)
    await bo.sees("for the archive")
