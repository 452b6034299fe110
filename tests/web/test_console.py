"""The operators' console in Chromium: getting in, the figures, the tail, parked streams, a room in time.
Tests ``api/web/console/``."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from playwright.async_api import Locator, Page, expect

from events.core.clock import now
from infra.base import postgres, reporting
from infra.base.settings import Settings
from infra.embedded.ports import free_port
from infra.ops import operator_token
from producers.engine.router import PROOF_HEADER, proof
from tests.client import World
from tests.running import until
from tests.servers import ALL, process
from tests.web.conftest import Open
from tests.web.windows import Window

_EVIL = """<img src=x onerror="document.title='owned'"><b>&amp;</b>"""
_ROOM = "#Tea & talk"


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
    await expect(page.locator(".strip li")).to_have_count(4 * installed.partitions)
    await expect(page.get_by_label("Owners of shards")).to_contain_text(f"{installed.address}: apps 0–1, handles 0–1")
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
        "aria-label", re.compile("Commands in the last 15 minutes; now, a second: decided [0-9]")
    )
    await expect(panel(page, "Stored")).to_contain_text("events of rooms")
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
    ada = await world.person("ada", name="Ada L")
    room, other = await ada.group(name=_ROOM[1:]), await ada.group()
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
    # Others may come above it.
    row = tail.locator(f'li[data-position="{await rows.last.get_attribute("data-position")}"]')
    await row.get_by_role("button").click()
    envelope = row.locator("pre")
    # Of names, not of tails of ids; the id is there to copy.
    await expect(row).to_contain_text(f"{_ROOM}by Ada L ({ada.username})")
    await expect(row.locator("code").first).to_have_text(room)
    await expect(envelope).to_contain_text("onerror")
    await expect(envelope).to_contain_text(f'"subject": "{room}"')
    await tail.get_by_role("button", name="Pause").click()
    shown = await rows.count()
    said = [await ada.say(room, f"unseen {n}") for n in range(3)]
    # One more may have been on its way when the button was pressed.
    await expect(tail).to_contain_text(re.compile("[3-9] new"))
    assert await rows.count() == shown
    await tail.get_by_role("button", name="Go on").click()
    # The last of the three may come after the button was pressed.
    last = tail.locator(f'li[data-position$="/{said[-1]["version"]}"]')
    await last.get_by_role("button").click()
    await expect(last.locator("pre")).to_contain_text("unseen 2")
    assert await rows.count() >= shown + 3
    for text in await tail.locator("ol b").all_inner_texts():
        assert text == "message.posted"
    assert await window.page.title() != "owned"


async def test_the_tail_takes_names_and_says_what_nobody_is_called(
    windows: Open, world: World, installed: Settings
) -> None:
    ada = await world.person("ada", name="Ada L")
    room = await ada.group(name=f"Tail {ada.username}")
    window = await console(windows, installed)
    tail = panel(window.page, "Live tail")
    for field in ("type", "stream", "actor"):
        box = tail.get_by_label(f"Only events of {field}")
        # What is written in it is not cut.
        assert await box.evaluate("""one => {
            const context = document.createElement("canvas").getContext("2d"), style = getComputedStyle(one);
            context.font = style.font;
            const room = one.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
            return context.measureText(one.placeholder).width <= room;
        }""")
    await tail.get_by_label("Only events of actor").fill("nobody at all")
    await tail.get_by_role("button", name="Filter").click()
    await expect(tail).to_contain_text("No room or person is called “nobody at all”")
    await expect(tail).to_contain_text("Nothing yet that fits the filter; waiting for new events")
    await tail.get_by_label("Only events of actor").fill(ada.username)
    await tail.get_by_label("Only events of stream").fill(f"#Tail {ada.username}")
    await tail.get_by_role("button", name="Filter").click()
    await expect(tail).not_to_contain_text("No room or person")

    async def arrives() -> bool:
        await ada.say(room, "here")
        return await tail.get_by_role("listitem").count() > 0

    await until(arrives, "an event arrives")
    await expect(tail).not_to_contain_text("Nothing yet")


async def test_rooms_of_one_name_are_told_apart(windows: Open, world: World, installed: Settings) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    name = f"Twin {ada.username}"
    one, other = await ada.group(bob, name=name), await ada.group(name=name)
    await ada.do("rooms.delete", room=other)
    window = await console(windows, installed)
    past = panel(window.page, "A room in time")
    await past.get_by_label("Find a room").fill(name)
    options = past.get_by_label("Room", exact=True).get_by_role("option")
    await expect(options).to_have_count(3)
    texts = await options.all_inner_texts()
    assert any(re.search(rf"2 members, .*{one[-6:]}\)$", text) for text in texts), texts
    assert any(re.search(rf"deleted, .*{other[-6:]}\)$", text) for text in texts), texts


async def test_shards_have_terms_and_those_that_are_not_named_are_counted(
    windows: Open, world: World, installed: Settings
) -> None:
    window = await console(windows, installed)
    cells = panel(window.page, "Shards").locator(".strip li small")
    await expect(cells.first).to_have_text(re.compile(r"^term "))
    texts = await window.page.evaluate("""async () => {
        const { judge } = await import(new URL("judge.js", document.querySelector("script[type=module]").src));
        const shards = [...Array(24).keys()].map((partition) => ({ topic: "rooms", partition, owner: null }));
        const sample = { values: { p99: 1 } }, faults = { postgres: "Postgres is still starting", kafka: "Odd" };
        return judge({ sample, shards, faults, disks: [], processes: [], parked: [] }).map(({ text }) => text);
    }""")
    assert "24 parts of the log (shards) without an owner: rooms/0, rooms/1, rooms/2, rooms/3 and 20 more." in texts
    assert {"Postgres is still starting.", "Kafka does not answer (Odd)."} <= set(texts)


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
    await expect(parked).to_contain_text("Nothing waits for a fix.")
    try:
        await connection.execute("alter table rooms add constraint bad check (name <> 'Refused') not valid")
        await ada.do("rooms.create", type="public", name="Refused", members=[])
        await expect(parked).to_contain_text("CheckViolation")
        await expect(window.page.get_by_label("Problems")).to_contain_text("1 room or person waiting for a fix")
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
    await expect(parked).to_contain_text("Nothing waits for a fix.")


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


async def test_the_charts_begin_before_the_page(windows: Open, world: World, installed: Settings) -> None:
    token = operator_token.token(installed)
    ada = await world.person("ada")
    room = await ada.group()

    async def kept() -> bool:
        await ada.say(room)
        found = (await world.call("console.history", {}, token=token))["samples"]
        return sum(one["values"]["commands"] is not None for one in found) >= 2

    # Nobody looks meanwhile; the server keeps one point in 5 s.
    await until(kept, "two points are kept")
    window = await console(windows, installed)
    # Of 5 s at least, which this page has not been open for.
    path = await panel(window.page, "Commands").locator("path.line").first.get_attribute("d")
    assert path is not None
    places = [float(x) for x in re.findall(r"[ML]([0-9.]+) ", path)]
    width = await window.page.evaluate("document.querySelector('.drawing').clientWidth") - 52
    assert (max(places) - min(places)) / width * 900 > 4.5, path


async def test_words_are_explained_by_keyboard_and_by_touch(windows: Open, world: World, installed: Settings) -> None:
    window = await console(windows, installed, has_touch=True)
    lag = panel(window.page, "Lag").get_by_role("button", name="What is “lag”?")
    note = window.page.get_by_role("note")
    await lag.focus()
    await window.page.keyboard.press("Enter")
    await expect(note).to_contain_text("Events that stand in the log")
    await window.page.keyboard.press("Escape")
    await expect(note).to_be_hidden()
    await expect(lag).to_be_focused()
    await panel(window.page, "Shards").get_by_role("button", name="What is “term”?").tap()
    await note.get_by_role("link", name="All words").tap()
    entry = window.page.locator("#word-term")
    await expect(entry).to_be_in_viewport()
    await expect(entry).to_be_focused()
    assert await window.page.locator("main [title]").count() == 0


async def test_limits_are_drawn_where_values_come_near(windows: Open, world: World, installed: Settings) -> None:
    page = (await console(windows, installed)).page
    requests = panel(page, "Requests")
    await expect(requests.locator("svg")).to_contain_text("a notice from 1,000")
    await expect(requests.locator("svg")).to_contain_text("ms")
    drawn = """async (p99) => {
        const { charts } = await import("/console/charts.js");
        const chart = charts()[3];
        chart.update([{ at: 1000, values: { p50: 1, p99 } }], 1000, 900000);
        return chart.element.querySelectorAll(".limit").length;
    }"""
    assert [await page.evaluate(drawn, p99) for p99 in (10, 240, 260)] == [0, 0, 1]


async def test_nothing_is_wider_than_a_narrow_screen(windows: Open, world: World, installed: Settings) -> None:
    ada = await world.person("ada")
    room = await ada.group(name="n" * 100)
    await ada.say(room, "a" * 400)
    window = await console(windows, installed, viewport={"width": 360, "height": 720})
    await panel(window.page, "A room in time").get_by_label("Find a room").fill(room)
    await expect(window.page.get_by_role("heading", name="n" * 100)).to_be_visible()
    await panel(window.page, "Live tail").get_by_label("Only events of stream").fill(room)
    await panel(window.page, "Live tail").get_by_role("button", name="Filter").click()
    await expect(panel(window.page, "Live tail").locator(".of").first).to_contain_text("nnn")
    await panel(window.page, "Live tail").locator("ol button").first.click()
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


# What these leave behind is shown for two minutes as gone: they come last.


async def test_what_is_old_is_grey(windows: Open, installed: Settings, tmp_path: Path, world: World) -> None:
    """A server that was killed: nothing of the page is to look as if it were so."""
    settings = replace(installed, port=free_port())
    async with process(settings, ALL, tmp_path / "log") as server:
        await server.ready()
        window = await console(windows, settings)
        window.expected += ["ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_CONNECTION_RESET"]
        page = window.page
        pill = panel(page, "Processes").locator(".health li").first
        await expect(pill).to_be_visible()
        green = await pill.evaluate("one => getComputedStyle(one).backgroundColor")
        await server.end()
        await expect(page.locator(".state")).to_have_text(re.compile(r"Old figures: of \d\d:\d\d:\d\d, [4-9] s ago"))
        await expect(page.get_by_label("Problems")).to_contain_text("No figures since the time above")
        assert await pill.evaluate("one => getComputedStyle(one).backgroundColor") != green
        for name in ("Events", "Commands"):
            await expect(panel(page, name).locator(".figure")).to_have_text("–")
        await server.start()
        await server.ready()
        await expect(page.locator(".wall")).not_to_have_attribute("data-old", "")
        await expect(pill).to_have_attribute("data-ok", "true")


async def test_a_process_without_a_word_is_grey(
    windows: Open, installed: Settings, tmp_path: Path, world: World
) -> None:
    settings = replace(installed, port=free_port())
    async with process(settings, frozenset({"project"}), tmp_path / "log") as other:
        await other.ready()
        window = await console(windows, installed)
        entry = panel(window.page, "Processes").locator(".processes > li").filter(has_text=settings.address)
        await expect(entry.locator(".health li[data-ok=true]").first).to_be_visible()
        await other.end()
        await expect(entry).to_contain_text("no word since")
        await expect(entry).to_contain_text("project")
        await expect(entry.locator(".health li").first).to_be_visible()
        await expect(entry.locator(".health li[data-ok]")).to_have_count(0)


async def test_a_worker_and_its_restarts_are_listed(windows: Open, world: World, installed: Settings) -> None:
    at = f"{datetime.now(UTC) - timedelta(minutes=3):%Y-%m-%dT%H:%M:%SZ}"
    again = replace(installed, port=1, restarts=2, ended=f"ended with exit code 1 at {at}")
    worker = reporting.ProcessReport(again, ["analytics"], now())
    old = replace(installed, port=2, restarts=2, ended="was killed (signal 9) at 2026-01-21T08:00:00Z")
    quiet = reporting.ProcessReport(old, ["quiet"], now())
    parts = {"progress": {"ok": False, "state": "no progress for 61 s with 5 records to read"}}
    says = (lambda: {**worker.figures(), "parts": parts}, lambda: {**quiet.figures(), "parts": {}})
    telling = asyncio.gather(
        *(reporting.report(world.url, {PROOF_HEADER: proof(installed)}, figures) for figures in says)
    )
    try:
        window = await console(windows, installed)
        # What is long past is no news.
        long_ago = panel(window.page, "Processes").locator(".processes > li").filter(has_text="quiet")
        await expect(long_ago.locator(".load")).to_contain_text("MiB")
        await expect(long_ago).not_to_contain_text("started again")
        entry = panel(window.page, "Processes").locator(".processes > li").filter(has_text="analytics")
        await expect(entry).to_contain_text("started again 2 times; the one before ended with exit code 1, 3 min ago")
        await expect(window.page.get_by_label("Problems")).to_contain_text("no progress for 61 s")
    finally:
        telling.cancel()
