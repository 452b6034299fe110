"""Every example of the contract happens on a real server as it says, in one story.
Tests ``infra/ops/generate/examples/``."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from infra.base import postgres
from infra.base.settings import Settings
from infra.ops.generate.examples import EXAMPLES
from infra.ops.generate.examples.story import APP, BARBARA, LINUS, ROOM, TEXT
from infra.ops.generate.examples.sync import STREAM
from tests.api.conftest import minted
from tests.api.story import Story
from tests.client import OPERATIONS, visiting
from tests.docs.test_answers import check
from tests.parts import Parts
from tests.running import until
from tests.servers import installation, serving

#: The order in which they could be told: what one needs, one before it has made, or a step below.
ORDER = [
    "apps.about", "users.register", "sessions.open", "sessions.list", "sessions.renew", "users.find", "users.get",
    "relationships.set", "relationships.list", "users.change", "users.change_password", "visuals.create",
    "visuals.list", "visuals.get", "visuals.change", "visuals.choose", "users.me", "services.register",
    "users.upsert", "users.query", "sessions.issue",
    "channels.create", "channels.report", "channels.listen", "channels.list",
    "channels.get",
    "channels.delete", "rooms.create", "invitations.list", "invitations.decline", "members.add", "messages.send",
    "messages.get", "messages.pin", "rooms.pins", "messages.unpin", "messages.read", "members.list", "rooms.find",
    "members.read", "members.set_notifications", "rooms.get", "sync.get", "changes.pull", "rooms.history",
    "presence.set", "channels.watch", "presence.get", "presence.room", "signals.type", "messages.set_emotion",
    "messages.set_emotions", "messages.edit", "messages.edits", "messages.search", "rooms.change", "members.set_role",
    "members.change", "console.room", "console.rooms", "console.figures", "console.history", "rooms.archive",
    "rooms.unarchive", "import.orders", "messages.delete", "rooms.delete", "rooms.restore", "members.remove",
    "relationships.remove", "apps.create", "apps.get", "apps.change", "apps.suspend", "apps.resume",
    "apps.revoke_tokens", "apps.roll_key", "apps.list", "teams.create", "teams.get", "teams.change", "teams.list",
    "users.set_team", "teams.remove", "plans.define", "plans.get", "plans.list",
    "apps.choose_plan", "apps.limits", "plans.withdraw", "usage.query", "usage.list", "apps.erase", "apps.receipt",
    "console.parked", "console.parked_stream", "console.retry",
    "console.renew", "users.reset_password", "users.deactivate", "users.reactivate", "users.revoke_tokens",
    "users.erase", "users.erasure", "sessions.close",
]  # fmt: skip


@pytest.fixture(scope="module")
async def told(parts: Parts) -> AsyncIterator[tuple[Story, Settings]]:
    """A story of an installation of its own: the names in it are the examples'."""
    async with installation(parts) as settings, serving(settings) as url, visiting(url) as world:
        yield Story(world, minted(settings), minted(settings, role="server", user="server")), settings


