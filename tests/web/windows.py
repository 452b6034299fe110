"""A window of the demo, and what a person does in it: the words that the tests are written in."""

from __future__ import annotations

import secrets
from typing import Any

from playwright.async_api import Browser, ConsoleMessage, Locator, Page, expect

from tests.running import until

PASSWORD = "correct horse"


class Window:
    """One browser window, with what the browser complained of and whom it asked."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.username = ""
        self.name = ""
        #: Errors of the console and of scripts.
        self.complaints: list[str] = []
        #: Parts of complaints that a test brings about on purpose.
        self.expected: list[str] = []
        #: Who may be asked: the server, ``host:port``.
        self.hosts = {url.split("/")[2]}
        #: Everything that was requested, sockets included.
        self.requests: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("websocket", lambda socket: self.requests.append(socket.url))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    @classmethod
    async def open(cls, browser: Browser, url: str, **context: Any) -> Window:
        context.setdefault("viewport", {"width": 1280, "height": 800})
        page = await (await browser.new_context(**context)).new_page()
        page.set_default_timeout(20_000)
        window = cls(page, url)
        await page.goto(url)
        return window

    async def close(self) -> None:
        await self.page.context.close()

    def unexpected(self) -> list[str]:
        """Complaints that the test did not bring about."""
        return [one for one in self.complaints if not any(part in one for part in self.expected)]

    def foreign(self) -> list[str]:
        """Requests to any other host than those that may be asked."""
        known = ("data:", *(f"{scheme}://{host}/" for scheme in ("http", "ws") for host in self.hosts))
        return [url for url in self.requests if not url.startswith(known)]

    async def register(self, name: str, added_by: str | None = "everyone") -> None:
        """Makes an account, which lets everyone add it to rooms unless ``added_by`` says otherwise (null: not chosen);
        the shown name gets a mark that no other test's person has."""
        mark = secrets.token_hex(3)
        self.username, self.name = f"{name.lower()}-{mark}", f"{name} {mark}"
        await self.page.get_by_label("Username").fill(self.username)
        await self.page.get_by_label("Shown name").fill(self.name)
        await self.page.get_by_label("Password").fill(PASSWORD)
        await self.page.locator("button[type=submit]").click()
        await self.online()
        if added_by is not None:
            await self._choose(added_by)

    async def log_in(self, username: str) -> None:
        """Logs in with the password that everybody has here."""
        self.username = username
        await self.page.get_by_role("button", name="Log in", exact=True).click()
        await self.page.get_by_label("Username or e-mail").fill(username)
        await self.page.get_by_label("Password").fill(PASSWORD)
        await self.page.locator("button[type=submit]").click()
        await self.online()

    async def _choose(self, added_by: str) -> None:
        """Who may add the person, as another device of theirs would set it."""
        send = """async ([token, added_by]) => (await fetch("/v1/users/me", {
            method: "PATCH", headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
            body: JSON.stringify({ added_by }) })).status"""
        assert await self.page.evaluate(send, [await self.token(), added_by]) == 200

    async def online(self) -> None:
        await expect(self.page.locator(".state")).to_have_text("Online", timeout=30_000)

    async def find(self, text: str) -> None:
        await self.page.get_by_label("Find people and rooms").fill(text)

    async def person(self, name: str) -> None:
        """Finds somebody and opens their card."""
        await self.find(name)
        await self.page.get_by_label("People found").get_by_role("button").filter(has_text=name).click()

    async def press(self, name: str) -> None:
        await self.page.get_by_role("button", name=name, exact=True).click()

    async def talk_with(self, name: str) -> None:
        await self.person(name)
        await self.press("Message")
        await expect(self.page.locator(".chat-head h1")).to_have_text(name)

    async def enter(self, name: str) -> None:
        """Opens a conversation of the list."""
        await self.chat(name).click()
        await expect(self.page.locator(".chat-head h1")).to_have_text(name)

    def chat(self, name: str) -> Locator:
        return (
            self.page.get_by_label("Chats", exact=True)
            .get_by_role("link")
            .filter(has=self.page.locator(".row-title", has_text=name))
        )

    async def make_room(self, name: str, *others: str, **fields: str) -> None:
        """Makes a room in the dialog; ``fields`` by label."""
        await self.press("New room")
        await self.page.get_by_label("Name", exact=True).fill(name)
        for label, value in fields.items():
            await self.page.get_by_label(label, exact=True).fill(value)
        for other in others:
            await self.page.get_by_label("Find people by name").fill(other)
            await self.page.get_by_label(other).check()
        await self.press("Make the room")
        await expect(self.page.locator(".chat-head h1")).to_have_text(name)

    async def details(self) -> None:
        """Opens what there is to know of the conversation."""
        await self.page.locator(".chat-who").click()
        await expect(self.page.get_by_role("dialog")).to_be_visible()

    def message(self, text: str) -> Locator:
        """The row of a message that says this."""
        return self.page.locator(".message").filter(has=self.page.locator(".bubble").get_by_text(text, exact=True))

    async def act(self, text: str, deed: str) -> None:
        """Chooses from the menu of a message."""
        row = self.message(text)
        await row.hover()
        await row.get_by_label("Actions for message").click()
        await self.page.get_by_role("menuitem", name=deed, exact=True).click()

    @property
    def notices(self) -> Locator:
        """What the room itself says, without the times."""
        return self.page.locator(".notice p span")

    @property
    def box(self) -> Locator:
        return self.page.get_by_role("textbox", name="Message", exact=True)

    async def say(self, *texts: str) -> None:
        """Types and sends; returns before they are sent. What two people say comes in any order until one is seen."""
        for text in texts:
            await self.box.fill(text)
            await self.box.press("Enter")

    async def sees(self, *texts: str) -> None:
        """The conversation ends with exactly these texts, all of them sent."""
        bubbles = self.page.locator(".message[data-state=sent] .bubble")
        try:
            await until(lambda: self._ends(bubbles, list(texts)), f"{self.name} sees {texts}")
        except AssertionError as error:
            raise AssertionError(f"{error}, but {await bubbles.all_inner_texts()}") from error

    @staticmethod
    async def _ends(bubbles: Locator, texts: list[str]) -> bool:
        return (await bubbles.all_inner_texts())[-len(texts) :] == texts

    async def texts(self) -> list[str]:
        """All messages of the conversation, in order."""
        return await self.page.locator(".message .bubble").all_inner_texts()

    async def badge(self, name: str) -> str:
        """The unread count beside a conversation; empty when everything is read."""
        return await self.chat(name).locator(".badge").inner_text()

    async def state(self) -> dict[str, Any]:
        """The state that the window saves for a reload."""
        found: dict[str, Any] = await self.page.evaluate("JSON.parse(sessionStorage.getItem('klatsch.state'))")
        return found

    async def token(self) -> str:
        return str(await self.page.evaluate("JSON.parse(sessionStorage.getItem('klatsch.session')).token"))
