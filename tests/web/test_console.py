"""The operators' console in Chromium: getting in, the figures, the tail, parked streams, a room in time."""

from __future__ import annotations

import re
from typing import Any

from playwright.async_api import Locator, Page, expect

from infra import operator_token, postgres
from infra.embedded.ports import free_port
from infra.settings import Settings
from tests.client import World
from tests.running import until
from tests.web.conftest import Open
from tests.web.windows import Window

_EVIL = """<img src=x onerror="document.title='owned'"><b>&amp;</b>"""


async def console(windows: Open, settings: Settings, **context: Any) -> Window:
    """An open console that has its first figures."""
    context.setdefault("viewport", {"width": 1600, "height": 1000})
    window = await windows(operator_token.console_link(settings), **context)
    window.url = f"http://{settings.address}"
    await expect(window.page.locator(".state")).to_have_text(re.compile("All is well|problem"))
    return window


def panel(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name, exact=True)


async def test_the_link_opens_the_wall(windows: Open, world: World, installed: Settings) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    room = await ada.group(bob)
    window = await console(windows, installed)
    page = window.page
    # The secret is in no address any more, and a reload of this tab needs no new link.
    assert page.url == f"{window.url}/console/"
    await expect(page.locator(".state")).to_have_text("All is well")
    await expect(page.locator(".strip li")).to_have_count(3 * installed.partitions)
    await expect(page.get_by_label("Owners of shards")).to_contain_text(f"{installed.address}: handles 0–1, rooms 0–1")
    process = panel(page, "Processes").locator(".processes > li")
    await expect(process).to_have_attribute("data-state", "good")
    await expect(process).to_contain_text("api, feed, project, push")
    commands = panel(page, "Commands")

    async def drawn() -> bool:
        await ada.say(room)
        return await commands.locator(".figure").inner_text() not in ("–", "0")

    await until(drawn, "the chart shows commands")
    await expect(commands.locator("path.line").first).to_have_attribute("d", re.compile(r"^M.*L"))
    await expect(commands.get_by_role("img")).to_have_attribute(
        "aria-label", re.compile("now, a second: decided [0-9]")
    )
    await expect(panel(page, "Stored")).to_contain_text("records of rooms")
    await page.reload()
    await expect(page.locator(".state")).to_have_text("All is well")


async def test_who_has_no_link_is_told_how_to_get_one(windows: Open, world: World, installed: Settings) -> None:
    window = await windows(f"{world.url}/console")
    await expect(window.page.get_by_role("main")).to_contain_text("./klatsch console")
    window.url = world.url
    # A bad link is refused, which Chromium tells too.
    window.expected += ["401", "403"]
    # In the same tab only the fragment changes: the page looks again.
    await window.page.evaluate("location.hash = '#token=garbage'")
    await expect(window.page.get_by_role("alert")).to_contain_text("expected a token of this installation")
    ada = await world.person("ada")
    other = await windows(f"{world.url}/console/#token={ada.token}")
    other.url, other.expected = world.url, ["403"]
    await expect(other.page.get_by_role("alert")).to_contain_text("operator")


async def test_the_tail_shows_what_happens_and_runs_nothing(windows: Open, world: World, installed: Settings) -> None:
    ada = await world.person("ada")
    room, other = await ada.group(), await ada.group()
    window = await console(windows, installed)
    tail = panel(window.page, "Live tail")
    rows = tail.get_by_role("listitem")
    await tail.get_by_label("Only events of stream").fill(room)
    await tail.get_by_label("Only events of type").fill("message.*")
    await tail.get_by_role("button", name="Filter").click()

    async def arrives() -> bool:
        await ada.say(other, "elsewhere")
        await ada.say(room, _EVIL)
        return await rows.count() > 0

    await until(arrives, "an event arrives")
    await rows.first.get_by_role("button").click()
    envelope = rows.first.locator("pre")
    await expect(envelope).to_contain_text("onerror")
    await expect(envelope).to_contain_text(f'"subject": "{room}"')
    await tail.get_by_role("button", name="Pause").click()
    shown = await rows.count()
    for n in range(3):
        await ada.say(room, f"unseen {n}")
    # One more may have been on its way when the button was pressed.
    await expect(tail).to_contain_text(re.compile("[3-9] new"))
    assert await rows.count() == shown
    await tail.get_by_role("button", name="Go on").click()
    await rows.first.get_by_role("button").click()
    await expect(rows.first.locator("pre")).to_contain_text("unseen 2")
    assert await rows.count() >= shown + 3
    for text in await tail.locator("ol b").all_inner_texts():
        assert text == "message.posted"
    assert await window.page.title() != "owned"


