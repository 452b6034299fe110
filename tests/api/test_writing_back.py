"""What was read can be written back: it is taken, and changes nothing. Tests ``api/registry.py``."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import pytest

from events.rooms import UNSAID
from tests.client import OPERATIONS, Person

Read = Callable[[], Awaitable[dict[str, Any]]]


class Pair(NamedTuple):
    """What is read, and the operation that writes a part of it back."""

    read: Read
    write: str
    #: The fields of the operation, made of what was read.
    fields: Callable[[dict[str, Any]], dict[str, Any]]
    who: Person


#: Changes that take no part of what is read.
NO_PART = {
    "users.change_password": "a password is not read", "members.add": "says who", "rooms.archive": "says nothing",
    "messages.set_emotion": "for services", "messages.pin": "says nothing", "presence.set": "is not kept",
    "signals.type": "is not kept", "apps.change": "for operators", "channels.watch": "is not kept",
    "apps.choose_plan": "for operators", "teams.change": "for servers", "users.set_team": "for servers",
}  # fmt: skip


def picked(*names: str, **more: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda read: {**{name: read[name] for name in names}, **more}


async def myself(person: Person) -> list[Pair]:
    async def me() -> dict[str, Any]:
        return dict((await person.do("users.me"))["user"])

    return [
        Pair(me, "users.change", picked("name", "data", "email"), person),
        Pair(me, "users.change", picked("data"), person),
        Pair(me, "visuals.choose", lambda user: {"visual_id": user["visual"]}, person),
    ]


async def visual(person: Person) -> Pair:
    models: dict[str, Any] = {
        "model_data": {"hat": [1, {"of": "straw"}]},
        "emotion_data": {"joy": True, "fear": {"eyes": "wide"}},
    }
    id = (await person.do("visuals.create", **models))["visual"]["id"]

    async def read() -> dict[str, Any]:
        return dict((await person.do("visuals.get", visual=id))["visual"])

    return Pair(read, "visuals.change", picked("model_data", "emotion_data", visual=id), person)


async def room(person: Person, id: str) -> list[Pair]:
    async def read() -> dict[str, Any]:
        return dict(await person.do("rooms.get", room=id))

    async def whole() -> dict[str, Any]:
        return dict((await read())["room"])

    return [
        Pair(whole, "rooms.change", picked(*UNSAID, room=id), person),
        Pair(read, "members.set_notifications", lambda one: {
            "room": id, "notifications": one["member"]["notifications"]}, person),
        Pair(read, "members.read", lambda one: {"room": id, "seq": one["member"]["read"]}, person),
    ]  # fmt: skip


async def members(owner: Person, id: str) -> list[Pair]:
    async def role(user: str) -> dict[str, Any]:
        found = (await owner.do("members.list", room=id))["members"]
        return dict(next(one["member"] for one in found if one["member"]["user"] == user))

    users = [one["member"]["user"] for one in (await owner.do("members.list", room=id))["members"]]
    for user in users:
        await owner.do("members.change", room=id, user=user, custom={"a": {"b": [None, 1.0]}})
    return [
        Pair(lambda user=user: role(user), write, picked("room", "user", field), owner)  # type: ignore[misc]
        for user in users
        for write, field in (("members.set_role", "role"), ("members.change", "custom"))
    ]


async def message(person: Person, id: str, type: str, content: dict[str, Any], data: dict[str, Any]) -> Pair:
    sent = await person.do("messages.send", room=id, token=secrets.token_hex(8), type=type, content=content, data=data)
    place = {"room": id, "message": sent["message"]["id"]}

    async def read() -> dict[str, Any]:
        return dict((await person.do("messages.get", **place))["message"])

    return Pair(read, "messages.edit", picked("content", "data", **place), person)


CONTENTS: list[tuple[str, dict[str, Any]]] = [
    ("text", {"text": " What joy \n"}), ("action", {"text": "waves"}),
    ("image", {"url": "https://x.org/a.png", "alt": "", "width": 3}), ("file", {"url": "https://x.org/", "name": "a"}),
    ("custom", {"a": [1, None, {"b": True}], "": 0.5}),
]  # fmt: skip


#: The last as long as it may be, before an emotion is noted in it.
DATA: list[dict[str, Any]] = [{}, {"client": {"v": 2}}, {"full": "x" * (8 * 1024 - 11)}]


async def scene(ada: Person, bob: Person, service: Person) -> list[Pair]:
    await ada.do("visuals.choose", model_data={}, emotion_data={"joy": True})
    await ada.do("relationships.set", user=bob.id, type="friend")
    made = {
        "description": "For tea\nand talk", "topic_line": "Today: scones", "data": {"icon": "x"},
        "custom": {"a": {"b": [1, None, {"c": None}], "d": 1.0}, "": True},
        "settings": {"posting": "admins"},
    }  # fmt: skip
    public = await ada.group(bob, name="Tea & Co.", **made)
    private, direct = await ada.group(bob, type="private"), await ada.direct(bob)
    await bob.do("rooms.change", room=direct, data={"note": "x"})
    pairs = [*await myself(ada), *await myself(bob), *await myself(service), await visual(ada)]
    for id in (public, private, direct):
        pairs += await room(ada, id)
    pairs += [*await room(bob, direct), *await members(ada, private)]
    for type, content in CONTENTS:
        for data in DATA:
            pairs.append(await message(ada, direct, type, content, data))
    for pair in pairs:
        if pair.write == "messages.edit":
            place = {
                name: value for name, value in pair.fields(await pair.read()).items() if name in ("room", "message")
            }
            await service.do("messages.set_emotion", **place, emotion="joy")
            assert (await pair.read())["data"]["emotion"] == "joy"

    async def friend() -> dict[str, Any]:
        return dict((await ada.do("relationships.list"))["relationships"][0])

    return [*pairs, Pair(friend, "relationships.set", lambda one: {"user": one["other"], "type": one["type"]}, ada)]


async def test_what_was_read_is_taken_back_and_changes_nothing(ada: Person, bob: Person, service: Person) -> None:
    pairs = await scene(ada, bob, service)
    for pair in pairs:
        before = await pair.read()
        fields = pair.fields(before)
        await pair.who.do(pair.write, **fields)
        assert await pair.read() == before, (pair.write, fields)
    changing = {name for name, operation in OPERATIONS.items() if operation.method in ("PATCH", "PUT")}
    assert {pair.write for pair in pairs} | NO_PART.keys() == changing


async def test_a_full_map_is_taken_back(ada: Person) -> None:
    """With what the server notes in it, it has one entry more than one may send first."""
    full = {f"k{n}": "v" * 1024 for n in range(64)}
    user = (await ada.do("users.register", username=f"full-{secrets.token_hex(4)}", data=full))["user"]
    assert len(user["data"]) == 65
    full_one = await ada.world.person("full", via=ada.via, data=full, password="difference", email=_address())
    before = (await full_one.do("users.me"))["user"]
    fields = {name: before[name] for name in ("name", "data", "email")}
    assert (await full_one.do("users.change", **fields))["user"] == before
    assert await full_one.refused("users.change", data={"one more": "x"}) == "too_large"


def _address() -> str:
    return f"{secrets.token_hex(8)}@example.org"


async def test_other_values_are_refused_as_before(ada: Person, bob: Person, service: Person) -> None:
    me = (await ada.do("users.me"))["user"]["data"]
    for value in ("2020-01-01T00:00:00.000Z", "", None, me["last_login"][:-1]):
        assert await ada.refused("users.change", data={**me, "last_login": value}) == "invalid"
    await ada.do("visuals.choose", model_data={}, emotion_data={"joy": True})
    direct = await ada.direct(bob)
    sent = await ada.say(direct)
    place, content = {"room": direct, "message": sent["id"]}, {"text": "hello"}
    for emotion in ("joy", "", None):
        assert await ada.refused("messages.edit", **place, content=content, data={"emotion": emotion}) == "invalid"
    await service.do("messages.set_emotion", **place, emotion="joy")
    found: list[Any] = ["anger", "", None, ["joy"]]
    for emotion in found:
        assert await ada.refused("messages.edit", **place, content=content, data={"emotion": emotion}) == "invalid"
    copy = (await ada.do("messages.get", **place))["message"]
    again = {"room": direct, "token": "copy", "content": copy["content"], "data": copy["data"]}
    assert await ada.refused("messages.send", **again) == "invalid"
    edited = await ada.do("messages.edit", **place, content={"text": "other"}, data={**copy["data"], "a": 1})
    assert edited["message"]["data"] == {"a": 1, "emotion": "joy"}
    others: list[dict[str, Any]] = [
        {"name": "N"},
        {"description": "d"},
        {"topic_line": "t"},
        {"settings": {"posting": "admins"}},
    ]
    for more in others:
        assert await ada.refused("rooms.change", room=direct, **more) == "invalid"
    group = await ada.group()
    assert await ada.refused("rooms.change", room=group, name="") == "invalid"


async def test_an_address_is_changed_with_the_password_only(ada: Person) -> None:
    person = await ada.world.person("mail", via=ada.via, password="difference", email=_address())
    old = (await person.do("users.me"))["user"]["email"]
    assert (await person.do("users.change", name="N", email=old.replace("example", "EXAMPLE")))["user"]["email"] == old
    for other in (_address(), None):
        assert await person.refused("users.change", name="M", email=other) == "invalid"
    user = (await person.do("users.me"))["user"]
    assert (user["name"], user["email"]) == ("N", old)
    assert await person.refused("users.change", email=old, password="not this one") == "forbidden"


@pytest.mark.parametrize("type", ["public", "private"])
async def test_settings_that_are_no_others_are_no_change(ada: Person, type: str) -> None:
    id = await ada.group(type=type)
    before = (await ada.do("rooms.get", room=id))["room"]
    await ada.do("rooms.change", room=id, settings={})
    await ada.do("rooms.change", room=id, settings={"posting": "members"})
    assert (await ada.do("rooms.get", room=id))["room"] == before
