"""Every command that a client can give, scenes in which each does something, and what happens until it is repeated."""

from __future__ import annotations

import copy
import secrets
from typing import Any, NamedTuple

from projectors.views.rooms import GONE
from tests.client import OPERATIONS, Person, Refusal, Via, World

PASSWORD = "correct horse"
#: Operations with the fields of a call that makes an event, when ada does it in her room. Words stand for ids.
COMMANDS: dict[str, dict[str, Any]] = {
    "users.register": {"username": "NEW"},
    "users.change": {"name": "Another"},
    "users.change_password": {"password": "another horse"},
    "users.reset_password": {"username": "RESET", "password": "another horse"},
    "users.deactivate": {"user": "LEAVER"},
    "users.reactivate": {"user": "LEAVER"},
    "users.revoke_tokens": {"user": "LEAVER"},
    "users.erase": {"user": "LEAVER", "messages": "keep"},
    "services.register": {"username": "NEW"},
    "apps.create": {"name": "Harbour"},
    "apps.change": {"app": "APP", "name": "Renamed"},
    "apps.roll_key": {"app": "APP"},
    "apps.suspend": {"app": "APP"},
    "apps.resume": {"app": "SUSPENDED"},
    "apps.revoke_tokens": {"app": "APP"},
    "apps.erase": {"app": "APP", "confirm": "APP"},
    "apps.choose_plan": {"app": "APP", "plan": "PLAN"},
    "plans.define": {"name": "Pro", "tier": "pro"},
    "plans.withdraw": {"plan": "OLD"},
    "teams.create": {"external_id": "NEW", "name": "Crew"},
    "teams.change": {"team": "TEAM", "name": "Renamed"},
    "teams.remove": {"team": "TEAM"},
    "users.set_team": {"user": "LEAVER", "team": "TEAM"},
    "sessions.open": {"username": "LOGIN", "password": PASSWORD},
    "sessions.issue": {"user": "OTHER"},
    "sessions.renew": {},
    "sessions.close": {"session": "SESSION"},
    "relationships.set": {"user": "OTHER", "type": "block"},
    "relationships.remove": {"user": "FRIEND"},
    "visuals.create": {"model_data": {"a": 1}},
    "visuals.change": {"visual": "VISUAL", "model_data": {"a": 2}},
    "visuals.choose": {"model_data": {"b": 1}},
    "rooms.create": {"type": "private", "name": "Once", "description": "first", "members": ["BOB"]},
    "rooms.change": {"room": "ROOM", "name": "Renamed"},
    "rooms.archive": {"room": "ROOM"},
    "rooms.unarchive": {"room": "ARCHIVED"},
    "rooms.delete": {"room": "ROOM"},
    "rooms.restore": {"room": "ARCHIVED"},
    "members.add": {"room": "ROOM", "user": "OTHER"},
    "members.remove": {"room": "ROOM", "user": "FRIEND"},
    "invitations.decline": {"room": "INVITED"},
    "members.set_role": {"room": "ROOM", "user": "FRIEND", "role": "admin"},
    "members.change": {"room": "ROOM", "user": "FRIEND", "custom": {"a": {"b": 1}}},
    "members.set_notifications": {"room": "ROOM", "notifications": False},
    "members.read": {"room": "ROOM", "seq": 1},
    "messages.send": {"room": "ROOM", "token": "NEW", "content": {"text": "said first"}},
    "messages.edit": {"room": "ROOM", "message": "MESSAGE", "content": {"text": "edited first"}},
    "messages.delete": {"room": "ROOM", "message": "MESSAGE"},
    "messages.pin": {"room": "ROOM", "message": "MESSAGE"},
    "messages.unpin": {"room": "ROOM", "message": "PINNED"},
    "channels.create": {"name": "Raid", "limit": 5},
    "channels.delete": {"channel": "CHANNEL"},
    "channels.listen": {"channel": "CHANNEL"},
    "messages.set_emotion": {"room": "ROOM", "message": "MESSAGE", "emotion": "joy"},
    "messages.set_emotions": {"emotions": [{"room": "ROOM", "message": "MESSAGE", "emotion": "joy", "key": "NEW"}]},
}
#: What changes something without a command of the client's: an import has a key a line, users of applications have ids
#: that follow from theirs, signals are not stored.
NO_COMMAND = {
    "import.orders", "presence.set", "signals.type", "channels.watch", "console.renew", "console.retry",
    "channels.report", "users.upsert",
}  # fmt: skip
#: Where every part of the request has a key of its own.
IN_PARTS = {"messages.set_emotions"}


