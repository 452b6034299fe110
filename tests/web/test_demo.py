"""The demo as two people use it in two windows of a real browser, against a real server. Tests ``api/web/``."""

from __future__ import annotations

from functools import partial
from typing import Any

from playwright.async_api import Locator, expect

from infra.base.settings import Settings
from tests.client import World
from tests.running import until
from tests.web.conftest import Open, service
from tests.web.windows import Window


async def two(windows: Open, world: World) -> tuple[Window, Window]:
    ada, bo = await windows(world.url), await windows(world.url)
    await ada.register("Ada")
    await bo.register("Bo")
    return ada, bo


async def test_two_people_meet_and_talk_in_private(windows: Open, world: World) -> None:
    ada, bo = await two(windows, world)
    await ada.person(bo.name)
    await ada.press("Add friend")
    await ada.press("Friend")
    await ada.press("Add friend")
    await expect(ada.page.locator(".card-facts")).to_contain_text("your friend")
    await ada.press("Message")
    await ada.say("Hello Bo", "are you there?")
    await ada.sees("Hello Bo", "are you there?")
    await until(lambda: _is(bo.badge(ada.name), "2"), "two unread messages")
    assert await bo.page.title() == "(2) Klatsch"
    await bo.press("People")
    await expect(bo.page.get_by_label("Added you")).to_contain_text(ada.name)
    await bo.press("Chats")
    await bo.enter(ada.name)
    await bo.sees("Hello Bo", "are you there?")
    await expect(bo.page.locator(".new-line")).to_be_visible()
    await until(lambda: _is(bo.badge(ada.name), ""), "nothing unread any more")
    await bo.say("I am", "/me waves")
    await ada.sees("I am", f"{bo.name} waves")
    assert await bo.texts() == ["Hello Bo", "are you there?", "I am", f"{bo.name} waves"]
    await _same_as_snapshot(ada, world)
    await _same_as_snapshot(bo, world)


async def test_a_room_from_making_to_leaving(windows: Open, world: World) -> None:
    ada, bo = await two(windows, world)
    cy = await windows(world.url)
    await cy.register("Cy")
    await ada.press("New room")
    await ada.page.get_by_label("Name", exact=True).fill(f"Tea of {ada.name}")
    await ada.page.get_by_label("Find people by name").fill(bo.name)
    await ada.page.get_by_label(bo.name).check()
    await ada.press("Make the room")
    await ada.say("Tea at four?")
    await until(lambda: _is(bo.badge(f"Tea of {ada.name}"), "1"), "an unread message in the room")
    # A stranger finds the room and joins.
    await cy.find(f"tea of {ada.name}")
    await cy.page.get_by_label("Rooms found").get_by_role("button").click()
    await cy.sees("Tea at four?")
    await expect(cy.page.locator(".notice p")).to_contain_text("You joined")
    await cy.say("I come too")
    await ada.sees("Tea at four?", "I come too")
    # The owner renames it; the others see it without doing anything.
    await ada.page.locator(".chat-who").click()
    await expect(ada.page.locator("dialog h3")).to_have_text("3 members, 3 online")
    await ada.press("Change")
    await ada.page.get_by_label("Name", exact=True).fill(f"Coffee of {ada.name}")
    await ada.press("Save")
    await expect(cy.page.locator(".chat-head h1")).to_have_text(f"Coffee of {ada.name}")
    # A member lets another in.
    dee = await world.person("dee", name=f"Dee {ada.name}")
    await cy.page.locator(".chat-who").click()
    await cy.page.get_by_label("Find people by name").fill(f"dee {ada.name}")
    await cy.page.get_by_label(f"Dee {ada.name}").check()
    await cy.press("Add to the room")
    await expect(cy.page.get_by_label("Members").get_by_role("listitem")).to_have_count(4)
    await cy.press("Close")
    assert [entry["unread"] for entry in (await dee.do("rooms.find"))["rooms"]] == [0]
    await expect(ada.page.locator(".notice p").last).to_contain_text(f"{cy.name} let Dee {ada.name} in")
    # The owner goes: the one who came next owns it.
    await ada.press("Leave the room")
    await ada.press("Leave")
    await expect(ada.page.locator(".side .row")).to_have_count(0)
    await expect(cy.page.locator(".chat-head small")).to_contain_text("3 members")
    await bo.enter(f"Coffee of {ada.name}")
    await bo.page.locator(".chat-who").click()
    await expect(bo.page.get_by_label("Members").get_by_role("listitem").filter(has_text="owner")).to_contain_text(
        bo.username
    )
    for window in (ada, bo, cy):
        await _same_as_snapshot(window, world)