async def test_what_is_wrong_is_said_with_what_to_do(windows: Open, world: World, installed: Settings) -> None:
    window = await console(windows, installed)
    address = f"127.0.0.1:{free_port()}"
    connection = await postgres.connect(installed, application_name=postgres.process_name(installed, address))
    troubles = window.page.get_by_label("Problems")
    try:
        await expect(troubles).to_contain_text(f"The process at {address} does not answer")
        await expect(troubles).to_contain_text("klatsch status")
        await expect(window.page.locator(".state")).to_have_text("1 problem")
    finally:
        await connection.close()
    await expect(window.page.locator(".state")).to_have_text("All is well")
    await expect(troubles).to_be_hidden()


async def test_a_parked_stream_is_retried_after_a_question(windows: Open, world: World, installed: Settings) -> None:
    ada = await world.person("ada")
    connection = await postgres.connect(installed)
    window = await console(windows, installed)
    parked = panel(window.page, "Parked streams")
    await expect(parked).to_contain_text("Nothing is parked.")
    try:
        await connection.execute("alter table rooms add constraint bad check (name <> 'Refused') not valid")
        await ada.do("rooms.create", type="public", name="Refused", members=[])
        await expect(parked).to_contain_text("CheckViolation")
        await expect(window.page.get_by_label("Problems")).to_contain_text("1 stream parked")
        await parked.get_by_text("Events", exact=True).click()
        await expect(parked.locator("pre").first).to_contain_text('"name": "Refused"')
        await parked.get_by_role("button", name="Retry", exact=True).click()
        await parked.get_by_role("button", name="Retry now").click()
        await expect(parked.get_by_role("status")).to_contain_text("still wait")
    finally:
        await connection.execute("alter table rooms drop constraint bad")
        await connection.close()
    # By keyboard: the question has the focus, and leaving it gives the focus back.
    await parked.get_by_role("button", name="Retry", exact=True).focus()
    await window.page.keyboard.press("Enter")
    await expect(parked.get_by_role("button", name="Retry now")).to_be_focused()
    await window.page.keyboard.press("Enter")
    await expect(parked.get_by_role("status")).to_contain_text("is free")
    await expect(parked).to_contain_text("Nothing is parked.")


async def test_a_room_is_dragged_through_its_past(windows: Open, world: World, installed: Settings) -> None:
    ada, bob = await world.person("ada", name="Ada"), await world.person("bob", name="Bob")
    name = "Drawing room"
    room = await ada.group(bob, name=name)
    await ada.say(room, _EVIL)
    before = (await world.call("console.room", {"room": room}, token=operator_token.token(installed)))["number"]
    await ada.do("rooms.change", room=room, name="Drawn room")
    await bob.do("members.remove", room=room, user="me")
    window = await console(windows, installed)
    past = panel(window.page, "A room in time")
    await past.get_by_label("Find a room").fill(room)
    await expect(past.get_by_role("heading", name="Drawn room")).to_be_visible()
    slider = past.get_by_label("Events of the room")
    await expect(past.get_by_label("Members then").get_by_role("listitem")).to_have_text(["Ada, owner"])
    await slider.focus()
    count = int(await slider.input_value())
    for _ in range(count - before):
        await window.page.keyboard.press("ArrowLeft")
    await expect(past.get_by_role("heading", name=name)).to_be_visible()
    await expect(past.get_by_label("Members then").get_by_role("listitem")).to_have_text(["Ada, owner", "Bob"])
    await expect(past.get_by_label("Messages then").get_by_role("listitem").last).to_contain_text("onerror")
    await window.page.keyboard.press("Home")
    await expect(past.get_by_label("Members then").get_by_role("listitem")).to_have_count(0)
    await past.get_by_role("button", name="Play").click()
    await expect(past.get_by_role("heading", name="Drawn room")).to_be_visible()
    await expect(past.get_by_role("button", name="Play")).to_be_visible()
    window.expected.append("422")
    await past.get_by_label("Go to a time or an offset").fill("2020-01-01")
    await window.page.keyboard.press("Enter")
    await expect(past.get_by_role("status")).to_contain_text("when the room was made, or later")


