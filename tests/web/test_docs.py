"""The page ``/docs`` in a browser: its samples, and its forms, which call the operations of a real installation.
Tests ``api/docs/``."""

from __future__ import annotations

import json
import re
import secrets

from playwright.async_api import Locator, Page, expect

from api.docs import prefill
from api.docs.forms import GRAVE
from api.docs.page import CONTENT_POLICY
from api.registry import all_operations
from infra.ops.generate.examples import story
from infra.ops.generate.files import ROOT
from tests.api.story import IDS
from tests.client import World
from tests.web.conftest import Open
from tests.web.windows import PASSWORD, Window

_EVIL = """<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>"""
#: Fields and buttons in sight without a name that is read out.
_NAMELESS = """() => [...document.querySelectorAll("button, input, textarea, a")]
    .filter((one) => one.checkVisibility() && !one.labels?.length && !one.ariaLabel && !one.textContent.trim())
    .map((one) => one.outerHTML)"""


class Operation:
    """The article of an operation, and the form in it."""

    def __init__(self, page: Page, name: str) -> None:
        self.page = page
        self.article = page.locator(f'[id="{name}"]')
        self.form = self.article.locator(".try form")
        self.answer = self.form.locator(".answer")
        self.body = self.form.locator("textarea")

    async def open(self) -> None:
        if not await self.form.is_visible():
            await self.article.get_by_text("Try it", exact=True).click()

    async def send(self, body: object = None) -> None:
        await self.open()
        if body is not None:
            await self.body.fill(json.dumps(body))
        await self.form.get_by_role("button", name="Send").click()

    async def answers(self, status: int) -> str:
        """Waits for an answer; its body as it is shown."""
        await expect(self.answer.locator(".status")).to_have_text(re.compile(rf"^{status} "))
        return await self.answer.locator("pre").inner_text()


async def _account(window: Window) -> str:
    """Makes an account on the page; its username."""
    name = f"reader-{secrets.token_hex(3)}"
    await window.page.get_by_label("Username", exact=True).fill(name)
    await window.page.get_by_label("Password", exact=True).fill(PASSWORD)
    await window.press("Create account")
    await expect(window.page.locator("#who")).to_have_text(name)
    return name


async def test_a_reader_logs_in_makes_a_room_sends_and_reads(windows: Open, world: World) -> None:
    window = await windows(f"{world.url}/docs")
    page = window.page
    window.expected.append("status of 401")
    await expect(page.locator("#who")).to_have_text("Log in")
    await Operation(page, "users.me").send()
    assert "unauthenticated" in await Operation(page, "users.me").answers(401)
    name = await _account(window)
    # A log-in with the wrong password, and with the right one.
    await page.get_by_label("Password", exact=True).fill("wrong horse")
    await page.get_by_role("button", name="Log in", exact=True).click()
    await expect(page.locator("#token-said")).to_have_text("wrong username or password")
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_role("button", name="Log in", exact=True).click()
    await expect(page.locator("#token-said")).to_contain_text(f"Logged in as {name} until")
    assert await page.get_by_label("Password", exact=True).input_value() == ""
    create = Operation(page, "rooms.create")
    await create.send({"type": "private", "name": "Tea"})
    room = json.loads(await create.answers(201))["room"]["id"]
    await expect(create.answer.locator("dl")).to_contain_text("Klatsch-Position")
    # The room that was just made is the one that the other forms name.
    send = Operation(page, "messages.send")
    first = json.loads(await send.body.input_value())
    await send.send({**first, "content": {"text": _EVIL}})
    assert json.loads(await send.answers(201))["message"]["content"]["text"] == _EVIL
    read = Operation(page, "messages.read")
    await read.open()
    assert await read.form.get_by_label("room").input_value() == room
    await read.send()
    shown = await read.answers(200)
    assert json.loads(shown)["messages"][-1]["content"]["text"] == _EVIL
    # What others wrote is text here: it made no element, and ran nothing.
    assert await page.locator("main img, .answer script").count() == 0
    assert await page.title() == "Klatsch API"
    await _token_stays_in_the_tab(window)


