"""Writing in the demo: drafts, the day of what one reads, where a room begins, Markdown, wrong names.
Tests ``api/web/view/composer.js`` and ``api/web/view/editor.js``."""

from __future__ import annotations

import re

from playwright.async_api import expect

from tests.client import World
from tests.web.conftest import Open

_WRITTEN = "**bold** and *leaning*, `a < b *c*`, ~~gone~~ :tada: :nothing: snake_case_name 2*3*4 <b>no</b>"


async def test_a_draft_outlives_a_reload(windows: Open, world: World) -> None:
    window = await windows(world.url)
    await window.register("Ada")
    await window.make_room(f"One of {window.name}")
    await window.box.fill("half a thou")
    await window.make_room(f"Two of {window.name}")
    await expect(window.box).to_have_value("")
    await window.page.reload()
    await window.online()
    await window.enter(f"One of {window.name}")
    await expect(window.box).to_have_value("half a thou")
    await window.box.press("Enter")
    await window.sees("half a thou")
    await window.page.reload()
    await window.online()
    await expect(window.box).to_have_value("")
    # Who logs out leaves nothing behind.
    await window.box.fill("secret")
    await window.press("Log out")
    await expect(window.page.get_by_label("Username")).to_be_visible()
    assert await window.page.evaluate("sessionStorage.length") == 0


async def test_a_room_says_what_it_is_and_what_to_do_first(windows: Open, world: World) -> None:
    window = await windows(world.url)
    await window.register("Ada")
    page, name = window.page, f"New of {window.name}"
    await window.make_room(name)
    start = page.get_by_label("The start of the room")
    await expect(start).to_contain_text(f"This is the start of {name}")
    await expect(start).to_contain_text("Anybody finds it and may join.")
    await start.get_by_role("button", name="Add people").click()
    await expect(page.get_by_label("Find people by name")).to_be_focused()
    await window.press("Close")
    await start.get_by_role("button", name="Describe the room").click()
    await expect(page.get_by_label("Description")).to_be_focused()
    await page.keyboard.type("Leaves and water")
    await window.press("Save")
    await window.press("Close")
    await expect(start).to_contain_text("Leaves and water")
    await expect(start.get_by_role("button", name="Describe the room")).to_be_hidden()
    await window.say("first")
    await window.sees("first")
    await expect(start).to_be_hidden()


async def test_markdown_is_shown_and_nothing_is_parsed_as_html(windows: Open, world: World) -> None:
    window = await windows(world.url)
    await window.register("Ada")
    await window.make_room(f"Marked of {window.name}")
    await window.say(_WRITTEN)
    bubble = window.page.locator(".message[data-state=sent] .bubble").last
    await expect(bubble).to_have_text("bold and leaning, a < b *c*, gone 🎉 :nothing: snake_case_name 2*3*4 <b>no</b>")
    for tag, words in (("strong", "bold"), ("em", "leaning"), ("code", "a < b *c*"), ("s", "gone")):
        await expect(bubble.locator(tag)).to_have_text(words)
    await window.say("```js\nlet x = **1**;\n```\nhttps://example.org/a_b_c.")
    bubble = window.page.locator(".message[data-state=sent] .bubble").last
    await expect(bubble.locator("pre")).to_have_text("let x = **1**;")
    await expect(bubble.locator("a")).to_have_attribute("href", "https://example.org/a_b_c")


async def test_the_day_stays_in_sight_and_all_clocks_are_alike(windows: Open, world: World) -> None:
    window = await windows(world.url, locale="en-US", viewport={"width": 1280, "height": 420})
    await window.register("Ada")
    await window.make_room(f"Days of {window.name}")
    await window.say(*(f"line {number}" for number in range(20)))
    await window.sees("line 18", "line 19")
    day = window.page.locator(".day")
    await expect(day).to_be_in_viewport(ratio=1)
    await expect(day).to_have_text("Today")
    for clock in (".byline time", ".row-time"):
        await expect(window.page.locator(clock).first).to_have_text(re.compile(r"^([01]\d|2[0-3]):\d\d$"))
    await expect(window.page.locator(".event time").first).to_have_text(re.compile(r"^([01]\d|2[0-3]):\d\d:\d\d$"))


async def test_the_box_to_change_a_message_stands_where_it_stood(windows: Open, world: World) -> None:
    window = await windows(world.url)
    await window.register("Ada")
    await window.make_room(f"Edits of {window.name}")
    await window.say("ok")
    await window.sees("ok")
    before = await window.message("ok").locator(".bubble").bounding_box()
    await window.act("ok", "Edit")
    box = window.page.locator(".message.editing .bubble")
    await expect(box).to_be_visible()
    after = await box.bounding_box()
    assert before and after
    assert abs(before["x"] + before["width"] - after["x"] - after["width"]) < 2, "its right edge stays"


async def test_what_is_wrong_with_a_name_stands_beside_it(windows: Open, world: World) -> None:
    window = await windows(world.url)
    await window.register("Ada")
    window.expected.append("status of 422")
    page = window.page
    await window.press("New room")
    name = page.get_by_label("Name", exact=True)
    await name.fill("Tea\u202eroom")
    await window.press("Make the room")
    await expect(name).to_be_focused()
    await expect(page.locator(".field:has(#room-name) [role=alert]")).to_contain_text(
        "Expected one line that people see"
    )
    await expect(name).to_have_attribute("aria-invalid", "true")
    await name.fill("Tea")
    await expect(page.get_by_role("alert")).to_be_hidden()