async def test_nothing_is_wider_than_a_narrow_screen(windows: Open, world: World, installed: Settings) -> None:
    ada = await world.person("ada")
    room = await ada.group(name="n" * 100)
    await ada.say(room, "a" * 400)
    window = await console(windows, installed, viewport={"width": 360, "height": 720})
    await panel(window.page, "A room in time").get_by_label("Find a room").fill(room)
    await expect(window.page.get_by_role("heading", name="n" * 100)).to_be_visible()
    assert await window.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_an_open_console_renews_its_token(windows: Open, world: World, installed: Settings) -> None:
    window = await console(windows, installed)
    await window.page.clock.install()
    await window.page.reload()
    await expect(window.page.locator(".state")).to_have_text("All is well")

    async def renewals() -> int:
        return sum(url.endswith("/v1/console/token") for url in window.requests)

    before = await renewals()
    await window.page.clock.fast_forward("10:00")

    async def renewed() -> bool:
        return await renewals() > before

    await until(renewed, "the page asks for another token")
    assert await window.page.evaluate("sessionStorage.getItem('klatsch.console')")
    await expect(window.page.locator(".state")).to_have_text("All is well")


_RATES = """async ([first, then]) => {
    const { History, quantile } = await import("/console/history.js");
    const history = new History();
    history.add(first);
    const { values } = history.add(then);
    return { values, halves: quantile([0.01, 0.1], [0, 10, 10], 0.5), beyond: quantile([0.01, 0.1], [0, 0, 4], 0.5) };
}"""


def _figures(at: int, end: int | None, commands: int, started: str) -> dict[str, Any]:
    shard = {"topic": "rooms", "partition": 0, "end": end, "applied": 90, "feed_lag": None}
    counts = {"commands": commands, "refused": 0, "deliveries": 0}
    process = {"address": "a", "started": started, "answering": True, "counts": counts,
               "requests": {"bounds": [0.01, 0.1], "counts": [commands / 2, commands, commands]}}  # fmt: skip
    return {"at": f"2026-11-21T08:00:0{at}.000Z", "shards": [shard], "processes": [process]}


async def test_rates_survive_a_restart_and_what_is_not_known(windows: Open, world: World, installed: Settings) -> None:
    page = (await console(windows, installed)).page
    found = await page.evaluate(_RATES, [_figures(1, 100, 10, "x"), _figures(3, 110, 30, "x")])
    assert found["values"]["events.rooms"] == 5 and found["values"]["commands"] == 10
    assert found["values"]["lag.read_models"] == 20 and found["values"]["lag.feed"] is None
    assert found["values"]["p50"] == 10 and 90 < found["values"]["p99"] <= 100
    assert round(found["halves"]) == 55 and found["beyond"] == 100
    # A process that was started again counts from 0; what Kafka does not tell is unknown, not zero.
    found = await page.evaluate(_RATES, [_figures(1, 100, 1000, "x"), _figures(3, None, 5, "y")])
    assert found["values"]["commands"] == 0 and found["values"].get("events.rooms") is None
    assert found["values"]["lag.read_models"] is None
