"""What the demo must not do: run what others wrote, keep what a log-out ends, lose what could not be sent."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

from playwright.async_api import expect

from infra.settings import Settings
from projectors.audience import AUDIENCES, NOBODY
from tests.client import World
from tests.running import until
from tests.web.conftest import Open, service
from tests.web.windows import PASSWORD

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
        "messages.send", room=room, token="t1", type="file", content={"url": "https://example.org/x", "name": _EVIL}
    )
    await evil.do("messages.send", room=room, token="t2", type="custom", content={"html": _EVIL})
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


async def test_a_refused_message_can_be_sent_again(windows: Open, world: World) -> None:
    window = await windows(world.url)
    await window.register("Ada")
    other = await world.person("moody", name="Moody")
    me = (await window.state())["me"]["id"]
    await window.talk_with("Moody")
    await other.do("relationships.set", user=me, type="block")
    # The check is on the read model: wait until it knows of the block.
    assert (await other.do("relationships.list"))["relationships"]
    await window.say("please answer")
    failed = window.page.locator(".message[data-state=failed]")
    await expect(failed).to_contain_text("Not sent: expected a room that you are in")
    # It survives a reload, and goes through once nothing stands against it.
    await window.page.reload()
    await window.online()
    await expect(failed).to_have_count(1)
    await window.press("Retry")
    await expect(failed).to_have_count(1)
    await other.do("relationships.remove", user=me)
    await window.press("Retry")
    await window.sees("please answer")
    assert await window.texts() == ["please answer"]


async def test_the_fold_has_a_row_for_every_event_that_a_client_hears(windows: Open, world: World) -> None:
    window = await windows(world.url)
    rows = await window.page.evaluate("import('/klatsch/fold.js').then((fold) => Object.keys(fold.FOLD))")
    assert sorted(rows) == sorted(name for name, audience in AUDIENCES.items() if audience is not NOBODY)
