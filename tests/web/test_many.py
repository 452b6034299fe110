"""The demo of who is in very many rooms: the page holds what is in sight, and asks for no more than that needs.
Tests ``api/web/view/windowed.js``."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any, NamedTuple

from playwright.async_api import Locator, expect

from tests.client import Person, World
from tests.running import until
from tests.web.conftest import Open
from tests.web.windows import PASSWORD, Window

#: Rooms of the one who logs in; of these, direct ones, each with somebody who has a character of their own.
ROOMS = 300
DIRECT = 60
#: Messages of the busiest room, by three people in turn, so that each has its author's face.
SAID = 600
#: The most elements that the page may hold.
ELEMENTS = 1500
#: Rows that may be asked for: those in sight in a window of this height, and a few beyond.
ROWS = 30
_MODEL = {"kind": "face", "shape": "cat", "colour": "sky", "extra": "bow"}


class Crowd(NamedTuple):
    """Somebody with many rooms, all unread; the latest activity is in the last direct rooms, then in ``busy``."""

    ada: Person
    busy: str
    authors: list[Person]


async def _crowd(world: World) -> Crowd:
    ada = await world.person("many", password=PASSWORD, name="Ada")
    authors = [await world.person("author", name=f"Author {number}") for number in range(3)]
    busy = await authors[0].group(ada, *authors[1:], name="Busy")
    gate = asyncio.Semaphore(16)

    async def group(number: int) -> None:
        async with gate:
            room = await authors[number % 3].group(ada, name=f"Room {number:03}")
            await authors[number % 3].say(room, "hello")

    async def direct(number: int) -> None:
        async with gate:
            other = await world.person("direct", name=f"Person {number:03}")
            await other.do("visuals.choose", model_data=_MODEL, emotion_data={})
            await other.say(await other.direct(ada), "hello")

    async def say(author: Person) -> None:
        for number in range(SAID // len(authors)):
            await author.say(busy, f"{number} of {author.username}")

    await asyncio.gather(*(group(number) for number in range(ROOMS - DIRECT - 1)))
    await asyncio.gather(*map(say, authors))
    await asyncio.gather(*map(direct, range(DIRECT)))
    return Crowd(ada, busy, authors)


def _asked(window: Window, path: str) -> list[str]:
    return [one for one in window.requests if f"/v1/{path}" in one]


async def _elements(window: Window) -> int:
    return int(await window.page.evaluate("document.querySelectorAll('*').length"))


def _chats(window: Window) -> Locator:
    return window.page.get_by_label("Chats", exact=True)


def _sight(window: Window) -> Locator:
    """What scrolls around the list."""
    return window.page.locator(".list").filter(has=_chats(window))


async def test_very_many_rooms_and_messages(windows: Open, world: World) -> None:
    crowd = await _crowd(world)
    window = await windows(world.url)
    await window.log_in(crowd.ada.username)
    row = _chats(window).get_by_role("listitem")
    await expect(row.first).to_have_attribute("aria-setsize", str(ROOMS), timeout=60_000)
    await expect(window.page.get_by_role("button", name="Unread")).to_have_text(f"Unread ({ROOMS})")
    assert await row.count() <= ROWS
    # Not a request for every person of the list: those in sight are asked for.
    await expect(row.first.locator("path[fill='#84b9f2']")).to_be_visible()
    assert all(len(one.split("%2C")) <= ROWS for one in _asked(window, "visuals"))
    assert len(_asked(window, "visuals")) <= 3 and len(_asked(window, "")) <= 15
    await _by_keyboard(window)
    await _unread_only(window)
    await _scrolled_back(window, crowd)


async def _by_keyboard(window: Window) -> None:
    """The keys reach rows that are no elements yet, and the focus outlives scrolling."""
    keys = window.page.keyboard
    first = _chats(window).get_by_role("link").first
    await first.focus()
    await keys.press("End")
    last = _chats(window).get_by_role("link").last
    await expect(last).to_be_focused()
    await expect(last).to_be_in_viewport()
    await expect(_chats(window).get_by_role("listitem").last).to_have_attribute("aria-posinset", str(ROOMS))
    await _sight(window).evaluate("one => one.scrollTo(0, 0)")
    await expect(first).to_be_in_viewport()
    await expect(last).to_be_focused()
    await keys.press("Home")
    await expect(first).to_be_focused()
    assert await _elements(window) < ELEMENTS


async def _unread_only(window: Window) -> None:
    """A room that is opened out of sight is scrolled to; once it is read, the filter leaves it out."""
    await _chats(window).get_by_role("link").first.focus()
    await window.page.keyboard.press("End")
    last = _chats(window).get_by_role("listitem").last.get_by_role("link")
    name, address = await last.locator(".row-title").inner_text(), await last.get_attribute("href")
    await _sight(window).evaluate("one => one.scrollTo(0, 0)")
    await window.page.get_by_label("Find people and rooms").focus()
    await window.page.evaluate("address => location.hash = address", address)
    await expect(window.chat(name)).to_be_in_viewport()
    await expect(window.page.locator(".chat-head h1")).to_have_text(name)
    await expect(window.chat(name).locator(".badge")).to_be_hidden()
    button = window.page.get_by_role("button", name="Unread")
    await button.click()
    await expect(button).to_have_attribute("aria-pressed", "true")
    setsize = _chats(window).get_by_role("listitem").first
    # The open one stays until another is opened.
    await expect(setsize).to_have_attribute("aria-setsize", str(ROOMS))
    await window.page.evaluate("location.hash = '#/'")
    await expect(setsize).to_have_attribute("aria-setsize", str(ROOMS - 1))
    await button.click()
    await expect(setsize).to_have_attribute("aria-setsize", str(ROOMS))


async def _scrolled_back(window: Window, crowd: Crowd) -> None:
    """From the latest message to the first: each is seen once, and the page stays small."""
    await window.page.evaluate("room => location.hash = `#/rooms/${room}`", crowd.busy)
    await expect(window.page.locator(".new-line")).to_be_in_viewport()
    await window.page.get_by_role("button", name="Go to the latest").click()
    await until(lambda: _shows(window, SAID), "the latest is there")
    scroller = window.page.locator(".scroller")
    most, seen = 0, set[int]()
    while 1 not in (shown := await _numbers(window)):
        seen.update(shown)
        most = max(most, await _elements(window))
        await scroller.evaluate("one => one.scrollTo(0, 0)")
        await until(partial(_moved, window, shown), "older ones come")
    seen.update(shown)
    assert seen == set(range(1, max(seen) + 1)) and len(seen) >= SAID
    assert most < ELEMENTS, f"{most} elements"


async def _numbers(window: Window) -> list[int]:
    found: list[Any] = await window.page.locator(".messages").evaluate(
        "one => [...one.querySelectorAll('[data-seq]')].map((row) => Number(row.dataset.seq))"
    )
    return [int(number) for number in found]


async def _shows(window: Window, seq: int) -> bool:
    return max(await _numbers(window), default=0) >= seq


async def _moved(window: Window, before: list[int]) -> bool:
    return await _numbers(window) != before