class Scene:
    """Ada's private room with bob, an admin, and a friend of hers in it, and another friend of hers outside."""

    def __init__(self, ada: Person, bob: Person, friend: Person, other: Person, service: Person, operator: str) -> None:
        self.ada, self.bob, self.friend, self.other = ada, bob, friend, other
        self._service, self._operator = service, operator
        self.chief = Person(ada.world, {"user": {"id": "operator", "username": ""}, "token": operator}, "http")
        self.words: dict[str, Any] = {}

    def filled(self, value: Any) -> Any:
        """Words replaced by what they stand for."""
        if isinstance(value, dict):
            return {name: self.filled(one) for name, one in value.items()}
        if isinstance(value, list):
            return [self.filled(one) for one in value]
        return self.words.get(value, value) if isinstance(value, str) else value

    async def do(self, name: str, fields: dict[str, Any], key: str, world: World | None = None) -> Any:
        """The operation by whoever may do it; ``world``: asked elsewhere than where the people are."""
        permission = OPERATIONS[name].permission
        if permission in ("operator", "app"):
            return await (world or self.ada.world).call(name, fields, token=self._operator, key=key)
        person = self._service if permission == "service" else self.ada
        if world is not None:
            welcome = {"user": {"id": person.id, "username": person.username}, "token": person.token}
            person = Person(world, welcome, person.via)
        return await person.do(name, key=key, **fields)

    async def serve(self, channel: int) -> None:
        """The service says that it is a server, which serves a channel."""
        metric = {"addr": "127.0.0.1:8420", "name": "Chat"}
        await self._service.do("channels.report", metric=metric, channels=[{"id": channel}])

    async def more(self) -> None:
        """Everybody changes what they still can of all that answers show."""
        room, me, texts = self.words["ROOM"], self.ada, iter("abcdefgh")
        for person in (self.bob, self.friend, me):
            await tried(person, "messages.send", room=room, token=secrets.token_hex(6), content={"text": next(texts)})
        for person in (self.bob, me):
            await tried(
                person, "rooms.change", room=room, name=f"Secret {secrets.token_hex(3)}", description="a secret",
                settings={"notifications": False}, data={"secret": secrets.token_hex(3)},
            )  # fmt: skip
        await tried(self.bob, "members.add", room=room, user=self.other.id)
        await tried(me, "members.read", room=room, seq=0)
        await tried(me, "members.set_notifications", room=room, notifications=True)
        await tried(me, "members.set_role", room=room, user=self.friend.id, role="member")
        await tried(me, "members.change", room=room, user=self.friend.id, custom={"a": {"later": secrets.token_hex(3)}})
        await tried(me, "messages.edit", room=room, message=self.words["MESSAGE"], content={"text": "edited later"})
        await tried(me, "rooms.change", room=self.words["ARCHIVED"], name="Taken up again")
        await tried(me, "users.change", name=f"Later {secrets.token_hex(3)}", data={"later": "x"})
        await tried(me, "visuals.change", visual=self.words["VISUAL"], model_data={"later": secrets.token_hex(3)})
        await tried(me, "visuals.choose", visual_id=self.words["VISUAL"])
        await tried(me, "relationships.set", user=self.other.id, type="friend")
        await tried(me, "relationships.set", user=self.friend.id, type="friend")

    async def blocks(self) -> None:
        """All others block ada."""
        for person in (self.bob, self.friend, self.other):
            await person.do("relationships.set", user=self.ada.id, type="block")

    async def gone(self) -> None:
        """Bob owns the room now; ada is put out of it, or leaves it."""
        room = self.words["ROOM"]
        await tried(self.ada, "members.set_role", room=room, user=self.bob.id, role="owner")
        if self.ada.via == "http":
            await tried(self.bob, "members.remove", room=room, user=self.ada.id)
        await tried(self.ada, "members.remove", room=room, user="me")

    async def erased(self, first: Any) -> set[str]:
        """Bob deletes ada's messages; those that are deleted now, by id."""
        ids = {self.words["MESSAGE"]} | ({first["message"]["id"]} if isinstance(first.get("message"), dict) else set())
        for id in ids:
            await tried(self.bob, "messages.delete", room=self.words["ROOM"], message=id)
        return ids

    async def deleted(self, first: Any) -> set[str]:
        """The rooms' owners delete them; those that are deleted now, by id."""
        ids = {self.words["ROOM"], self.words["ARCHIVED"]} | ({first["room"]["id"]} if "room" in first else set())
        for id in ids:
            for person in (self.bob, self.ada):
                await tried(person, "rooms.delete", room=id)
        return ids


#: What the last attempt to do something may be refused with.
_ALLOWED = {"not_found", "forbidden", "archived", "invalid"}


async def tried(person: Person, operation: str, /, **fields: Any) -> None:
    """Done, if it is still possible."""
    try:
        await person.do(operation, **fields)
    except Refusal as refusal:
        if refusal.code not in _ALLOWED:
            raise


async def scene(world: World, via: Via, operator: str, name: str) -> Scene:
    """A new scene for an operation, before anything is repeated."""
    ada, bob, friend, other = [
        await world.person(who, via=via, password=PASSWORD if (who, name) == ("ada", "sessions.close") else None)
        for who in ("ada", "bob", "friend", "other")
    ]
    service = {
        "username": f"worker-{secrets.token_hex(5)}",
        "scopes": ["emotions:write", "sessions:issue", "channels:serve"],
    }
    welcome = await world.call("services.register", service, token=operator)
    found = Scene(ada, bob, friend, other, Person(world, welcome, via), operator)
    for person in (bob, friend, other):
        await person.do("relationships.set", user=ada.id, type="friend")
        await ada.do("relationships.set", user=person.id, type="friend")
    room = await ada.group(bob, friend, type="private", name="First", description="of then", data={"then": "yes"})
    await ada.do("members.set_role", room=room, user=bob.id, role="admin")
    archived = await ada.group(type="private", name="Archive")
    await ada.do("rooms.archive", room=archived)
    message = (await ada.say(room))["id"]
    visual = (await ada.do("visuals.create", model_data={}))["visual"]["id"]
    found.words = {
        "OTHER": other.id, "FRIEND": friend.id, "BOB": bob.id, "ROOM": room, "ARCHIVED": archived, "MESSAGE": message,
        "VISUAL": visual, "NEW": f"new-{secrets.token_hex(6)}",
    }  # fmt: skip
    return found