class Steps:
    """What happens before an example of an operation, where an example does not do it."""

    def __init__(self, story: Story, settings: Settings) -> None:
        self.story, self.settings = story, settings
        self.cursor = ""
        self.before: dict[str, Callable[[], Awaitable[dict[str, Any]]]] = {
            "users.find": self.linus_registers,
            "messages.send": self.a_cursor,
            "members.list": self.linus_has_read,
            "changes.pull": self.up_to_the_text,
            "rooms.history": self.below_the_next,
            "presence.set": self.linus_connects,
            "presence.get": self.linus_is_seen,
            "teams.remove": self.nobody_is_in_it,
            "console.parked": self.a_bad_event,
            "console.retry": self.it_is_mended,
            "users.erasure": self.it_is_done,
            "apps.receipt": self.its_rows_are_gone,
        }

    async def call(self, operation: str, who: str, /, **members: Any) -> Any:
        return await self.story.world.call(operation, members, token=self.story.tokens[who])

    async def linus_registers(self) -> dict[str, Any]:
        made = await self.call("users.register", "nobody", username="linus", name="Linus", password="just for fun")
        self.story.ids[LINUS], self.story.tokens["linus"] = made["user"]["id"], made["token"]
        return {}

    async def a_cursor(self) -> dict[str, Any]:
        self.cursor = self.cursor or (await self.call("changes.pull", "linus"))["cursor"]
        return {}

    async def linus_has_read(self) -> dict[str, Any]:
        await self.call("members.read", "linus", room=self.story.ids[ROOM], seq=2)
        return {}

    async def up_to_the_text(self) -> dict[str, Any]:
        """The cursor after which the text comes first."""
        while True:
            page = await self.call("changes.pull", "linus", since=self.cursor, limit=1)
            if [one["type"] for one in page["changes"]] == ["message.posted"]:
                return {"since": self.cursor}
            assert page["cursor"] != self.cursor, page
            self.cursor = page["cursor"]

    async def stream(self) -> list[str]:
        """Where the stream is not as its example: the first two events after the cursor before the text."""
        given: list[dict[str, str]] = []
        headers = {"Authorization": f"Bearer {self.story.tokens['linus']}", "Last-Event-ID": self.cursor}
        url = f"{self.story.world.url}/v1/stream"
        async with asyncio.timeout(20), self.story.world.http.get(url, headers=headers) as response:
            assert response.content_type == "text/event-stream"
            while len(given) < 2:
                given.append(fields((await response.content.readuntil(b"\n\n")).decode()))
        found = []
        for n, (example, real) in enumerate(zip(map(fields, STREAM.rstrip().split("\n\n")), given, strict=True)):
            assert example.keys() == real.keys() and example.get("event") == real.get("event"), real
            place = f"stream[{n}]"
            found += self.story.compare(json.loads(example["data"]), json.loads(real["data"]), place)
        return found

    async def below_the_next(self) -> dict[str, Any]:
        found = await self.call("messages.get", "linus", room=self.story.ids[ROOM], message=self.story.ids[TEXT])
        return {"before": found["message"]["version"] + 1}

    async def linus_connects(self) -> dict[str, Any]:
        token = self.story.tokens["linus"]
        assert token is not None
        self.story.sockets["linus"] = await self.story.world.socket(token)
        return {}

    async def linus_is_seen(self) -> dict[str, Any]:
        async def shows() -> bool:
            (found,) = (await self.call("presence.get", "grace", users=self.story.ids[LINUS]))["presence"]
            return found["room"] is not None

        await until(shows, "he shows the room", 20)
        return {}

    async def nobody_is_in_it(self) -> dict[str, Any]:
        await self.call("users.set_team", "server", user=self.story.ids[BARBARA], team=None)
        return {}

    async def it_is_done(self) -> dict[str, Any]:
        async def done() -> bool:
            found = await self.call("users.erasure", "server", user=self.story.ids.get(BARBARA, BARBARA))
            return found["erasure"]["done"] is not None

        await until(done, "nothing is left to do", 20)
        return {}

    async def its_rows_are_gone(self) -> dict[str, Any]:
        async def gone() -> bool:
            found = await self.call("apps.receipt", "operator", app=self.story.ids[APP])
            return found["receipt"]["cleared"] is not None

        await until(gone, "its rows are gone", 20)
        return {}

    async def a_bad_event(self) -> dict[str, Any]:
        """Postgres refuses rooms of a name, as a bad migration would."""
        await self._execute("alter table rooms add constraint bad check (name <> 'Interpreters') not valid")
        await self.call("rooms.change", "grace", room=self.story.ids[ROOM], name="Interpreters")

        async def parked() -> bool:
            return bool((await self.call("console.parked", "operator"))["streams"])

        await until(parked, "the stream is parked", 20)
        return {}

    async def it_is_mended(self) -> dict[str, Any]:
        await self._execute("alter table rooms drop constraint bad")
        return {}

    async def _execute(self, statement: str) -> None:
        connection = await postgres.connect(self.settings)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


def fields(event: str) -> dict[str, str]:
    """A server-sent event."""
    return dict(line.split(": ", 1) for line in event.strip().split("\n"))


async def test_every_example_happens_as_it_says(told: tuple[Story, Settings]) -> None:
    story, settings = told
    assert sorted(ORDER) == sorted(EXAMPLES) == sorted(OPERATIONS), "an operation has no example, or no place here"
    differences: list[str] = []
    steps = Steps(story, settings)
    for name in ORDER:
        assert EXAMPLES[name], f"{name} has no example"
        for example in EXAMPLES[name]:
            other = await steps.before[name]() if name in steps.before else {}
            answer = await story.tell(name, example, **other)
            operation = OPERATIONS[name]
            if not operation.only_rpc:
                check(operation.method, operation.path, operation.status, answer)
            differences += story.compare(example.answer, answer, name)
            if name == "changes.pull":
                differences += await steps.stream()
            if isinstance(answer, dict) and "token" in answer and "user" in answer:
                who = {"services.register": "scribe", "sessions.issue": "linus"}.get(name, "grace")
                story.tokens[who] = answer["token"]
    assert not differences, "\n".join(differences)
