"""The page /voice: two windows of Chromium, whose microphone beeps, in one channel of a real relay, which is killed.
Tests ``api/web/voice/``."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest
from msgspec.structs import replace
from playwright.async_api import Browser, expect

from infra.base.origins import LOCAL
from infra.base.settings import Settings
from infra.embedded.ports import free_port
from push.relay.core_service_pb2 import Message
from tests.running import until
from tests.servers import ALL, Process, process
from tests.web.conftest import Open, launched, opening
from tests.web.node import passes
from tests.web.windows import PASSWORD, Window

#: A microphone that beeps every second, and is granted.
FAKE = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
#: A meter that shows a beep, and one that shows nothing.
LOUD, SILENT = 0.3, 0.01

# Each starts servers or a browser.
pytestmark = pytest.mark.long


def test_messages_are_those_of_the_contract_and_the_reckoning_is_right() -> None:
    given = [
        Message(),
        Message(user_id=7, timestamp=1_700_000_000_000, data=bytes(640)),
        Message(user_id=4_294_967_295, timestamp=2**53 - 1, data=b"\x00\xff" * 200),
        Message(timestamp=127, data=b"x"),
        Message(timestamp=128, data=b"x" * 65_536),
    ]
    # What a later version of the contract might add: each kind of field.
    later = b"\x20\x96\x01" + b"\x29" + bytes(8) + b"\x32\x02ab" + b"\x3d" + bytes(4)
    lines = [one.SerializeToString().hex() for one in given]
    printed = passes("voice.mjs", "\n".join([*lines, later.hex() + lines[1]])).splitlines()
    assert len(printed) == len(given) + 1 - 1, "an empty message is an empty line"
    for one, line in zip([*given[1:], given[1]], printed, strict=True):
        user, timestamp, data, sent = json.loads(line)
        assert (user, timestamp, data) == (one.user_id, one.timestamp, one.data.hex())
        again = Message.FromString(bytes.fromhex(sent))
        assert (again.user_id, again.timestamp, again.data) == (0, one.timestamp, one.data)


@pytest.fixture(scope="module")
async def beeping() -> AsyncIterator[Browser]:
    """A browser with a microphone."""
    async with launched(*FAKE) as browser:
        yield browser


@pytest.fixture
async def relay(installed: Settings, tmp_path: Path) -> AsyncIterator[Process]:
    """A relay in a process of its own, as ``./klatsch up`` has it: on another port than the page."""
    own = replace(installed, port=free_port(), grpc_port=free_port(), origins=LOCAL, channel_report_seconds=0.5)
    async with process(own, frozenset({"relay"}), tmp_path / "relay.log") as server:
        await server.ready()
        yield server


@pytest.fixture
async def api(installed: Settings, tmp_path: Path) -> AsyncIterator[Process]:
    """The API, which serves the page."""
    async with process(replace(installed, port=free_port()), ALL, tmp_path / "api.log") as server:
        await server.ready()
        yield server


@pytest.fixture
async def voices(beeping: Browser, api: Process, relay: Process) -> AsyncIterator[Open]:
    """Opens windows of that browser, which are closed before the servers end."""
    async with opening(beeping) as open_:
        yield open_


class VoiceWindow:
    """A window of the page, and what a person does in it."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self.page = window.page
        self.name = ""

    async def says(self, words: str) -> None:
        """What the page tells of one's place in the channel."""
        await expect(self.page.get_by_role("status").filter(has_text=words)).to_be_visible(timeout=60_000)

    @classmethod
    async def open(cls, open_: Open, api: Process, relay: Process, name: str) -> VoiceWindow:
        found = cls(await open_(f"{api.url}/voice/"))
        found.window.hosts.add(relay.url.removeprefix("http://"))
        found.name = f"{name} {relay.settings.port}"
        await found.page.get_by_label("Username").fill(f"{name.lower()}-{relay.settings.port}")
        await found.page.get_by_label("Shown name").fill(found.name)
        await found.page.get_by_label("Password").fill(PASSWORD)
        await found.page.locator("button[type=submit]").click()
        await expect(found.page.get_by_role("heading", name="Channels")).to_be_visible()
        return found

    async def make(self, name: str) -> None:
        await self.page.get_by_label("Name", exact=True).fill(name)
        await self.page.get_by_role("button", name="Make and join").click()
        await self.is_in()

    async def join(self, name: str) -> None:
        row = self.page.get_by_role("list", name="Channels").get_by_role("listitem").filter(has_text=name)
        await row.get_by_role("button", name="Join").click()
        await self.is_in()

    async def is_in(self) -> None:
        await self.says("You are in.")

    async def level(self, name: str) -> float:
        """What the meter of somebody shows; less than nothing while they have none."""
        meter = self.page.get_by_label(f"How loud {name} is")
        return float(await meter.evaluate("one => one.value")) if await meter.count() else -1.0

    async def hears(self, name: str) -> None:
        await until(lambda: self._shows(name, LOUD), f"{self.name} hears {name}", 60)

    async def _shows(self, name: str, least: float) -> bool:
        return await self.level(name) > least

    async def hears_nothing_of(self, name: str) -> None:
        """For longer than from one beep to the next."""
        found = await self.page.evaluate(
            """async ([label, silent]) => {
              const meter = [...document.querySelectorAll("meter")].find((one) => one.ariaLabel === label);
              const quiet = async (until) => {
                let since = performance.now();
                while (performance.now() < until) {
                  await new Promise((done) => setTimeout(done, 50));
                  if (meter.value > silent) since = performance.now();
                  if (performance.now() - since > 2500) return true;
                }
                return false;
              };
              return quiet(performance.now() + 60000);
            }""",
            [f"How loud {name} is", SILENT],
        )
        assert found, f"{self.name} still hears {name}"

    async def listens(self) -> list[float]:
        """When it has listened, in seconds of the page's clock."""
        find = """performance.getEntriesByType("resource")
            .filter((one) => one.name.endsWith("/listen")).map((one) => one.startTime / 1000)"""
        return list(await self.page.evaluate(find))

    async def listens_again(self, than: int) -> bool:
        return len(await self.listens()) > than


