"""What the demo must not do: run what others wrote, keep what a log-out ends, lose what could not be sent.
Tests ``api/web/view/formatted.js`` and ``api/web/klatsch/session.js``."""

from __future__ import annotations

import re
import unicodedata
from hashlib import sha256
from pathlib import Path

import pytest
from playwright.async_api import expect

from infra.base.settings import Settings
from projectors.audience import AUDIENCES, NOBODY
from tests.client import World
from tests.running import until
from tests.web.conftest import Open, service
from tests.web.windows import PASSWORD, Window

_WEB = Path(__file__).resolve().parents[2] / "api" / "web"
_EVIL = """<img src=x onerror="document.title='owned'"><b>&amp;</b><script>document.title='owned'</script>"""


def test_no_source_turns_text_into_markup() -> None:
    forbidden = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc")
    sources = [path for path in _WEB.rglob("*.js") if "vendor" not in path.parts]
    assert len(sources) > 15
    assert [path.name for path in sources if forbidden.search(path.read_text())] == []
    page = (_WEB / "index.html").read_text()
    assert "default-src 'self'" in page
    assert re.findall(r"""(?:src|href)="([^"]+)\"""", page)
    assert not re.search(r"""(?:src|href)="(?:https?:)?//""", page)


def test_the_sdk_is_the_published_one() -> None:
    digest = sha256((_WEB / "vendor" / "centrifuge.js").read_bytes()).hexdigest()
    assert f"`{digest}`" in (_WEB / "vendor" / "README.md").read_text()
    assert "MIT License" in (_WEB / "vendor" / "centrifuge.LICENSE").read_text()


async def test_what_others_write_stays_text(windows: Open, world: World, installed: Settings) -> None:
    window = await windows(world.url)
    await window.register("Ada")
    evil = await world.person("evil", name=_EVIL[:100])
    me = (await window.state())["me"]["id"]
    room = (await evil.do("rooms.create", type="direct", members=[me]))["room"]["id"]
    await evil.say(room, _EVIL)
    await evil.do(
        "messages.send", room=room, client_id="t1", type="file", content={"url": "https://example.org/x", "name": _EVIL}
    )
    await evil.do("messages.send", room=room, client_id="t2", type="custom", content={"html": _EVIL})
    model = {"kind": "face", "shape": "__proto__", "colour": _EVIL, "extra": "constructor"}
    await evil.do("visuals.choose", model_data=model, emotion_data={"constructor": True})
    token = await service(installed, world)
    said = (await evil.do("messages.read", room=room))["messages"][0]
    fields = {"room": room, "message": said["id"], "emotion": "constructor"}
    assert (await world.call("messages.set_emotion", fields, token=token))["shown"]
    await window.page.get_by_label("Chats", exact=True).get_by_role("link").click()
    await expect(window.page.locator(".bubble").first).to_have_text(_EVIL)
    await expect(window.page.locator(".bubble.custom")).to_contain_text("onerror")
    await expect(window.page.locator(".message[data-seq='1'] .face")).to_have_attribute("data-emotion", "constructor")
    await expect(window.page.locator(".chat-head h1")).to_have_text(_EVIL[:100])
    await window.page.locator(".event summary").first.click()
    # Also where it is found, where it was changed, and what a room is for.
    await evil.do("messages.edit", room=room, message=said["id"], content={"text": f"{_EVIL} owned again"})
    await window.page.get_by_role("button", name="was edited").click()
    await expect(window.page.locator(".edits p").first).to_have_text(_EVIL)
    await window.press("Search the messages")
    await window.page.keyboard.type("owned")
    await expect(window.page.locator(".result mark").first).to_have_text("owned")
    await window.press("Close")
    group = await evil.group(name="Harmless", description=_EVIL)
    await evil.do("members.add", room=group, user=me)
    await window.enter("Harmless")
    await expect(window.page.locator(".chat-head small")).to_contain_text(_EVIL)
    await window.details()
    await expect(window.page.locator(".room-about")).to_have_text(_EVIL)
    await window.press("Close")
    await window.enter(_EVIL[:100])
    assert await window.page.title() == "Klatsch"
    assert await window.page.locator("#app img, #app script, #app b").count() == 0
    link = window.page.locator(".bubble.file a")
    assert await link.get_attribute("rel") == "noopener noreferrer"


@pytest.mark.parametrize(
    ("name", "initial"),
    [
        (_EVIL[:90], "<"),
        ("👨\u200d👩\u200d👧 (tea): scones, now!", "👨\u200d👩\u200d👧"),
        ("🇫🇷", "🇫🇷"),
        ("#général", "#"),
        ("שלום (tea)!", "ש"),
    ],
)
async def test_a_rooms_name_is_text(windows: Open, world: World, name: str, initial: str) -> None:
    window = await windows(world.url)
    await window.register("Ada")
    page = window.page
    await window.make_room(name)
    row = window.chat(name)
    await expect(row.locator(".row-title")).to_have_text(name)
    await expect(row.locator(".tile")).to_have_text(initial.upper())
    await expect(page.locator(".chat-head h1")).to_have_text(name)
    # Another finds it by its name, and by a part of it.
    other = await world.person("reader")
    for text in (name, name[:20]):
        found = (await other.do("rooms.find", name=text))["rooms"]
        assert name in [one["room"]["name"] for one in found]
    # Whoever deletes it types its name, as their keyboard composes it.
    await window.details()
    await window.press("Delete the room")
    await page.get_by_label("to go on").fill(unicodedata.normalize("NFD", name))
    await window.press("Delete for everybody")
    await expect(page.locator(".side .row")).to_have_count(0)
    assert await page.title() == "Klatsch"
    assert await page.locator("#app img, #app script, #app b").count() == 0