async def test_the_face_shows_an_emotion_only_if_the_visual_supports_it(
    windows: Open, world: World, installed: Settings
) -> None:
    ada, bo = await two(windows, world)
    await ada.page.get_by_role("button", name="Edit your character").first.click()
    await ada.page.locator("label[title=cat]").click()
    await ada.page.locator("label[title=lilac]").click()
    await ada.page.get_by_label("anger").uncheck()
    await ada.press("Save")
    await expect(ada.page.get_by_role("dialog")).to_have_count(0)
    await ada.talk_with(bo.name)
    await ada.say("What a lovely day")
    await bo.enter(ada.name)
    await bo.say("Indeed")
    await ada.sees("What a lovely day", "Indeed")
    await ada.say("But the milk is sour")
    await bo.sees("What a lovely day", "Indeed", "But the milk is sour")
    token = await service(installed, world)
    posted = await _messages(world, ada)
    await _detect(world, token, posted[0], "joy")
    await _detect(world, token, posted[2], "anger")
    # Bo has no character: nothing can show on it.
    await _detect(world, token, posted[1], "joy")
    for window in (ada, bo):
        first = window.page.locator(".message[data-seq='1'] .portrait")
        await expect(first.locator(".face")).to_have_attribute("data-emotion", "joy")
        await expect(first).to_have_attribute("aria-label", f"{ada.name}, joy")
        # The delta of the last detection has come, and shows nothing.
        await window.press("Everything")
        await expect(window.page.locator(".event-actor").filter(has_text="not shown")).to_have_count(2)
        for seq in (2, 3):
            face = window.page.locator(f".message[data-seq='{seq}'] .portrait .face")
            await expect(face).to_be_visible()
            assert await face.get_attribute("data-emotion") is None
    await _same_as_snapshot(bo, world)


#: What makes a private chat, the latest first.
_MADE = ["member.joined", "member.joined", "room.created"]


async def test_the_history_shows_the_events_as_they_happen(windows: Open, world: World) -> None:
    ada, bo = await two(windows, world)
    await ada.talk_with(bo.name)
    await ada.say("First")
    types = ada.page.locator(".event-type")
    await expect(types).to_have_text(["message.posted", *_MADE])
    # The past of the conversation is the same for who joins the page later, beside what is not for them.
    await bo.enter(ada.name)
    seen = bo.page.locator(".event-type")
    await expect(seen).to_have_text(["member.read", "message.posted", *_MADE])
    await bo.say("Second")
    # Ada has it in sight, so that she has read it; and she knows that Bo read hers.
    await expect(types).to_have_text(["member.read", "message.posted", "member.read", "message.posted", *_MADE])
    event = ada.page.locator(".event").nth(1)
    await expect(event.locator(".event-actor")).to_have_text(f"{bo.name} · #2 Second")
    await event.locator("summary").click()
    await expect(event.locator("pre")).to_contain_text('"text": "Second"')
    await expect(event.locator("pre")).to_contain_text(await event.locator("code").inner_text())
    # From a message to its event.
    await ada.page.locator(".message[data-seq='1']").hover()
    await ada.press("Show the event of message 1")
    await expect(ada.page.locator(".event.wanted pre")).to_contain_text('"First"')
    # Everything: also what is in no conversation.
    await bo.person(ada.name)
    await bo.press("Add friend")
    await ada.press("Everything")
    await expect(ada.page.locator(".event-type").first).to_have_text("relationship.set")