async def _token_stays_in_the_tab(window: Window) -> None:
    token = await window.page.get_by_label("Token", exact=True).input_value()
    assert token.count(".") == 2
    assert [url for url in window.requests if token in url] == []
    assert token not in await window.page.evaluate("JSON.stringify({...localStorage}) + location + document.cookie")
    await window.page.reload()
    assert await window.page.get_by_label("Token", exact=True).input_value() == token
    await window.page.get_by_label("Token", exact=True).fill("")
    assert await window.page.evaluate("sessionStorage.length") == 0


async def test_what_is_wrong_with_an_account_stands_beside_its_field(windows: Open, world: World) -> None:
    window = await windows(f"{world.url}/docs")
    page = window.page
    window.expected += ["status of 409", "status of 422"]
    username, password = (page.get_by_label(name, exact=True) for name in ("Username", "Password"))
    name = f"reader-{secrets.token_hex(3)}"
    await world.call("users.register", {"username": name, "password": PASSWORD})
    await username.fill("a b")
    await password.fill("short")
    await window.press("Create account")
    await expect(page.locator("#password-wrong")).to_have_text(re.compile(r"^Expected .*8.*; got .*5.*\.$"))
    await expect(page.locator("#username-wrong")).to_have_text(re.compile(r"^Expected .*; got .*\.$"))
    await expect(username).to_have_attribute("aria-invalid", "true")
    await expect(username).to_be_focused()
    await expect(page.locator("#token-said")).to_be_empty()
    # What is mended is not said any more; a name that is taken stands beside the name.
    await password.fill(PASSWORD)
    await expect(page.locator("#password-wrong")).to_be_empty()
    await username.fill(name)
    await window.press("Create account")
    await expect(page.locator("#username-wrong")).to_have_text(f"Expected a free username; got {name}, which is taken.")
    await username.fill(f"{name}-2")
    await window.press("Create account")
    await expect(page.locator("#who")).to_have_text(f"{name}-2")
    await expect(page.locator("[aria-invalid]")).to_have_count(0)


async def test_what_takes_away_asks_first(windows: Open, world: World) -> None:
    window = await windows(f"{world.url}/docs")
    page = window.page
    await _account(window)
    create, delete = Operation(page, "rooms.create"), Operation(page, "rooms.delete")
    await create.send({"type": "private", "name": "Tea"})
    room = json.loads(await create.answers(201))["room"]["id"]
    await delete.send()
    await expect(page.get_by_role("dialog")).to_contain_text(f"DELETE /v1/rooms/{room}")
    await page.get_by_role("button", name="Cancel").click()
    await delete.send()
    await page.keyboard.press("Escape")
    assert [url for url in window.requests if url.endswith(room)] == []
    await expect(delete.answer).to_be_empty()
    await delete.send()
    await page.get_by_role("button", name="Send it").click()
    await expect(delete.answer.locator(".status")).to_have_text(re.compile("^204 "))
    assert len([url for url in window.requests if url.endswith(room)]) == 1


async def test_what_forms_begin_with_is_nobody_elses(windows: Open, world: World) -> None:
    """No form of a fresh account sends an id of the examples: what waits for one says where it is from."""
    window = await windows(f"{world.url}/docs")
    page = window.page
    await _account(window)
    names = await page.locator("article[id]:has(.try)").evaluate_all("all => all.map((one) => one.id)")
    assert set(names) == {operation.name for operation in all_operations() if not operation.only_rpc} | {"stream"}
    given = await page.locator(".try form :is(input, textarea)").evaluate_all("all => all.map((one) => one.value)")
    assert [value for value in given if any(id_ in value for id_ in IDS)] == []
    waiting = page.locator(".try form:has(.hint)")
    asked = len(window.requests)
    names = await waiting.evaluate_all("all => all.map((one) => one.closest('article').id)")
    assert {"messages.send", "presence.get", "visuals.choose", "console.retry"} <= set(names)
    for name in names:
        one = Operation(page, name)
        await one.send()
        await expect(one.answer).to_contain_text(re.compile(r"^Not sent: [\w, ]+ is empty\. .*: [a-z]+\.[a-z]+\.$"))
    assert window.requests[asked:] == [], "an empty id was sent"