async def test_two_people_talk_mute_and_come_back_after_the_relay_was_killed(
    voices: Open, api: Process, relay: Process
) -> None:
    ada = await VoiceWindow.open(voices, api, relay, "Ada")
    bo = await VoiceWindow.open(voices, api, relay, "Bo")
    name = f"Raid {relay.settings.port}"
    await ada.make(name)
    await bo.join(name)
    # Each sees their own meter move, and the other's, by what came over the relay.
    for one, other in ((ada, bo), (bo, ada)):
        await one.hears(one.name)
        await one.hears(other.name)
    row = bo.page.get_by_role("list", name="Channels").get_by_role("listitem").filter(has_text=name)
    await expect(row).to_contain_text(f"2 of 5: {ada.name}, {bo.name}")
    # By keyboard alone.
    await ada.page.get_by_role("button", name="Mute").focus()
    await ada.page.keyboard.press("Space")
    await expect(ada.page.get_by_role("button", name="Mute")).to_have_attribute("aria-pressed", "true")
    await bo.hears_nothing_of(ada.name)
    await ada.hears(bo.name)
    await ada.page.keyboard.press("Space")
    await bo.hears(ada.name)
    # The browser says that a connection has failed.
    for one in (ada, bo):
        one.window.expected.append("WebSocket connection to")
    listened = {one.name: len(await one.listens()) for one in (ada, bo)}
    await relay.end()
    for one in (ada, bo):
        await one.says("The connection is lost")
    # Nobody is there: it goes on trying, and not more often than it is let.
    for one in (ada, bo):
        await until(partial(one.listens_again, listened[one.name] + 1), "two listens into the void", 60)
        times = await one.listens()
        assert min(after - before for before, after in pairwise(times)) >= 2.0, times
    await relay.start()
    await relay.ready()
    for one, other in ((ada, bo), (bo, ada)):
        await one.is_in()
        await one.hears(other.name)
    # Who leaves is heard no more, and can come back.
    await ada.page.get_by_role("button", name="Leave").click()
    await expect(ada.page.get_by_role("heading", name="You are in no channel")).to_be_visible()
    # Their own is left, also once nobody is waited for who is heard and in no report.
    await expect(bo.page.get_by_role("meter")).to_have_count(1, timeout=60_000)
    await ada.join(name)
    await bo.hears(ada.name)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((FAKE[0], "--deny-permission-prompts"), "The browser does not let this page use the microphone."),
        ((), "No microphone was found."),
    ],
    ids=["denied", "none"],
)
async def test_without_a_microphone_one_hears_the_others(
    beeping: Browser, api: Process, relay: Process, arguments: tuple[str, ...], words: str
) -> None:
    async with opening(beeping) as with_one, launched(*arguments) as other, opening(other) as without:
        ada = await VoiceWindow.open(with_one, api, relay, "Ada")
        bo = await VoiceWindow.open(without, api, relay, "Bo")
        name = f"Raid {relay.settings.port}"
        await ada.make(name)
        await bo.join(name)
        await expect(bo.page.get_by_role("alert").filter(has_text=words)).to_contain_text("You hear the others")
        await bo.hears(ada.name)
        await expect(bo.page.get_by_role("button", name="Use the microphone")).to_be_visible()


async def test_what_is_wrong_is_said_plainly(voices: Open, api: Process, relay: Process) -> None:
    ada = await VoiceWindow.open(voices, api, relay, "Ada")
    bo = await VoiceWindow.open(voices, api, relay, "Bo")
    name = f"Raid {relay.settings.port}"
    await ada.page.get_by_label("People at most").fill("1")
    await ada.make(name)
    row = bo.page.get_by_role("list", name="Channels").get_by_role("listitem").filter(has_text=name)
    await expect(row).to_contain_text(f"1 of 1: {ada.name}")
    bo.window.expected.append("Failed to load resource: the server responded with a status of 4")
    await row.get_by_role("button", name="Join").click()
    await bo.says("The channel is full. Join again when somebody has left.")
    await expect(bo.page.get_by_role("heading", name="You are in no channel")).to_be_visible()
    # The same person in another window: the one before says so, and stays out.
    await ada.page.evaluate(
        """async (name) => {
          const { token } = JSON.parse(sessionStorage.getItem("klatsch.session"));
          const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
          const { channels } = await (await fetch("/v1/channels?limit=200", { headers })).json();
          const { id } = channels.find((one) => one.name === name);
          await new Promise((done) => setTimeout(done, 2500));
          const told = await (await fetch(`/v1/channels/${id}/listen`, { method: "POST", headers, body: "{}" })).json();
          const socket = new WebSocket(told.url);
          socket.onopen = () => socket.send(told.token);
          window.deleted = () => fetch(`/v1/channels/${id}`, { method: "DELETE", headers });
        }""",
        name,
    )
    await ada.says("You are in a channel in another window.")
    # The other window has listened a moment ago: the page waits for its turn by itself.
    ada.window.expected.append("status of 429")
    await ada.join(name)
    await ada.page.evaluate("window.deleted()")
    await ada.says("The channel was deleted.")