async def test_long_conversations_scroll_back(windows: Open, world: World) -> None:
    window = await windows(world.url)
    await window.register("Ada")
    author = await world.person("long", name="Long Writer")
    me = await window.state()
    room = (await author.do("rooms.create", type="direct", members=[me["me"]["id"]]))["room"]["id"]
    for number in range(1, 131):
        await author.say(room, f"line {number}")
    await until(lambda: _is(window.badge("Long Writer"), "130"), "all have arrived")
    # After a reload the page knows only the latest ones, and fetches the others as one scrolls.
    await window.page.reload()
    await window.online()
    await window.enter("Long Writer")
    await expect(window.page.locator(".new-line")).to_be_in_viewport()
    assert await window.badge("Long Writer") == "130", "what was never in sight is not read"
    # From there down page by page: the page holds no more than what is near.
    scroller, seen = window.page.locator(".scroller"), list[str]()
    while "line 130" not in (texts := await window.texts()):
        seen += texts[texts.index(seen[-1]) + 1 if seen else 0 :]
        await scroller.evaluate("one => one.scrollTo(0, one.scrollHeight)")
        await until(partial(_differs, window, texts), "more below")
    seen += texts[texts.index(seen[-1]) + 1 :]
    assert seen == [f"line {number}" for number in range(1, 131)]
    assert len(texts) < 130
    await scroller.evaluate("one => one.scrollTo(0, one.scrollHeight)")
    await until(lambda: _is(window.badge("Long Writer"), ""), "the end was in sight")
    # While one reads what is above, a new message does not move the page, but says that it is there.
    await scroller.evaluate("one => one.scrollTo(0, one.scrollHeight / 2)")
    middle = window.page.locator(".bubble").get_by_text("line 115", exact=True)
    place = await _bottom(middle)
    await author.say(room, "line 131")
    await expect(window.page.locator(".pill")).to_contain_text("1")
    assert abs(place - await _bottom(middle)) < 2
    await window.page.locator(".pill").click()
    await window.sees("line 131")


async def test_older_messages_come_in_above_what_is_in_sight(windows: Open, world: World) -> None:
    window = await windows(world.url)
    await window.register("Ada")
    author = await world.person("old", name="Old Writer")
    group = await author.group(name=f"Old {window.name}")
    for number in range(1, 121):
        await author.say(group, f"old {number}")
    await window.find(f"Old {window.name}")
    await window.page.get_by_label("Rooms found").get_by_role("button").click()
    await window.sees("old 119", "old 120")
    scroller = window.page.locator(".scroller")
    before = await window.texts()
    assert len(before) < 120
    # Its lower edge: the author's name above it goes away when an older message of theirs comes before it.
    top = window.page.locator(".bubble").get_by_text(before[0], exact=True)
    await scroller.evaluate("one => one.scrollTo(0, 60)")
    place = await _bottom(top)
    await until(lambda: _differs(window, before), "the page before has come")
    assert abs(place - await _bottom(top)) < 2
    while "old 1" not in (texts := await window.texts()):
        await scroller.evaluate("one => one.scrollTo(0, 0)")
        await until(partial(_differs, window, texts), "more above")
    assert texts == [f"old {number}" for number in range(1, len(texts) + 1)]
    assert len(texts) < 120


async def _bottom(one: Locator) -> float:
    box = await one.bounding_box()
    assert box
    return box["y"] + box["height"]


async def _differs(window: Window, before: list[str]) -> bool:
    return await window.texts() != before


async def _is(found: Any, expected: str) -> bool:
    return bool(await found == expected)


async def _messages(world: World, window: Window) -> list[dict[str, Any]]:
    token = await window.token()
    (entry,) = (await world.call("rooms.find", {}, token=token))["rooms"]
    found: list[dict[str, Any]] = (await world.call("messages.read", {"room": entry["room"]["id"]}, token=token))[
        "messages"
    ]
    return found


async def _detect(world: World, token: str, message: dict[str, Any], emotion: str) -> None:
    fields = {"room": message["room"], "message": message["id"], "emotion": emotion}
    await world.call("messages.set_emotion", fields, token=token)


async def _same_as_snapshot(window: Window, world: World) -> None:
    """What the window has folded from a snapshot and deltas equals a fresh snapshot."""
    token = await window.token()

    async def same() -> bool:
        fresh = await world.call("sync.get", {}, token=token)
        folded = await window.state()
        return _folded(folded) == _synced(fresh)

    await until(same, f"the state of {window.name} equals a snapshot")


def _synced(snapshot: dict[str, Any]) -> dict[str, Any]:
    return {
        "me": snapshot["me"],
        "rooms": {entry["room"]["id"]: [entry["room"], entry["member"]] for entry in snapshot["rooms"]},
        "last": {entry["room"]["id"]: entry["message"] for entry in snapshot["rooms"]},
        "mine": {one["other"]: one for one in snapshot["relationships"]},
        "theirs": {one["user"]: one for one in snapshot["friend_of"]},
    }


def _folded(state: dict[str, Any]) -> dict[str, Any]:
    rooms = state["rooms"]
    return {
        "me": state["me"],
        "rooms": {room: [entry["room"], entry["member"]] for room, entry in rooms.items()},
        "last": {room: state["messages"].get(room, {}).get(entry["room"]["last"]) for room, entry in rooms.items()},
        "mine": {other: one for other, one in state["relationships"].items() if one["type"]},
        "theirs": {user: one for user, one in state["friendOf"].items() if one["type"]},
    }