async def test_logging_in_and_out(windows: Open, world: World) -> None:
    window = await windows(world.url)
    await window.register("Ada")
    token = await window.token()
    await window.press("Log out")
    await expect(window.page.get_by_role("heading", name="Who are you?")).to_be_visible()
    assert await window.page.evaluate("sessionStorage.length") == 0
    assert token not in await window.page.evaluate("JSON.stringify({...localStorage}) + document.cookie")
    await until(lambda: _void(world, token), "the token is void", seconds=2)
    # The wrong password, then the right one.
    window.expected.append("status of 401")
    await window.press("Log in")
    await window.page.get_by_label("Username").fill(window.username)
    await window.page.get_by_label("Password").fill("wrong horse")
    await window.page.locator("button[type=submit]").click()
    await expect(window.page.get_by_role("alert")).to_have_text("wrong username or password")
    await window.page.get_by_label("Password").fill(PASSWORD)
    await window.page.locator("button[type=submit]").click()
    await window.online()
    # A session that is ended elsewhere ends here too, and nothing of it is kept.
    answer = await world.request("DELETE", "/v1/sessions/current", token=await window.token())
    assert answer.status == 204
    await expect(window.page.get_by_role("alert")).to_contain_text("session has ended")
    assert await window.page.evaluate("sessionStorage.length") == 0
    # A name that is taken: the server's own words.
    window.expected.append("status of 409")
    await window.page.get_by_label("Username").fill(window.username)
    await window.page.get_by_label("Password").fill(PASSWORD)
    await window.page.locator("button[type=submit]").click()
    await expect(window.page.get_by_role("alert")).to_contain_text("is taken")


async def _void(world: World, token: str) -> bool:
    return (await world.request("GET", "/v1/users/me", token=token)).status == 401


def _refusals(window: Window) -> list[str]:
    """Answers of refusal on the connections that the window opens from here on."""
    found: list[str] = []

    def heard(frame: str | bytes) -> None:
        found.extend(line for line in str(frame).splitlines() if '"error"' in line and "not_found" in line)

    window.page.on("websocket", lambda socket: socket.on("framereceived", heard))
    return found


async def _more(found: list[str], than: int) -> bool:
    return len(found) > than


async def test_a_refused_message_can_be_sent_again(windows: Open, world: World) -> None:
    window = await windows(world.url)
    await window.register("Ada")
    other = await world.person("moody", name="Moody")
    me = (await window.state())["me"]["id"]
    await window.talk_with("Moody")
    refusals = _refusals(window)
    await window.page.reload()
    await window.online()
    # From its answer on it holds, and so does what takes it back.
    await other.do("relationships.set", user=me, type="block")
    await window.say("please answer")
    failed = window.page.locator(".message[data-state=failed]")
    await expect(failed).to_contain_text("Not sent: expected a room that you are in")
    # It survives a reload, and goes through once nothing stands against it.
    await window.page.reload()
    await window.online()
    await expect(failed).to_have_count(1)
    # Refused once more, and not only still looking so: the block is not taken back before.
    before = len(refusals)
    await window.press("Retry")
    await until(lambda: _more(refusals, before), "the second try is answered")
    await expect(failed).to_have_count(1)
    await other.do("relationships.remove", user=me)
    await window.press("Retry")
    await window.sees("please answer")
    assert await window.texts() == ["please answer"]


async def test_the_fold_has_a_row_for_every_event_that_a_client_hears(windows: Open, world: World) -> None:
    window = await windows(world.url)
    rows = await window.page.evaluate("import('/klatsch/fold.js').then((fold) => Object.keys(fold.FOLD))")
    assert sorted(rows) == sorted(name for name, audience in AUDIENCES.items() if audience is not NOBODY)


async def test_a_role_that_changes_by_its_own_holder_shows_in_the_members_list(windows: Open, world: World) -> None:
    """Who passes the ownership on acts, and is acted on: the room's message about it must not hide their new role."""
    window = await windows(world.url)
    roles = await window.page.evaluate(
        """import('/klatsch/fold.js').then(({ FOLD }) => {
          const member = (user, role) => ({ user, role, version: 1, read: 0, read_at: null });
          const room = { id: "r", owner: "o", version: 1, seq: 1, last: "m", settings: {} };
          const members = { r: { o: member("o", "owner"), n: member("n", "member") } };
          const state = { me: { id: "x" }, rooms: { r: { room, member: member("x", "member") } }, members,
            messages: { r: {} }, users: {}, relationships: {} };
          const roles = { n: "owner", o: "admin" };
          Object.entries(roles).forEach(([user, role], n) => FOLD["member.role_changed"](state, {
            type: "member.role_changed", stream: "r", offset: 2 + n, actor: "o", time: "2026-11-21T08:00:00.000Z",
            data: { user, role, message: { id: `m${n}`, seq: 2 + n } },
          }));
          return [members.r.o.role, members.r.n.role, members.r.o.version];
        })"""
    )
    assert roles == ["admin", "owner", 3]
