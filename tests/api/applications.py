"""Applications of the tests: made by an operator, with tokens that they sign themselves."""

from __future__ import annotations

import secrets
import time
from typing import Any, NamedTuple

import jwt

from tests.client import Person, Via, World
from tests.running import until


class App(NamedTuple):
    """An application as its owner knows it."""

    id: str
    key: str
    secret: str

    def signed(self, **claims: Any) -> str:
        """A token that the application signs."""
        moment = int(time.time())
        given = {"iat": moment, "exp": moment + 3600} | claims
        return jwt.encode(given, self.secret, "HS256", headers={"kid": self.key})

    @property
    def server(self) -> str:
        """A token of its own server."""
        return self.signed(server=True)


async def made(world: World, operator: str) -> App:
    answer = await world.call("apps.create", {"name": f"App {secrets.token_hex(4)}"}, token=operator)
    return App(answer["app"]["id"], answer["key"], answer["secret"])


async def aged() -> None:
    """Waits until tokens of now are of an earlier second than the next revocation: they say whole seconds."""
    second = int(time.time())

    async def over() -> bool:
        return time.time() >= second + 1

    await until(over, "the second is not over", 3)


async def team_of(world: World, app: App, name: str) -> str:
    """The id of a new team of an application."""
    fields = {"external_id": f"{name}-{secrets.token_hex(4)}", "name": name.title()}
    team: str = (await world.call("teams.create", fields, token=app.server))["team"]["id"]
    return team


async def person(world: World, app: App, name: str, via: Via, team: str | None = None) -> Person:
    """Somebody whom the application has registered, with a token that it signed."""
    external = f"{name}-{secrets.token_hex(4)}"
    given = {"external_id": external, "name": name.title(), "username": external, "team": team}
    upserted = await world.call("users.upsert", {"users": [given]}, token=app.server)
    user = upserted["users"][0]["user"]
    found = Person(world, {"user": user, "token": app.signed(sub=external)}, via)
    await found.do("users.change", added_by="everyone")
    return found


async def everything(ada: Person, bob: Person, eve: Person) -> None:
    """What people do with each other: something of each kind. ``ada`` and ``bob`` may be added by everyone."""
    await ada.do("visuals.choose", model_data={"face": "round"})
    for one, other in ((ada, bob), (bob, ada)):
        await one.do("relationships.set", user=other.id, type="friend")
    room = await ada.group(bob, type="private", name="Tea")
    await ada.direct(bob)
    message = await ada.say(room, "first")
    await ada.do("messages.edit", room=room, message=message["id"], content={"text": "first, edited"})
    await ada.do("messages.pin", room=room, message=message["id"])
    # Who allows nobody to add them is invited.
    await eve.do("users.change", added_by="nobody")
    await ada.do("members.add", room=room, user=eve.id)
    await bob.do("members.remove", room=room, user="me")
    await ada.do("members.add", room=room, user=bob.id)
