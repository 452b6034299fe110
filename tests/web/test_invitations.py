"""Invitations in the demo: who is asked sees by whom, and accepts or declines.
Tests ``api/web/view/invitations.js``."""

from __future__ import annotations

import secrets

from playwright.async_api import Locator, expect

from tests.client import World
from tests.running import until
from tests.web.conftest import Open
from tests.web.windows import Window


async def two(windows: Open, world: World) -> tuple[Window, Window]:
    """Two strangers; the second has not chosen who may add them."""
    ada, bo = await windows(world.url), await windows(world.url)
    await ada.register("Ada")
    await bo.register("Bo", added_by=None)
    return ada, bo


def asked(window: Window) -> Locator:
    return window.page.get_by_label("Invitations").get_by_role("listitem")


async def test_a_message_request_is_accepted(windows: Open, world: World) -> None:
    ada, bo = await two(windows, world)
    await ada.talk_with(bo.name)
    await ada.say("Hello Bo", "are you there?")
    await ada.sees("Hello Bo", "are you there?")
    await expect(asked(bo)).to_contain_text("wants to talk with you")
    await expect(asked(bo)).to_contain_text(ada.name)
    # Over a reload too, and of what was said nothing is there.
    await bo.page.reload()
    await bo.online()
    await expect(asked(bo)).to_have_count(1)
    assert "Hello Bo" not in await bo.page.content()
    await asked(bo).get_by_role("button", name="Accept").click()
    await expect(bo.page.locator(".chat-head h1")).to_have_text(ada.name)
    await bo.sees("Hello Bo", "are you there?")
    await expect(asked(bo)).to_have_count(0)
    await bo.say("I am")
    await ada.sees("Hello Bo", "are you there?", "I am")
    await expect(ada.page.locator(".chat-head h1")).to_have_text(bo.name)


async def test_an_invitation_into_a_room_is_declined(windows: Open, world: World) -> None:
    ada, bo = await two(windows, world)
    await ada.make_room(f"Tea of {ada.name}", bo.name)
    await expect(ada.page.get_by_text("invited, and here once they accept")).to_be_visible()
    await expect(asked(bo)).to_contain_text(f"{ada.name} invites you")
    await expect(bo.chat(f"Tea of {ada.name}")).to_have_count(0)
    await asked(bo).get_by_role("button", name="Decline").click()
    await expect(asked(bo)).to_have_count(0)
    ada.expected += ["status of 403"]
    cy = f"Cy {secrets.token_hex(3)}"
    await world.person("cy", name=cy)
    await ada.details()
    for name in (bo.name, cy):
        await ada.page.get_by_label("Find people by name").fill(name)
        await ada.page.get_by_label(name).check()
    await ada.press("Add to the room")
    toasts = ada.page.locator(".toast")
    await expect(toasts.filter(has_text=f"{bo.name} has declined an invitation of yours; they have")).to_be_visible()
    assert (await bo.state())["me"]["id"] not in "".join(await toasts.all_inner_texts())
    # That is no reason against others. Who has declined is named, and not offered again, here and in a new room.
    await expect(ada.page.get_by_label("Members", exact=True)).to_contain_text(cy)
    await _is_not_offered(ada, bo)
    await ada.press("Close")
    await ada.press("New room")
    await _is_not_offered(ada, bo)
    await ada.press("Close")
    # Once Bo holds Ada for a friend, all is as before.
    await bo.person(ada.name)
    await bo.press("Add friend")
    await ada.press("New room")
    await ada.page.get_by_label("Find people by name").fill(bo.name)
    await expect(ada.page.get_by_label(bo.name)).to_be_enabled()


async def _is_not_offered(ada: Window, bo: Window) -> None:
    await ada.page.get_by_label("Find people by name").fill(bo.name)
    box = ada.page.get_by_label(bo.name)
    await expect(box).to_be_disabled()
    await expect(box).not_to_be_checked()


async def test_a_room_made_with_who_has_declined(windows: Open, world: World) -> None:
    ada, bo = await two(windows, world)
    await ada.make_room(f"Tea of {ada.name}", bo.name)
    await asked(bo).get_by_role("button", name="Decline").click()
    await expect(asked(bo)).to_have_count(0)
    await ada.press("New room")
    await ada.page.get_by_label("Name", exact=True).fill(f"More of {ada.name}")
    await ada.page.get_by_label("Find people by name").fill(bo.name)
    await ada.page.get_by_label(bo.name).check()
    ada.expected += ["status of 403"]
    await ada.press("Make the room")
    await expect(ada.page.get_by_role("alert")).to_have_text(
        f"{bo.name} has declined an invitation of yours; they have to join or write first"
    )
    await _is_not_offered(ada, bo)
    await ada.press("Make the room")
    await expect(ada.page.locator(".chat-head h1")).to_have_text(f"More of {ada.name}")


async def test_who_may_add_oneself_is_chosen_in_the_account(windows: Open, world: World) -> None:
    ada = await windows(world.url)
    await ada.register("Ada", added_by=None)
    token = await ada.token()
    choice = ada.page.get_by_label("Who may add you to rooms")
    await ada.press("Your account")
    await expect(choice).to_have_value("")
    for chosen in ("nobody", ""):

        async def known(chosen: str = chosen) -> bool:
            me = (await world.call("users.me", {}, token=token))["user"]
            return bool(me["added_by"] == (chosen or None))

        await choice.select_option(chosen)
        await until(known, "the server has the choice")
        await expect(choice).to_have_value(chosen)


async def test_who_was_asked_is_no_longer_chosen(windows: Open, world: World) -> None:
    ada, bo = await two(windows, world)
    await ada.make_room(f"Tea of {ada.name}")
    await ada.details()
    await ada.page.get_by_label("Find people by name").fill(bo.name)
    await ada.page.get_by_label(bo.name).check()
    await ada.press("Add to the room")
    await expect(ada.page.get_by_text("invited, and here once they accept")).to_be_visible()
    await expect(ada.page.get_by_label(bo.name)).not_to_be_checked()
    await expect(asked(bo)).to_contain_text(f"{ada.name} invites you")