async def test_a_reader_who_only_presses_send(windows: Open, world: World) -> None:
    window = await windows(f"{world.url}/docs")
    await _account(window)
    create, visual = Operation(window.page, "rooms.create"), Operation(window.page, "visuals.create")
    choose = Operation(window.page, "visuals.choose")
    await create.send()
    room = json.loads(await create.answers(201))["room"]["id"]
    await visual.send()
    made = json.loads(await visual.answers(201))["visual"]["id"]
    await choose.send()
    assert json.loads(await choose.answers(200))["user"]["visual"] == made
    send = Operation(window.page, "messages.send")
    texts = ["Good morning, what joy"]
    await send.send()
    await send.answers(201)
    # Another text, and the same once more: each is a message of its own.
    await send.body.fill((await send.body.input_value()).replace(texts[0], "and more"))
    for _ in range(2):
        await send.send()
        texts.append("and more")
        await expect(send.answer.locator("pre")).to_contain_text(f'"seq": {len(texts)}')
        await send.answers(201)
    # A key that somebody typed is theirs, and tried twice.
    window.expected.append("status of 409")
    typed = {"client_id": "by-hand", "content": {"text": "once"}}
    await send.send(typed)
    await expect(send.answer.locator("pre")).to_contain_text("by-hand")
    await send.send({**typed, "content": {"text": "twice"}})
    assert "key_reused" in await send.answers(409)
    read = Operation(window.page, "messages.read")
    await read.send()
    shown = json.loads(await read.answers(200))["messages"]
    assert [one["content"]["text"] for one in shown] == [*texts, "once"]
    assert {one["room"] for one in shown} == {room} and len({one["token"] for one in shown}) == 4


def test_no_script_turns_text_into_markup() -> None:
    """And the browser would not let it: see the policy in api/docs/page.py."""
    sources = {path.name: path.read_text() for path in (ROOT / "api" / "docs" / "assets").glob("*.js")}
    assert len(sources) == 4
    assert [
        name for name, text in sources.items() if re.search(r"HTML|document\.write|\beval\(|Function\(", text)
    ] == []
    assert "require-trusted-types-for 'script'" in CONTENT_POLICY and "connect-src 'self'" in CONTENT_POLICY
    assert "unsafe" not in CONTENT_POLICY


def test_what_may_be_left_out_of_a_body_is_where_it_holds_an_id() -> None:
    text = {"type": "string"}
    schema = {
        "properties": {"room": text, "name": text, "members": {"type": "array"}, "user": text},
        "required": ["room", "name"],
    }
    example = {"room": story.ROOM, "name": "Tea", "members": [story.LINUS], "user": "me"}
    assert prefill.body(example, schema) == {"room": "", "name": "Tea", "user": "me"}
    # One of those that may be left out is needed.
    assert prefill.body({"members": [story.LINUS]}, schema) == {"members": [""]}
    assert prefill.body({"items": [example]}, {"properties": {"items": {"items": schema}}, "required": ["items"]}) == {
        "items": [{"room": "", "name": "Tea", "user": "me"}]
    }
    assert prefill.blanks({"items": [{"room": "", "name": "", "user": ""}, {"room": ""}]}) == ["room", "user"]


def test_what_asks_first_are_operations() -> None:
    assert {operation.name for operation in all_operations()} >= GRAVE


async def test_the_stream_shows_what_comes_until_it_is_stopped(windows: Open, world: World) -> None:
    window = await windows(f"{world.url}/docs")
    page = window.page
    await _account(window)
    stream, create = Operation(page, "stream"), Operation(page, "rooms.create")
    await stream.send()
    await stream.answers(200)
    await create.send({"type": "private", "name": "Heard on the stream"})
    await create.answers(201)
    await expect(stream.answer.locator("pre")).to_contain_text("Heard on the stream")
    await stream.form.get_by_role("button", name="Stop").click()
    await expect(stream.answer).to_contain_text("Stopped.")
    await expect(stream.form.get_by_role("button", name="Send")).to_be_enabled()