async def prepare(found: Scene, name: str) -> None:
    """What only some operations need: hashing passwords takes long, and who asks to be asked is not added."""
    if name == "users.reset_password":
        found.words["RESET"] = (await found.ada.world.person("reset", password=PASSWORD)).username
    leaving = ("users.deactivate", "users.reactivate", "users.revoke_tokens", "users.erase", "users.set_team")
    if name in leaving and "LEAVER" not in found.words:
        found.words["LEAVER"] = (await found.ada.world.person("leaver")).id
    if name == "users.reactivate":
        await found.chief.do("users.deactivate", user=found.words["LEAVER"])
    if name == "invitations.decline" and "INVITED" not in found.words:
        await found.ada.do("users.change", added_by="nobody")
        found.words |= {"INVITED": await found.other.group(type="private"), "ADA": found.ada.id}
        await found.other.do("members.add", room=found.words["INVITED"], user=found.ada.id)
    if name == "messages.unpin" and "PINNED" not in found.words:
        found.words["PINNED"] = (await found.ada.say(found.words["ROOM"]))["id"]
        await found.ada.do("messages.pin", room=found.words["ROOM"], message=found.words["PINNED"])
    if name in ("channels.delete", "channels.listen") and "CHANNEL" not in found.words:
        found.words["CHANNEL"] = (await found.ada.do("channels.create", name="Raid", limit=5))["channel"]["id"]
        await found.serve(found.words["CHANNEL"])
    if name.startswith("apps.") and "APP" not in found.words:
        for word in ("APP", "SUSPENDED"):
            found.words[word] = (await found.do("apps.create", {"name": word}, secrets.token_hex(6)))["app"]["id"]
        await found.do("apps.suspend", {"app": found.words["SUSPENDED"]}, secrets.token_hex(6))
    if name in ("apps.choose_plan", "plans.withdraw") and "PLAN" not in found.words:
        for word in ("PLAN", "OLD"):
            made = await found.do("plans.define", {"name": word, "tier": "pro"}, secrets.token_hex(6))
            found.words[word] = made["plan"]["id"]
    if name in ("teams.change", "teams.remove", "users.set_team") and "TEAM" not in found.words:
        given = {"external_id": secrets.token_hex(6), "name": "Crew"}
        found.words["TEAM"] = (await found.do("teams.create", given, secrets.token_hex(6)))["team"]["id"]
    if name == "sessions.open":
        found.words["LOGIN"] = (await found.ada.world.person("login", password=PASSWORD)).username
    if name == "sessions.close":
        # The latest first: not the one with which ada came.
        await found.ada.do("sessions.open", username=found.ada.username, password=PASSWORD)
        found.words["SESSION"] = (await found.ada.do("sessions.list"))["sessions"][0]["id"]


class Done(NamedTuple):
    """An operation that was done with a key, and what it answered."""

    scene: Scene
    name: str
    fields: dict[str, Any]
    key: str
    first: Any

    async def again(self, world: World | None = None) -> Any:
        """Repeated; the answer, after it was said to be a repetition."""
        answer = await self.scene.do(self.name, self.fields, self.key, world)
        assert (world or self.scene.ada.world).repeated == (self.name not in IN_PARTS), self.name
        return answer


async def done(found: Scene, name: str, key: str | None = None) -> Done:
    """Does what COMMANDS says of the operation, for the first time."""
    await prepare(found, name)
    fields, key = found.filled(COMMANDS[name]), key or secrets.token_hex(8)
    first = await found.do(name, fields, key)
    assert not found.ada.world.repeated
    return Done(found, name, fields, key, first)


def expected(first: Any, messages: set[str], rooms: set[str]) -> Any:
    """The first answer without what is deleted now; ``deleted`` of a message is then whatever time it says."""
    found = copy.deepcopy(first)
    room, message = found.get("room"), found.get("message")
    if isinstance(room, dict) and room["id"] in rooms:
        room.update(state="deleted", **GONE)
    if "unread" in found and found["member"]["room"] in rooms:
        found["unread"] = 0
    if isinstance(message, dict) and (message["id"] in messages or message["room"] in rooms):
        message.update(content={}, data={}, deleted="TIME")
    return found


def shown(answer: Any) -> Any:
    """An answer as ``expected`` says it."""
    message = answer.get("message")
    if isinstance(message, dict) and message["deleted"]:
        return {**answer, "message": {**message, "deleted": "TIME"}}
    return answer
