"""Messages in the demo after they were said: changed, deleted, read by others, marked as unread.
Tests ``api/web/view/messages.js``."""

from __future__ import annotations

from playwright.async_api import expect

from tests.client import World
from tests.running import until
from tests.web.conftest import Open
from tests.web.windows import Window


async def _pair(windows: Open, world: World) -> tuple[Window, Window, str]:
    """Two people who have a room open, and its name."""
    ada, bo = await windows(world.url), await windows(world.url)
    await ada.register("Ada")
    await bo.register("Bo")
    name = f"Room of {ada.name}"
    await ada.make_room(name, bo.name)
    await bo.enter(name)
    return ada, bo, name


async def test_a_message_is_changed_in_its_place(windows: Open, world: World) -> None:
    ada, bo, name = await _pair(windows, world)
    await ada.say("Tea at fuor", "see you")
    await bo.sees("Tea at fuor", "see you")
    await ada.act("Tea at fuor", "Edit")
    box = ada.page.get_by_label("Change message 1")
    await expect(box).to_be_focused()
    await expect(box).to_have_value("Tea at fuor")
    # Escape leaves it as it was.
    await box.fill("never mind")
    await box.press("Escape")
    await expect(ada.box).to_be_focused()
    await ada.sees("Tea at fuor", "see you")
    # From an empty box, Up changes the last message of one's own.
    await ada.box.press("ArrowUp")
    last = ada.page.get_by_label("Change message 2")
    await last.fill("see you there")
    await last.press("Enter")
    await bo.sees("Tea at fuor", "see you there")
    await ada.act("Tea at fuor", "Edit")
    await box.fill("Tea at four")
    await ada.press("Save")
    await bo.sees("Tea at four", "see you there")
    await expect(ada.box).to_be_focused()
    # What it was before, anybody in the room may see.
    await bo.message("Tea at four").get_by_role("button", name="was edited").click()
    versions = bo.page.get_by_role("dialog", name="Earlier versions").locator("li p")
    await expect(versions).to_have_text(["Tea at fuor", "Tea at four"])
    await bo.page.keyboard.press("Escape")
    await expect(versions).to_have_count(0)
    # It is still the same message: the last one stands in the list.
    await expect(bo.chat(name).locator(".row-last")).to_have_text(f"{ada.name}: see you there")
    await bo.message("Tea at four").hover()
    await bo.message("Tea at four").get_by_label("Actions for message").click()
    await expect(bo.page.get_by_role("menuitem")).to_have_text(
        ["Show edits", "Mark unread from here", "Show the event"]
    )


async def test_the_longest_message(windows: Open, world: World) -> None:
    ada, bo, _ = await _pair(windows, world)
    # Characters, not what JavaScript counts: an emoji is one.
    await ada.box.fill("🎉" * 2001)
    await expect(ada.page.locator(".composer .left")).to_have_text("-1")
    await ada.box.press("Enter")
    await expect(ada.box).to_have_value("🎉" * 2001)
    await ada.box.fill("🎉" * 2000)
    await ada.box.press("Enter")
    await bo.sees("🎉" * 2000)


async def test_a_deleted_message_leaves_its_place(windows: Open, world: World) -> None:
    ada, bo, name = await _pair(windows, world)
    await bo.say("something unwise")
    await ada.sees("something unwise")
    await ada.say("what?")
    await ada.sees("something unwise", "what?")
    # The owner may; it is asked for first.
    await ada.act("something unwise", "Delete")
    await expect(ada.page.get_by_role("dialog")).to_contain_text("something unwise")
    await ada.press("Cancel")
    await ada.sees("something unwise", "what?")
    await ada.act("something unwise", "Delete")
    await ada.press("Delete")
    for window in (ada, bo):
        await window.sees("Message deleted", "what?")
        await expect(window.page.locator(".bubble.gone")).to_have_count(1)
        assert "unwise" not in await window.page.content()
    await bo.act("Message deleted", "Show the event")
    await expect(bo.page.locator(".event.wanted pre")).to_contain_text('"content": {}')
    # A member may delete what is their own, and nothing else.
    await bo.message("what?").hover()
    await bo.message("what?").get_by_label("Actions for message").click()
    await expect(bo.page.get_by_role("menuitem")).to_have_text(["Mark unread from here", "Show the event"])
    await bo.page.keyboard.press("Escape")
    await ada.act("what?", "Delete")
    await ada.press("Delete")
    await expect(bo.chat(name).locator(".row-last")).to_have_text(f"{ada.name}: Message deleted")
    # After a reload it is the same.
    await bo.page.reload()
    await bo.online()
    await bo.sees("Message deleted", "Message deleted")


async def test_reading_positions_of_others(windows: Open, world: World) -> None:
    ada, bo, name = await _pair(windows, world)
    await ada.say("one", "two")
    await ada.sees("one", "two")
    faces = ada.message("two").locator(".seen")
    await expect(faces).to_have_attribute("aria-label", f"Read by {bo.name}")
    # Bo goes elsewhere: what comes now is not read yet, and nothing moves when it is.
    await bo.page.evaluate("location.hash = '#/'")
    await ada.say("three")
    await ada.sees("one", "two", "three")
    await until(lambda: _badge(bo, name), "Bo has one unread message")
    await expect(faces).to_be_visible()
    before = await ada.message("two").bounding_box()
    await bo.enter(name)
    await expect(ada.message("three").locator(".seen")).to_be_visible()
    await expect(faces).to_be_hidden()
    assert await ada.message("two").bounding_box() == before
    await ada.message("three").locator(".seen").click()
    await expect(ada.page.get_by_role("dialog", name="Read up to here")).to_contain_text(f"{bo.name}just now")


async def _badge(window: Window, name: str) -> bool:
    return await window.badge(name) == "1"


async def test_marked_as_unread(windows: Open, world: World) -> None:
    ada, bo, name = await _pair(windows, world)
    await ada.say("one", "two", "three")
    await bo.sees("one", "two", "three")
    await expect(ada.message("three").locator(".seen")).to_be_visible()
    await bo.act("two", "Mark unread from here")
    await expect(bo.chat(name).locator(".badge")).to_have_text("2")
    # The others see it too, and it stays so while the messages are in sight.
    await expect(ada.message("one").locator(".seen")).to_be_visible()
    await bo.page.locator(".scroller").hover()
    await bo.page.mouse.wheel(0, 50)
    await ada.say("four")
    await bo.sees("one", "two", "three", "four")
    await expect(bo.chat(name).locator(".badge")).to_have_text("3")
    # Opened again, the line stands where one wanted to go on, and everything in sight is read.
    await bo.page.evaluate("location.hash = '#/'")
    await bo.enter(name)
    line = bo.page.locator(".new-line + .message .bubble")
    await expect(line).to_have_text("two")
    await expect(ada.message("four").locator(".seen")).to_be_visible()