async def test_one_choice_of_language_is_for_all_samples(windows: Open, world: World) -> None:
    window = await windows(f"{world.url}/docs", permissions=["clipboard-read", "clipboard-write"])
    page = window.page
    first, sample = page.locator("#start .samples").first, Operation(page, "rooms.create").article.locator(".samples")
    await expect(sample.get_by_role("tabpanel")).to_contain_text('curl "$KLATSCH/v1/rooms"')
    await first.get_by_role("tab", name="JavaScript").click()
    await expect(sample.get_by_role("tabpanel")).to_contain_text("await fetch(`${klatsch}/v1/rooms`")
    # By keyboard, and over the end.
    await first.get_by_role("tab", name="JavaScript").press("ArrowRight")
    await expect(first.get_by_role("tab", name="Python")).to_be_focused()
    await expect(sample.get_by_role("tabpanel")).to_contain_text("requests.post(")
    # The server is the one from which the page came; what is copied is what is shown.
    await first.get_by_role("button", name="Copy").click()
    await expect(first.get_by_role("button", name="Copied")).to_be_visible()
    copied = await page.evaluate("navigator.clipboard.readText()")
    assert f'klatsch = "{world.url}"' in copied
    assert copied == await first.get_by_role("tabpanel").locator("code").inner_text()
    await page.reload()
    await expect(sample.get_by_role("tabpanel")).to_contain_text("requests.post(")
    await first.get_by_role("tab", name="Python").press("ArrowRight")
    await expect(sample.get_by_role("tabpanel")).to_contain_text("curl")


async def test_without_scripts_everything_stands_there(windows: Open, world: World) -> None:
    page = (await windows(f"{world.url}/docs", java_script_enabled=False)).page
    article = Operation(page, "rooms.create").article
    for code in ('curl "$KLATSCH/v1/rooms"', "await fetch(", "requests.post("):
        await expect(article.get_by_text(code)).to_be_visible()
    await expect(page.get_by_role("heading", name="How to authenticate")).to_be_visible()
    await expect(page.locator(".menu").get_by_text("rooms.create")).to_be_visible()
    # What only a script could do is not shown.
    assert await page.locator(".try:visible, #token:visible, #menu-button:visible").count() == 0


async def test_a_phone_shows_all_of_it(windows: Open, world: World) -> None:
    page = (await windows(f"{world.url}/docs", viewport={"width": 400, "height": 800})).page
    await expect(page.locator(".menu")).to_be_hidden()
    await page.get_by_role("button", name="Operations").click()
    await page.get_by_label("Filter operations").click()
    await page.keyboard.type("send a message")
    link: Locator = page.locator(".menu").get_by_role("link", name="messages.send")
    await expect(link).to_be_visible()
    await expect(page.locator(".menu").get_by_role("link", name="rooms.create")).to_be_hidden()
    await link.click()
    await expect(page.locator(".menu")).to_be_hidden()
    await expect(Operation(page, "messages.send").article).to_be_in_viewport()
    await page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    assert await page.evaluate("document.documentElement.scrollWidth") == 400
    assert await page.evaluate(_NAMELESS) == []


async def test_the_filter_by_keyboard(windows: Open, world: World) -> None:
    page = (await windows(f"{world.url}/docs")).page
    await page.keyboard.press("/")
    await expect(page.get_by_label("Filter operations")).to_be_focused()
    await page.keyboard.type("delete room")
    await expect(page.locator('[id="rooms.delete"]')).to_be_visible()
    await expect(page.locator('[id="messages.send"]')).to_be_hidden()
    await expect(page.locator("#intro")).to_be_hidden()
    await page.keyboard.type(" nothing has this")
    await expect(page.get_by_text("No operation has these words.")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.locator('[id="messages.send"]')).to_be_visible()
    # A link leads to what the filter hid.
    await page.keyboard.type("delete room")
    await page.evaluate("location.hash = '#messages.send'")
    await expect(page.locator('[id="messages.send"]')).to_be_in_viewport()
