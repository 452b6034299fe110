"""The people and things of which the examples tell, made on a real server, whose ids stand for theirs."""

from __future__ import annotations

import re
import secrets
from typing import Any
from urllib.parse import quote

from infra.ops.generate.examples import EXAMPLES, story
from tests.client import Person, World
from tests.running import until

#: What the examples call their people; here each language has people of its own.
_NAMES = re.compile(r"\b(grace|linus|scribe)\b")
#: The id of her channel, alone as no other number of those examples is.
_CHANNEL = re.compile(r"(?<![\w.-])1(?![\w.])")
#: Operations whose example makes somebody: of these names nobody may be there yet.
_MAKING = frozenset({"users.register", "services.register"})


class Cast:
    """Who has which token, and what stands here for an id or a name of the examples."""

    def __init__(self, world: World, operator: str, server: str) -> None:
        self.world = world
        self.tokens = {"nobody": "", "operator": operator, "server": server}
        self._mark = secrets.token_hex(3)
        self._real: dict[str, str] = {}
        self._channel = 0

    async def arrive(self) -> None:
        """Makes all of it."""
        grace = await self._person("grace", story.GRACE, password="nanosecond", added_by="everyone")
        linus = await self._person("linus", story.LINUS, password="just for fun", added_by="nobody")
        operator = self.tokens["operator"]
        fields = {"username": f"scribe-{self._mark}", "scopes": ["emotions:write", "sessions:issue", "channels:serve"]}
        made = await self.world.call("services.register", fields, token=operator)
        self.tokens["scribe"], self._real[story.SCRIBE] = made["token"], made["user"]["id"]
        visual = await grace.do("visuals.create", model_data={"shape": "fox"}, emotion_data={"joy": True})
        room = await grace.group(name="Compilers")
        den = await grace.group(linus, type="private", name="Den")
        await linus.do("members.add", room=room, user="me")
        app = await self.world.call("apps.create", {"name": "Harbour"}, token=operator)
        self._real |= {story.VISUAL: visual["visual"]["id"], story.ROOM: room, story.DEN: den}
        self._real[story.APP] = app["app"]["id"]
        plan = await self.world.call("plans.define", {"name": "Pro", "tier": "pro"}, token=operator)
        self._real[story.PLAN] = plan["plan"]["id"]
        for id_ in (story.TEXT, story.ACTION, story.IMAGE, story.FILE, story.CUSTOM):
            self._real[id_] = (await grace.say(room, "Good morning, what joy"))["id"]
        self._channel = (await grace.do("channels.create", name="Raid", limit=8))["channel"]["id"]
        # The samples read as others than who wrote: by now everybody's tables have it.
        cursor = await linus.do("sync.get")
        self._real[EXAMPLES["changes.pull"][0].members["since"]] = f"{cursor['epoch']}:{cursor['cursor']}"

    async def _person(self, name: str, id_: str, **fields: Any) -> Person:
        welcome = await self.world.call("users.register", {"username": f"{name}-{self._mark}", **fields})
        self._real[id_], self.tokens[name] = welcome["user"]["id"], welcome["token"]
        return Person(self.world, welcome, "http")

    def said(self, operation: str, code: str) -> str:
        """A sample with what is here in the place of what the examples name."""
        for example, real in self._real.items():
            code = code.replace(example, real).replace(quote(example, safe=""), quote(real, safe=""))
        if operation.startswith("channels."):
            code = _CHANNEL.sub(str(self._channel), code)
        mark = secrets.token_hex(3) if operation in _MAKING else self._mark
        return _NAMES.sub(rf"\1-{mark}", code)

    async def serve(self) -> None:
        """The scribe reports her channel: it lives for a while."""
        metric = {"addr": "127.0.0.1:8420", "name": "Chat"}
        fields = {"metric": metric, "channels": [{"id": self._channel}]}
        await self.world.call("channels.report", fields, token=self.tokens["scribe"])

    async def park(self) -> None:
        """An event of the room that the read models refuse, as a constraint forbids the name."""
        fields = {"room": self._real[story.ROOM], "name": "Interpreters"}
        await self.world.call("rooms.change", fields, token=self.tokens["grace"])

        async def parked() -> bool:
            found = await self.world.call("console.parked", {}, token=self.tokens["operator"])
            return self._real[story.ROOM] in [one["stream"] for one in found["streams"]]

        await until(parked, "the stream is parked")
